// What is on its way to one client: the bytes in one array, and when each piece arrives.
//
// Pieces are delivered in order of arrival, those with equal times in order of sending. A piece that
// overtakes others is inserted among them; the bytes stay where they are.
//
// Bounded by the venue: beyond `queuedBytesMax` undelivered bytes it closes the connection, as the real venue
// drops a client that does not read. Memory at the front is released whenever a quarter of it is used up.

/// What arrives on a connection.
package enum VenueDelivery: Hashable, Sendable {
    /// A text frame, with its bytes.
    case text
    /// A ping of the server; it must be answered, and shows that the connection is alive.
    case ping
    /// The end, with the close code of RFC 6455; 1006 if the connection broke without a close frame.
    case closed(code: Int)
}

/// The queue of one connection.
struct VenueQueue: Sendable {
    private struct Piece {
        var dueUs: Int64
        var delivery: VenueDelivery
        var start: Int
        var length: Int
    }

    /// The bytes of all pieces; `begin` and `end` enclose what is appended.
    var bytes: [UInt8] = []
    private var pieces: [Piece] = []
    private var head = 0

    /// Undelivered bytes.
    private(set) var queuedBytes = 0

    /// When the next piece arrives; nil if none is on its way.
    var nextUs: Int64? { head < pieces.count ? pieces[head].dueUs : nil }

    /// Where the bytes of the next piece start.
    func begin() -> Int { bytes.count }

    /// Adds a piece consisting of the bytes appended since `begin`.
    mutating func end(_ delivery: VenueDelivery, start: Int, dueUs: Int64) {
        let piece = Piece(dueUs: dueUs, delivery: delivery, start: start, length: bytes.count - start)
        queuedBytes += piece.length
        var index = pieces.count
        while index > head && pieces[index - 1].dueUs > dueUs { index -= 1 }
        pieces.insert(piece, at: index)
    }

    /// Removes what would arrive after a time.
    mutating func drop(afterUs timeUs: Int64) {
        while head < pieces.count, let last = pieces.last, last.dueUs > timeUs {
            queuedBytes -= last.length
            pieces.removeLast()
        }
    }

    /// Delivers everything that has arrived by a time.
    mutating func deliver(untilUs timeUs: Int64, to body: (Int64, VenueDelivery, Span<UInt8>) -> Void) {
        while head < pieces.count && pieces[head].dueUs <= timeUs {
            let piece = pieces[head]
            head += 1
            queuedBytes -= piece.length
            body(
                piece.dueUs, piece.delivery, bytes.span.extracting(piece.start..<(piece.start + piece.length))
            )
        }
        compact()
    }

    private mutating func compact() {
        if head == pieces.count {
            pieces.removeAll(keepingCapacity: true)
            bytes.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 256 && head > pieces.count / 4 {
            pieces.removeFirst(head)
            head = 0
            let start = pieces.reduce(bytes.count) { min($0, $1.start) }
            if start < bytes.count / 4 { return }
            bytes.removeFirst(start)
            for index in pieces.indices { pieces[index].start -= start }
        }
    }
}
