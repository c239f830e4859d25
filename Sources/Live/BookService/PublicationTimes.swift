// How long frames take from the socket to what readers see: through the ring, into the book, into its
// mailbox.
//
// One turn in sixteen is measured, after publication: the cost delays only the next message, by less than a
// tenth of a microsecond.

import LobHandoff
import LobMetrics
import LobTransport

/// Durations of one book thread's turns. Not copyable: it owns the writer.
struct PublicationTimes: ~Copyable {
    private static let everyTurns = 16
    private static let plausibleNsMax: Int64 = 86_400_000_000_000

    private var times = LatencyHistogram()
    private var turnCount = 0
    private var writer: LatestValueWriter<LatencyHistogram>

    /// Durations published to this mailbox.
    init(_ writer: consuming LatestValueWriter<LatencyHistogram>) { self.writer = writer }

    /// A turn whose last frame was received at this time has been published. Ignored if the clock was set.
    mutating func turned(receivedAtNs: Int64) {
        turnCount &+= 1
        if turnCount % PublicationTimes.everyTurns != 0 { return }
        let ns = LoopClock.realtimeNs &- receivedAtNs
        if !(0...PublicationTimes.plausibleNsMax).contains(ns) { return }
        times.add(ns: ns)
        writer.publish(times)
    }
}
