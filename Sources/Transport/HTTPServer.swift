// An HTTP/1.1 and WebSocket server on a loop: requests and upgrades are decided by two closures, which is all
// the routing there is.

import CTransport

/// A request's method.
public enum HTTPMethod: Hashable, Sendable {
    /// GET.
    case get
    /// HEAD.
    case head
    /// POST.
    case post
    /// Any other.
    case other

    /// By the library's number.
    init(_ number: Int32) {
        switch number {
        case 0: self = .get
        case 1: self = .post
        case 7: self = .head
        default: self = .other
        }
    }
}

/// Certificate chain and key of a server, PEM files.
public struct TLSIdentity: Hashable, Sendable {
    /// The certificate, followed by those that lead to the authority.
    public let certificatePath: String
    /// The private key.
    public let keyPath: String

    /// An identity of two files.
    public init(certificatePath: String, keyPath: String) {
        (self.certificatePath, self.keyPath) = (certificatePath, keyPath)
    }
}

/// An answer.
public struct HTTPResponse: Sendable {
    /// Status, 200 … 599.
    public var status: Int
    /// Headers but for the length.
    public var headers: [HTTPHeader]
    /// Body.
    public var body: [UInt8]

    /// An answer.
    public init(
        status: Int = 200, contentType: String = "application/json", headers: [HTTPHeader] = [], body: [UInt8]
    ) {
        self.status = status
        self.headers = (HTTPHeader("Content-Type", contentType).map { [$0] } ?? []) + headers
        self.body = body
    }

    /// An answer of JSON text.
    public init(status: Int = 200, headers: [HTTPHeader] = [], json: String) {
        self.init(status: status, headers: headers, body: Array(json.utf8))
    }

    /// As sent. A status without a known phrase gets an empty one, which HTTP allows.
    func bytes(isBodyless: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(Self.phrases[status] ?? "")\r\n"
        for header in headers { head += "\(header.name): \(header.value)\r\n" }
        head += "Content-Length: \(body.count)\r\n\r\n"
        return isBodyless ? Array(head.utf8) : Array(head.utf8) + body
    }

    private static let phrases = [
        200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
        404: "Not Found",
        405: "Method Not Allowed", 418: "I'm a teapot", 426: "Upgrade Required", 429: "Too Many Requests",
        500: "Internal Server Error", 503: "Service Unavailable",
    ]
}

/// A request to a server, to be answered now or later. Thread: the loop's.
public final class HTTPRequest {
    /// Method.
    public let method: HTTPMethod
    /// Path, decoded and without `.` and `..`; no query.
    public let path: String
    private let socket: Socket
    private let isUpgrade: Bool

    init(_ socket: Socket, method: HTTPMethod, path: String, isUpgrade: Bool) {
        (self.socket, self.method, self.path, self.isUpgrade) = (socket, method, path, isUpgrade)
    }

    /// A request that nobody answers is answered: a client must not wait for nothing.
    deinit {
        if !isUpgrade {
            _ = socket.respond(HTTPResponse(status: 500, json: "{}").bytes(isBodyless: method == .head))
        }
    }

    /// Names and values of the query, decoded, in order; a name without `=` has the value "".
    public var query: [(name: String, value: String)] {
        var parts: [(name: String, value: String)] = []
        while let part = socket.queryPart(parts.count) {
            let end = part.firstIndex(of: "=") ?? part.endIndex
            parts.append((String(part[..<end]), String(part[end...].dropFirst())))
        }
        return parts
    }

    /// A header by its name in lower case; nil if absent or once the request is over.
    public func header(_ name: String) -> String? { socket.header(name) }

    /// The client's numeric address.
    public var peerAddress: String { socket.peerAddress }

    /// Answers; the first answer counts. False if it was not the first or the client has gone.
    @discardableResult
    public func respond(_ response: HTTPResponse) -> Bool {
        !isUpgrade && socket.respond(response.bytes(isBodyless: method == .head))
    }

    /// Hangs up instead of answering.
    public func hangUp() {
        if !isUpgrade { socket.kill() }
    }

    func refuse(_ response: HTTPResponse) { socket.refuse(response.bytes(isBodyless: false)) }
}

/// What to do with a request to upgrade to WebSocket.
public enum UpgradeAnswer {
    /// Upgrade; the closure gets the connection once it is open and says who hears it.
    case accept((WebSocketPeer) -> WebSocketPeer.Handlers)
    /// Answer with this instead.
    case refuse(HTTPResponse)
}

/// A listening server. It lives as long as its loop.
public final class HTTPServer {
    /// Where and how to listen.
    public struct Options: Sendable {
        /// Numeric address to listen on; nil is every address, IPv6 and IPv4.
        public var address: String? = "127.0.0.1"
        /// Port; 0 takes a free one.
        public var port = 0
        /// TLS if given.
        public var tls: TLSIdentity?
        /// Most WebSocket clients at once; further upgrades are refused with 503.
        public var peerCountMax = 4096
        /// Most bytes of a client's message.
        public var messageBytesMax = 1 << 20
        /// Time from a pong, or from the beginning, to the next ping of this side; nil: none.
        public var pingIntervalMs: Int?
        /// Longest time for the pong; then the client is cut off.
        public var pongLimitMs = 60_000
        /// Longest time for a client to answer a close.
        public var closeLimitMs = 2_000

        /// The defaults: loopback, a free port.
        public init() {}
    }

    /// Decides what to answer.
    public struct Handlers {
        /// A request, to be answered by `HTTPRequest.respond`.
        public var request: (HTTPRequest) -> Void
        /// A request to upgrade.
        public var upgrade: (HTTPRequest) -> UpgradeAnswer
        /// Payload of this side's pings. Not empty: the library keeps empty pongs to itself, and their
        /// senders would be cut off as silent.
        public var pingPayload: () -> [UInt8] = { [0x70] }

        /// The two decisions.
        public init(
            request: @escaping (HTTPRequest) -> Void, upgrade: @escaping (HTTPRequest) -> UpgradeAnswer
        ) {
            (self.request, self.upgrade) = (request, upgrade)
        }
    }

    /// The port in use.
    public private(set) var port = 0
    /// WebSocket clients at the moment.
    public internal(set) var peerCount = 0
    let loop: EventLoop
    let options: Options
    let handlers: Handlers

    /// Listens at once.
    ///
    /// - Throws: `TransportError.cannotListen`.
    public init(on loop: EventLoop, options: Options = Options(), handlers: Handlers) throws(TransportError) {
        (self.loop, self.options, self.handlers) = (loop, options, handlers)
        if !(0...65535).contains(options.port) {
            throw .cannotListen(port: options.port, reason: "no such port")
        }
        let core = ServerCore(
            requested: { socket, method, path in
                handlers.request(HTTPRequest(socket, method: method, path: path, isUpgrade: false))
            },
            upgrading: { self.upgrading($0, path: $1) })
        port = try loop.listen(core, address: options.address, port: options.port, tls: options.tls)
    }

    private func upgrading(_ request: Socket, path: String) -> Socket? {
        let upgrade = HTTPRequest(request, method: .get, path: path, isUpgrade: true)
        let isFull = peerCount >= options.peerCountMax
        switch isFull ? .refuse(HTTPResponse(status: 503, json: "{}")) : handlers.upgrade(upgrade) {
        case .refuse(let response):
            upgrade.refuse(response)
            return nil
        case .accept(let listen):
            return PeerSocket(WebSocketPeer(self), listen)
        }
    }
}
