// A response with a continuing body, such as an event stream.
//
// Bounds: the send queue, as of any connection, by `EventLoop.Options.queueBytesMax`. A client that accepts
// less than 64 KB of it in 20 s is disconnected.

import CLobTransport

/// The body of an answer in progress. Thread: the loop's.
package final class HTTPStream {
    /// The send queue has emptied.
    package var drained: () -> Void = {}
    /// The end, once.
    package var closed: () -> Void = {}
    private weak var socket: RequestSocket?

    init(_ socket: RequestSocket) {
        self.socket = socket
        socket.stream = self
    }

    /// Sends a piece of the body.
    ///
    /// - Returns: false, with nothing sent, if the client has gone or its send queue is full.
    package func send(_ bytes: [UInt8]) -> Bool { socket?.send(CT_RAW, bytes.span) ?? false }

    /// Bytes in the send queue.
    package var queuedBytes: Int { socket?.queuedBytes ?? 0 }

    /// Whether the send queue is not empty; `drained` will be called.
    package var isCongested: Bool { socket?.isCongested ?? false }

    /// The client's numeric address.
    package var address: String { socket?.peerAddress ?? "" }

    /// Who the client belongs to; see `HTTPRequest.owner`.
    package var owner: String { socket?.owner ?? "" }

    /// Ends the connection.
    package func end() { socket?.kill() }
}

/// The connection of a request.
final class RequestSocket: Socket {
    /// Receives further events if the answer continues.
    var stream: HTTPStream?
    /// The next look at how much of an answer has been taken.
    private var timer: LoopTimer?
    private weak var loop: EventLoop?

    /// What is given to the socket at a time.
    static let pieceBytes = 65_536

    /// Sees to it that an answer of which something waits is taken: a piece or what is left of it in each
    /// interval, and all of it in time.
    func watch(_ server: HTTPServer) {
        loop = server.loop
        let endNs = monotonicNs() + UInt64(server.options.answerLimitMs) * 1_000_000
        look(server.options.stallLimitMs, endNs, waiting: .max)
    }

    private func look(_ stallMs: Int, _ endNs: UInt64, waiting before: Int) {
        let (waiting, nowNs) = (queuedBytes, monotonicNs())
        if waiting == 0 { return timer = nil }
        if nowNs >= endNs || before - waiting < RequestSocket.pieceBytes { return kill() }
        let waitNs = min(UInt64(stallMs) * 1_000_000, endNs - nowNs)
        timer = loop?.after(waitNs) { [weak self] in self?.look(stallMs, endNs, waiting: waiting) }
    }

    override func drained() { stream?.drained() }

    override func closed(_ reason: ct_reason, _ text: String) {
        if let timer { loop?.cancel(timer) }
        let closed = stream?.closed
        stream = nil
        closed?()
    }
}
