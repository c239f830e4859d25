// A connection of a feed over a WebSocket.

import DepthFeed
import LobTransport

/// The socket of a connection, until it is gone.
final class FeedSocket: FeedLink {
    private var client: WebSocketClient?

    init(
        _ connection: FeedConnection, of feed: DepthFeed, _ url: ServiceURL, on loop: EventLoop,
        options: WebSocketClient.Options
    ) {
        var handlers = WebSocketClient.Handlers { bytes, isFinal in
            feed.received(
                bytes, isFinal: isFinal, on: connection, receivedAtNs: isFinal ? LoopClock.realtimeNs : 0)
        }
        handlers.attempted = { feed.redialled() }
        handlers.opened = { feed.opened(connection, backend: "\($0)") }
        handlers.pinged = { _ in feed.pinged(connection) }
        handlers.probed = { feed.probed(connection) }
        handlers.ponged = { _ in feed.ponged(connection) }
        handlers.closed = { [self] end in
            client = nil
            feed.ended(connection, LinkEnd(end))
        }
        client = WebSocketClient(url, on: loop, options: options, handlers: handlers)
    }

    func send(_ text: String) { _ = client?.send(text: text) }

    func ping() -> Bool { client?.ping() ?? false }

    func close() { client?.close() }

    func abort() { client?.abort() }
}

extension LinkEnd {
    /// How a WebSocket ended, in a feed's terms.
    package init(_ end: WebSocketEnd) {
        self.init(
            error: end.error.map { "\($0)" }, peerCode: end.peerCode, peerReason: end.peerReason)
        if case .upgradeRefused(let status, let seconds)? = end.error {
            (refusedStatus, retryAfterSeconds) = (status, seconds)
        }
    }
}
