// The engine's own time, for durations: derived from the frames, and never set.
//
// Receive times come from a clock that people and daemons set. A step must neither age a book by an hour nor
// keep a dead stream young, so durations are measured with the second clock that a feed's ticks carry.
// Between two ticks the receive times say how much later it is, but never more than half a second. Where
// ticks carry no second clock, receive times are all there is: steps back are ignored, steps forward look
// like time.
//
// Invariants
// * `nowNs` never goes back.
// * It is a function of the frames alone.

/// Turns frames into a time that only advances.
struct EngineClock {
    /// Nanoseconds since an arbitrary moment.
    private(set) var nowNs: Int64 = 0
    /// The last tick: its second clock, or its receive time if it carries none.
    private(set) var tickNs: Int64 = .min
    private var baseNs: Int64 = 0
    private var baseReceivedAtNs: Int64 = 0
    private var monotonicNs: Int64?

    /// Longest time between two ticks that receive times are believed for: two ticks of a feed. By so much a
    /// clock that is set may put off what is due.
    private static let betweenNsMax: Int64 = 500_000_000

    /// Whether ticks carry the second clock.
    var isSteady: Bool { monotonicNs != nil }

    /// Whether `nowNs` is the time, and not merely the earliest it can be: receive times since the last tick
    /// say more than is believed, or less than nothing.
    private(set) var isExact = true

    /// A frame that is no tick was received.
    @inline(__always)
    mutating func advance(receivedAtNs: Int64) {
        let sinceNs = receivedAtNs.subtractingReportingOverflow(baseReceivedAtNs).partialValue
        if monotonicNs != nil {
            isExact = sinceNs >= 0 && sinceNs <= EngineClock.betweenNsMax
            nowNs = max(nowNs, baseNs &+ min(max(sinceNs, 0), EngineClock.betweenNsMax))
        } else {
            nowNs &+= max(sinceNs, 0)
            baseReceivedAtNs = receivedAtNs
        }
    }

    /// A tick was received, with the second clock if it carries one.
    mutating func tick(receivedAtNs: Int64, monotonicNs next: Int64?) {
        tickNs = next ?? receivedAtNs
        guard let next else { return advance(receivedAtNs: receivedAtNs) }
        if let monotonicNs {
            baseNs &+= max(next.subtractingReportingOverflow(monotonicNs).partialValue, 0)
        } else {
            advance(receivedAtNs: receivedAtNs)
            baseNs = nowNs
        }
        monotonicNs = next
        isExact = true
        baseReceivedAtNs = receivedAtNs
        nowNs = max(nowNs, baseNs)
    }
}
