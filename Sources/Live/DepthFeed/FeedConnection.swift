// One connection of a feed, without its link.

import LobHandoff

/// One connection of a feed, until its link is gone.
package final class FeedConnection {
    /// The `source` of its frames.
    package let id: UInt16
    var sender: FrameOutbox.Sender
    var control = ControlReader()
    var link: (any FeedLink)?
    /// Whether the feed has closed it; anything it still delivers is ignored.
    private(set) var isRetired = false
    /// Number of pieces, pings and pongs received.
    var heardCount = 0
    /// Number of data messages received.
    var dataCount = 0
    /// The beginning of a message in several pieces, while it is in progress.
    private(set) var head: [UInt8] = []
    private var watch: BusyWatch?

    private static let headBytesMax = 96

    init(_ id: UInt16) {
        self.id = id
        sender = FrameOutbox.Sender(source: id)
    }

    func retire() {
        isRetired = true
        link?.close()
    }

    /// Ends it at once.
    func abort() {
        isRetired = true
        link?.abort()
    }

    func keepHead(_ piece: Span<UInt8>) {
        if !head.isEmpty { return }
        for index in 0..<min(piece.count, FeedConnection.headBytesMax) { head.append(piece[index]) }
    }

    func forgetHead() {
        if !head.isEmpty { head.removeAll(keepingCapacity: true) }
    }

    func look(_ limits: BusySilence, nowMs: Int64) -> BusyWatch.Action? {
        if watch == nil { watch = BusyWatch(limits, nowMs: nowMs) }
        return watch?.look(heard: heardCount, messages: dataCount, nowMs: nowMs)
    }

    /// How long nothing has arrived, as of the last look.
    var silentMs: Int64 { watch?.silentMs ?? 0 }
}
