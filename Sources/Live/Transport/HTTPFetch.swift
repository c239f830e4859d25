// One HTTP or HTTPS request of a client and its answer, with the body streamed. Each uses its own connection:
// this package requests a snapshot now and then, and a connection that is not kept cannot go stale.

import CLobTransport

/// A GET request in progress. Thread: its loop's. It stays alive until it has finished, even if nothing else
/// holds it.
package final class HTTPFetch {
    /// Limits of one request.
    package struct Options: Sendable {
        /// Most bytes of a body; a longer one ends the request.
        package var bodyBytesMax = 64 << 20
        /// Time limit for the whole request; it restarts for each address of the host if the request could
        /// not be sent.
        package var limitMs = 15_000
        /// Header lines to add.
        package var headers: [HTTPHeader] = []

        /// The defaults.
        package init() {}
    }

    /// Callbacks of the request.
    package struct Handlers {
        /// The status; from here on `HTTPFetch.header` returns headers.
        package var answered: (Int) -> Void = { _ in }
        /// A piece of the body as it arrived; the bytes are borrowed for the call.
        package var body: (Span<UInt8>) -> Void
        /// The end, once: nil after a whole body, whatever the status.
        package var finished: (TransportError?) -> Void

        /// Handlers of body and end.
        package init(body: @escaping (Span<UInt8>) -> Void, finished: @escaping (TransportError?) -> Void) {
            (self.body, self.finished) = (body, finished)
        }
    }

    let loop: EventLoop
    let url: ServiceURL
    let options: Options
    private(set) var handlers: Handlers
    private let dialer: Dialer
    private var socket: FetchSocket?
    private var limit: LoopTimer?

    /// Starts in the loop's next turn.
    package init(_ url: ServiceURL, on loop: EventLoop, options: Options = Options(), handlers: Handlers) {
        (self.loop, self.url, self.options, self.handlers) = (loop, url, options, handlers)
        dialer = Dialer(loop, url, backends: [.native], limitMs: options.limitMs)
        dialer.start(
            begin: { attempt throws(TransportError) in try self.begin(attempt) }, abandon: { self.abandon() },
            giveUp: { self.finish($0) })
    }

    /// A header of the answer by its lower-case name; nil if absent, before the answer and after the end.
    package func header(_ name: String) -> String? { socket?.header(name) }

    /// Gives up the request; `finished` is called.
    package func cancel() {
        if let socket, socket.isAnswered { socket.stop(.cancelled) } else { dialer.cancel() }
    }

    private func begin(_ attempt: Dialer.Attempt) throws(TransportError) {
        if url.isSecure && addressFamily(url.host) == 6 {
            throw .invalidURL("the certificate of a numeric IPv6 host cannot be checked")
        }
        var head = "GET \(url.path) HTTP/1.1\r\nHost: \(url.authority)\r\nConnection: close\r\n"
        for header in options.headers { head += "\(header.name): \(header.value)\r\n" }
        if head.utf8.count > Int(CT_HEAD_BYTES_MAX) {
            throw .invalidURL("request over \(CT_HEAD_BYTES_MAX) bytes")
        }
        let next = FetchSocket(self, address: attempt.address)
        try loop.connect(
            next,
            to: Target(
                kind: CT_HTTP, address: attempt.address, port: url.port, isSecure: url.isSecure,
                host: url.host,
                proxy: attempt.proxy, head: head), of: url)
        socket = next
    }

    /// The error of an attempt that is given up; nil if it was not open.
    private func abandon() -> TransportError? {
        // A request that has been sent is not sent again: the server may be slow and still count both.
        let isAsked = socket?.isAsked == true
        if isAsked { dialer.isLastAttempt = true }
        socket?.kill()
        socket = nil
        return isAsked ? .answerLate(afterMs: options.limitMs) : nil
    }

    func answered(_ socket: FetchSocket, status: Int) -> Bool {
        if socket !== self.socket { return false }
        dialer.opened()
        limit = loop.after(ms: options.limitMs) { [unowned self] in
            self.socket?.stop(.answerLate(afterMs: options.limitMs))
        }
        handlers.answered(status)
        return true
    }

    func failed(_ socket: FetchSocket, _ error: TransportError) {
        if socket !== self.socket { return }
        switch error {
        // The request had been sent.
        case .unanswered, .unansweredInPlain, .badAnswer: dialer.isLastAttempt = true
        default: break
        }
        dialer.failed(error)
    }

    func finished(_ socket: FetchSocket, _ error: TransportError?) {
        if socket === self.socket { finish(loop.isClosed ? .cancelled : error) }
    }

    private func finish(_ error: TransportError?) {
        if let limit { loop.cancel(limit) }
        socket = nil
        let finished = handlers.finished
        handlers = Handlers(body: { _ in }, finished: { _ in })
        finished(error)
    }
}

/// The connection of one request.
final class FetchSocket: Socket {
    private let fetch: HTTPFetch
    private let address: String
    private var bodyBytes = 0
    private var error: TransportError?
    private(set) var isAnswered = false

    init(_ fetch: HTTPFetch, address: String) {
        (self.fetch, self.address) = (fetch, address)
    }

    /// Ends the request early for this reason.
    func stop(_ reason: TransportError) {
        if error == nil { error = reason }
        kill()
    }

    override func answered(status: Int) -> Bool {
        isAnswered = true
        return fetch.answered(self, status: status)
    }

    override func received(_ bytes: Span<UInt8>) -> Bool {
        let isTooLong = bytes.count > fetch.options.bodyBytesMax - bodyBytes
        if !isTooLong { bodyBytes += bytes.count }
        if isTooLong {
            stop(.bodyTooLong(bytesMax: fetch.options.bodyBytesMax))
            return true
        }
        fetch.handlers.body(bytes)
        return true
    }

    override func closed(_ reason: ct_reason, _ text: String) {
        let outcome =
            reason == CT_COMPLETED
            ? nil : TransportError(reason, text: text, url: fetch.url, address: address)
        if isAnswered {
            fetch.finished(self, error ?? outcome)
        } else {
            fetch.failed(self, outcome ?? .unanswered)
        }
    }
}
