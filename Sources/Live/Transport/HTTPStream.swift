// A response whose body goes on, such as a stream of events.
//
// Bounds: what waits for the socket is bounded as of any connection by `EventLoop.Options.queueBytesMax`. A
// client that takes nothing of what waits for half a minute is disconnected.

import CLobTransport

/// The body of an answer in progress. Thread: the loop's.
package final class HTTPStream {
    /// The queue that waited for the socket is empty.
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
    /// - Returns: false if the client has gone or its send queue is full; nothing was sent then.
    package func send(_ bytes: [UInt8]) -> Bool { socket?.send(CT_RAW, bytes.span) ?? false }

    /// Bytes that wait in the send queue.
    package var queuedBytes: Int { socket?.queuedBytes ?? 0 }

    /// Whether something waits for the socket; `drained` will be called.
    package var isCongested: Bool { socket?.isCongested ?? false }

    /// The client's numeric address.
    package var address: String { socket?.peerAddress ?? "" }

    /// Ends the connection.
    package func end() { socket?.kill() }
}

/// The connection of a request.
final class RequestSocket: Socket {
    /// Who is told of the rest, if the answer goes on.
    var stream: HTTPStream?

    override func drained() { stream?.drained() }

    override func closed(_ reason: ct_reason, _ text: String) {
        let closed = stream?.closed
        stream = nil
        closed?()
    }
}
