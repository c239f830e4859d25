// One client WebSocket connection, by either backend, with the same callbacks.
//
// States: dialling → open → ended. `closed` is called exactly once, last, whether or not it was ever open.
// The object stays alive until then, even if nothing else holds it.
//
// What the backends share is here; what differs is in `NativeSocket` and `LibwebsocketsSocket`. Known
// differences, all in the libwebsockets backend: it answers pings unseen, reports broken rules as a lost
// connection, accepts masked frames, and limits the path to 1,900 bytes.

import CLobTransport

/// A WebSocket client. Thread: its loop's.
public final class WebSocketClient {
    /// Options of one connection.
    public struct Options: Sendable {
        /// Backends in the order in which to try them; the second is tried if a server does not accept the
        /// first.
        public var backends: [WebSocketBackend] = [.native, .libwebsockets]
        /// Most bytes of one message; a longer one ends the connection.
        public var messageBytesMax = 8 << 20
        /// Time limit for one attempt: connecting, TLS and handshake together.
        public var openLimitMs = 10_000
        /// Longest wait for the peer to answer a close.
        public var closeLimitMs = 2_000
        /// Silence after which this side pings to check that the peer is alive; nil: never.
        public var pingAfterMs: Int?
        /// Longest time without a byte after such a ping before the connection counts as gone.
        public var pongLimitMs = 10_000
        /// Longest silence, pings and pongs included, before the connection counts as gone; nil: no limit.
        public var silenceLimitMs: Int?
        /// Header lines to add to the handshake.
        public var headers: [HTTPHeader] = []

        /// The defaults.
        public init() {}
    }

    /// Callbacks of the connection.
    package struct Handlers {
        /// Another attempt begins, at another address or by another backend, after one of which the server
        /// may know.
        package var attempted: () -> Void = {}
        /// Messages may be exchanged.
        package var opened: (WebSocketBackend) -> Void = { _ in }
        /// A piece of a message as it arrived; the bytes are borrowed for the call. True with its last piece.
        package var message: (Span<UInt8>, Bool) -> Void
        /// A ping was received and answered; its payload. Native backend only.
        package var pinged: (Span<UInt8>) -> Void = { _ in }
        /// The peer was silent, and a ping was sent.
        package var probed: () -> Void = {}
        /// A pong was received; its payload.
        package var ponged: (Span<UInt8>) -> Void = { _ in }
        /// The end, once.
        package var closed: (WebSocketEnd) -> Void = { _ in }

        /// Handlers for messages only.
        package init(message: @escaping (Span<UInt8>, Bool) -> Void) {
            self.message = message
        }
    }

    let loop: EventLoop
    let url: ServiceURL
    let options: Options
    private(set) var handlers: Handlers
    private let dialer: Dialer
    private var socket: ClientSocket?
    private var silence: LoopTimer?
    private var keepAlive: KeepAlive?
    /// The current backend; nil before the connection is open.
    package private(set) var backend: WebSocketBackend?

    /// Starts connecting in the loop's next turn.
    package init(_ url: ServiceURL, on loop: EventLoop, options: Options = Options(), handlers: Handlers) {
        (self.loop, self.url, self.options, self.handlers) = (loop, url, options, handlers)
        var backends = options.backends
        if backends.count > 1 && url.path.utf8.count > Int(CT_STANDARD_PATH_BYTES_MAX) {
            backends.removeAll { $0 == .libwebsockets }
        }
        dialer = Dialer(loop, url, backends: backends, limitMs: options.openLimitMs)
        dialer.start(
            begin: { attempt throws(TransportError) in try self.begin(attempt) }, abandon: { self.abandon() },
            giveUp: { self.end(WebSocketEnd(error: $0)) })
    }

    /// Sends a text message.
    ///
    /// - Returns: false, with nothing sent, if the connection is not open or its send queue is full.
    package func send(text: String) -> Bool {
        socket?.send(text: text) ?? false
    }

    /// Sends a ping.
    ///
    /// - Parameter payload: at most 125 bytes.
    /// - Returns: as `send(text:)`.
    package func ping(_ payload: [UInt8] = []) -> Bool {
        payload.count <= 125 && socket?.ping(payload) ?? false
    }

    /// Starts the close handshake; no further message is delivered.
    ///
    /// - Parameters:
    ///   - code: a legal code: 1000 … 1003, 1007 … 1014, 3000 … 4999.
    ///   - reason: truncated to 123 bytes.
    package func close(code: UInt16 = 1000, reason: String = "") {
        if backend == nil { dialer.cancel() } else { socket?.close(code: code, reason: reason) }
    }

    /// Ends the connection without a handshake.
    package func abort() {
        if backend == nil { dialer.cancel() } else { socket?.abort(.cancelled) }
    }

    /// Most attempts of one client.
    package static func attemptCountMax(_ options: Options) -> Int {
        DialPlan.attemptCountMax(backendCount: options.backends.count)
    }

    private func begin(_ attempt: Dialer.Attempt) throws(TransportError) {
        if dialer.hasReachedServer { handlers.attempted() }
        if url.isSecure && addressFamily(url.host) == 6 {
            throw .invalidURL("the certificate of a numeric IPv6 host cannot be checked")
        }
        let next: ClientSocket =
            switch attempt.backend {
            case .native: NativeSocket(self)
            case .libwebsockets: LibwebsocketsSocket(self)
            }
        let target = try next.target(attempt)
        try loop.connect(next, to: target, of: url)
        socket = next
    }

    private func abandon() -> TransportError? {
        socket?.kill()
        socket = nil
        return nil
    }

    /// The socket of an attempt failed.
    func failed(_ socket: ClientSocket, _ error: TransportError) {
        if socket === self.socket { dialer.failed(error) }
    }

    /// The socket of an attempt is open. False if it was given up meanwhile.
    func opened(_ socket: ClientSocket, _ backend: WebSocketBackend) -> Bool {
        if socket !== self.socket { return false }
        self.backend = backend
        dialer.opened()
        keepAlive = KeepAlive(
            pingAfterMs: options.pingAfterMs, pongLimitMs: options.pongLimitMs,
            limitMs: options.silenceLimitMs)
        if let keepAlive { watchSilence(afterMs: keepAlive.firstMs) }
        handlers.opened(backend)
        return true
    }

    /// The open connection is gone.
    func ended(_ socket: ClientSocket, _ end: WebSocketEnd) {
        if socket === self.socket { self.end(loop.isClosed ? WebSocketEnd(error: .cancelled) : end) }
    }

    private func end(_ end: WebSocketEnd) {
        if let silence { loop.cancel(silence) }
        socket = nil
        let closed = handlers.closed
        handlers = Handlers { _, _ in }
        closed(end)
    }

    /// The kernel remembers when the last byte arrived, so watching costs nothing per message.
    private func watchSilence(afterMs: Int) {
        silence = loop.after(ms: afterMs) { [unowned self] in
            guard let socket else { return }
            let silentMs = socket.silentMs ?? 0
            switch keepAlive?.check(silentMs: silentMs, nowMs: Int(monotonicNs() / 1_000_000)) {
            case .wait(let ms): watchSilence(afterMs: ms)
            case .ping(let thenMs):
                watchSilence(afterMs: thenMs)
                if socket.ping([]) { handlers.probed() }
            case .giveUp: socket.abort(.silent(forMs: silentMs))
            case nil: return
            }
        }
    }
}

/// What a client needs from the socket of either backend.
class ClientSocket: Socket {
    let client: WebSocketClient

    init(_ client: WebSocketClient) {
        self.client = client
    }

    func target(_ attempt: Dialer.Attempt) throws(TransportError) -> Target {
        preconditionFailure("abstract")
    }
    func send(text: String) -> Bool { false }
    func ping(_ payload: [UInt8]) -> Bool { false }
    func close(code: UInt16, reason: String) {}
    func abort(_ error: TransportError) {}
}
