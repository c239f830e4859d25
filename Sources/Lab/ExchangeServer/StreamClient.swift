// One WebSocket client: its socket, its connection at the venue, and the message it is in the middle of.
//
//     state   | input                       | action                          | next
//     --------|-----------------------------|---------------------------------|-------
//     open    | text or ping of the venue   | sent                            | open
//     open    | the send queue is too long  | close 1008                      | closing
//     open    | close of the venue          | close frame, or cut off (1006)  | closing
//     open    | connection vanished         | nothing is read any more        | deaf
//     closing | anything                    | nothing                         | closing
//     deaf    | time is up                  | cut off                         | closing

import LobTransport
import SimulatedExchange

/// A client of the streams. Thread: the loop's.
final class StreamClient {
    enum State {
        case open
        case closing
        case deaf
    }

    let peer: WebSocketPeer
    let id: ConnectionID
    private(set) var state = State.open
    private let queuedBytesMax: Int
    private var pieces: [UInt8] = []

    init(_ peer: WebSocketPeer, _ id: ConnectionID, queuedBytesMax: Int) {
        (self.peer, self.id, self.queuedBytesMax) = (peer, id, queuedBytesMax)
    }

    /// Takes a piece of a client's message; returns the whole message with its last piece.
    func collect(_ bytes: Span<UInt8>, isFinal: Bool) -> [UInt8]? {
        for index in bytes.indices { pieces.append(bytes[index]) }
        if !isFinal { return nil }
        defer { pieces = [] }
        return pieces
    }

    /// Passes on what arrives from the venue.
    func pass(_ delivery: VenueDelivery, _ bytes: Span<UInt8>, counters: inout ExchangeCounters) {
        guard state == .open else { return }
        switch delivery {
        case .text:
            let isFull = peer.queuedBytes + bytes.count > queuedBytesMax
            if isFull || !peer.send(text: bytes) {
                // Refused with nothing queued: the loop is about to report that the client is gone.
                if peer.queuedBytes == 0 { return }
                counters.slowCount += 1
                return close(code: 1008, reason: "Client is too slow")
            }
            counters.messageCount += 1
            counters.messageBytes += bytes.count
        case .ping: _ = peer.ping(bytes.array)
        case .closed(let code): close(code: code, reason: String(decoding: bytes.array, as: UTF8.self))
        }
    }

    /// Ends the connection: 1006 without a close frame.
    func close(code: Int, reason: String) {
        if state == .closing { return }
        state = .closing
        if code == 1006 { peer.abort() } else { peer.close(code: UInt16(code), reason: reason) }
    }

    /// The connection has vanished: from now on nothing is read or sent.
    func vanish() {
        if state != .open { return }
        state = .deaf
        peer.stopReading()
    }
}

extension Span<UInt8> {
    /// The bytes as an array.
    var array: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for index in indices { bytes.append(self[index]) }
        return bytes
    }
}
