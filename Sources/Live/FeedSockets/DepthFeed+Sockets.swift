// A feed over WebSockets.

import DepthFeed
import LobHandoff
import LobTransport

extension DepthFeed {
    /// A feed that has not started, over WebSockets.
    ///
    /// - Parameters:
    ///   - configuration: already validated; see `validate`.
    ///   - loop: its event loop; the feed must be used only on the loop's thread, this call included.
    ///   - socket: options of each connection.
    ///   - producer: producer of the shard's ring.
    ///   - signal: notified whenever something was written to the ring; nil if the book thread does not
    ///     sleep.
    ///   - report: receives loggable events, on the loop's thread.
    /// - Throws: `TransportError.invalidURL`.
    /// - Precondition: a configuration and options that `validate` accepts.
    package convenience init(
        _ configuration: Configuration, on loop: EventLoop, socket: WebSocketClient.Options = .feed,
        producer: consuming FrameProducer, signal: Signal? = nil,
        report: @escaping (FeedEvent) -> Void = { _ in }
    ) throws(TransportError) {
        let url = try ServiceURL(configuration.streamAddress)
        let options = socket.saturated
        self.init(
            configuration, clock: loop, producer: producer, signal: signal, report: report,
            dial: { FeedSocket($1, of: $0, url, on: loop, options: options) })
    }
}
