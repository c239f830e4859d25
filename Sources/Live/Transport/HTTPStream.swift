// A response with a continuing body, such as an event stream.
//
// Bounds: the send queue, as of any connection, by `EventLoop.Options.queueBytesMax`. A client that accepts
// nothing of it for half a minute is disconnected.

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

    /// Ends the connection.
    package func end() { socket?.kill() }
}

/// The connection of a request.
final class RequestSocket: Socket {
    /// Receives further events if the answer continues.
    var stream: HTTPStream?

    override func drained() { stream?.drained() }

    override func closed(_ reason: ct_reason, _ text: String) {
        let closed = stream?.closed
        stream = nil
        closed?()
    }
}
