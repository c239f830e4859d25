// An HTTP/1.1 and WebSocket server on a loop. Two closures decide about requests and upgrades; there is no
// other routing.

import CLobTransport

/// A listening server. It lives as long as its loop.
package final class HTTPServer {
    /// Where and how to listen.
    package struct Options: Sendable {
        /// Numeric address to listen on; nil for all addresses, IPv6 and IPv4.
        package var address: String? = "127.0.0.1"
        /// Port; 0 picks a free one.
        package var port = 0
        /// TLS, if given.
        package var tls: TLSIdentity?
        /// Most simultaneous WebSocket clients; further upgrades are refused with 503.
        package var peerCountMax = 4096
        /// Most simultaneous connections, including idle ones and requests; further ones are closed unread.
        /// Nil: as many as there are descriptors.
        package var connectionCountMax: Int?
        /// Percent of the connections that one owner may have: an IPv4 address, or a network of IPv6.
        package var addressPercentMax = 100
        /// The same of this machine.
        package var loopbackPercentMax = 100
        /// Longest time from a client's connection to the end of its first request's head.
        package var headLimitMs = 10_000
        /// Longest time for a client to take a whole answer.
        package var answerLimitMs = 120_000
        /// Longest time for it to take 64 KB of it, or what is left.
        package var stallLimitMs = 20_000
        /// Most bytes of a client's message, which comes in at most 1,024 pieces.
        package var messageBytesMax = 1 << 20
        /// Time from a pong (at first, from the start) to this side's next ping; nil: none.
        package var pingIntervalMs: Int?
        /// Longest wait for the pong before the client is disconnected.
        package var pongLimitMs = 60_000
        /// Longest wait for a client to answer a close: that of a WebSocket, or within a second more that of
        /// TLS.
        package var closeLimitMs = 2_000

        /// Defaults: loopback, a free port.
        package init() {}
    }

    /// Decides how to answer.
    package struct Handlers {
        /// A request, to be answered by `HTTPRequest.respond`.
        package var request: (HTTPRequest) -> Void
        /// A request to upgrade.
        package var upgrade: (HTTPRequest) -> UpgradeAnswer
        /// Whether an upgraded client may have its messages compressed, if it offers that. If allowed, check
        /// `WebSocketPeer.isDeflating` and compress what is worth it.
        package var deflates: (HTTPRequest) -> Bool = { _ in false }
        /// Payload of this side's pings. Must not be empty: the library does not report empty pongs, and the
        /// client would be disconnected as silent.
        package var pingPayload: () -> [UInt8] = { [0x70] }

        /// The two decisions.
        package init(
            request: @escaping (HTTPRequest) -> Void, upgrade: @escaping (HTTPRequest) -> UpgradeAnswer
        ) {
            (self.request, self.upgrade) = (request, upgrade)
        }
    }

    /// The port in use.
    package private(set) var port = 0
    /// Current number of WebSocket clients.
    package internal(set) var peerCount = 0
    let loop: EventLoop
    let options: Options
    let handlers: Handlers
    /// Decompresses clients' messages; nil without memory, in which case nothing is compressed.
    let packer = MessagePacker()

    /// Starts listening at once.
    ///
    /// - Throws: `TransportError.cannotListen`.
    package init(on loop: EventLoop, options: Options = Options(), handlers: Handlers) throws(TransportError)
    {
        (self.loop, self.options, self.handlers) = (loop, options, handlers)
        if !(0...65535).contains(options.port) {
            throw .cannotListen(port: options.port, reason: "no such port")
        }
        let core = ServerCore(
            requested: { socket, method, path in
                handlers.request(
                    HTTPRequest(socket, method: method, path: path, isUpgrade: false, self))
            },
            upgrading: { self.upgrading($0, path: $1) })
        port = try loop.listen(core, options)
    }

    private func upgrading(_ request: Socket, path: String) -> Socket? {
        let upgrade = HTTPRequest(request, method: .get, path: path, isUpgrade: true, self)
        let isFull = peerCount >= options.peerCountMax
        switch isFull ? .refuse(HTTPResponse(status: 503, json: "{}")) : handlers.upgrade(upgrade) {
        case .refuse(let response):
            upgrade.refuse(response)
            return nil
        case .accept(let listen):
            if packer != nil && handlers.deflates(upgrade) { request.allowDeflate() }
            return PeerSocket(WebSocketPeer(self), listen)
        }
    }
}
