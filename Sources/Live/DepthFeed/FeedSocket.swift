// One connection of a feed.

import BinanceVenue
import LobHandoff
import LobTransport
import MarketData

/// One connection of a feed, as long as it counts, and until its socket is gone.
final class FeedSocket {
    let id: UInt16
    var sender: FrameOutbox.Sender
    var control = ControlReader()
    /// Whether it is closed for the feed; what it still says counts no more.
    private(set) var isRetired = false
    /// Pieces of messages, pings and pongs received.
    var heardCount = 0
    /// Messages received that are data.
    var dataCount = 0
    /// The beginning of a message of several pieces while it is under way.
    private(set) var head: [UInt8] = []
    private var watch: BusyWatch?
    private var client: WebSocketClient?

    private static let headBytesMax = 96

    init(_ id: UInt16, of feed: DepthFeed) {
        self.id = id
        sender = FrameOutbox.Sender(source: id)
        var handlers = WebSocketClient.Handlers { [self] bytes, isFinal in
            if !isRetired { feed.received(bytes, isFinal: isFinal, on: self) }
        }
        handlers.opened = { [self] in feed.opened(self, $0) }
        handlers.pinged = { [self] _ in if !isRetired { feed.pinged(self) } }
        handlers.probed = { [self] in if !isRetired { feed.probed(self) } }
        handlers.ponged = { [self] _ in heardCount &+= 1 }
        handlers.closed = { [self] end in
            client = nil
            feed.ended(self, end)
        }
        client = WebSocketClient(
            feed.url, on: feed.loop, options: feed.configuration.socket, handlers: handlers)
    }

    /// Sends a request. One that cannot be sent is one that is not answered.
    func send(_ text: String) { _ = client?.send(text: text) }

    func retire() {
        isRetired = true
        client?.close()
    }

    /// Ends it at once: nobody is there to answer a close.
    func abort() {
        isRetired = true
        client?.abort()
    }

    func ping() -> Bool { client?.ping() ?? false }

    func keepHead(_ piece: Span<UInt8>) {
        if !head.isEmpty { return }
        for index in 0..<min(piece.count, FeedSocket.headBytesMax) { head.append(piece[index]) }
    }

    func forgetHead() {
        if !head.isEmpty { head.removeAll(keepingCapacity: true) }
    }

    func look(_ limits: BusySilence, nowMs: Int64) -> BusyWatch.Action? {
        if watch == nil { watch = BusyWatch(limits, nowMs: nowMs) }
        return watch?.look(heard: heardCount, messages: dataCount, nowMs: nowMs)
    }

    /// For how long nothing has come, as of the last look.
    var silentMs: Int64 { watch?.silentMs ?? 0 }
}
