// Finds the messages the feed must read itself. Nearly every message shows in its first piece that it is data
// and is never looked at again; the others are rare, short and usually whole.
//
// | state     | piece                                | next            | of its last piece |
// | --------- | ------------------------------------ | --------------- | ----------------- |
// | start     | shows data                           | carrying        | nothing to read   |
// | start     | shows control, or is the last one    | gathering       | whole             |
// | start     | too short to tell                    | gathering       |                   |
// | gathering | the message now shows data           | carrying        | nothing to read   |
// | gathering | too much                             | tooLong         | tooLong           |
// | gathering | otherwise                            | gathering       | gathered          |
// | carrying  | any                                  | carrying        | nothing to read   |
// | tooLong   | any                                  | tooLong         | tooLong           |
//
// After the last piece the state is `start`.

import BinanceVenue

/// Looks at the pieces of one connection's messages.
struct ControlReader {
    /// Where a complete control message is.
    enum Result: Hashable {
        /// The current piece is all of it.
        case whole
        /// It is in `gathered`.
        case gathered
        /// It is too long to be one.
        case tooLong
    }

    private enum State {
        case start, carrying, gathering, tooLong
    }

    /// Longest control message read.
    static let bytesMax = 65_536

    private var state = State.start
    /// The pieces so far of a message not known to be data.
    private(set) var gathered: [UInt8] = []

    /// Examines a piece; at the last one of a control message says where the message is.
    ///
    /// - Complexity: O(1) for data.
    @inline(__always)
    mutating func look(_ piece: Span<UInt8>, isFinal: Bool) -> Result? {
        switch state {
        case .start:
            if MessageClass(piece) == .data {
                state = isFinal ? .start : .carrying
                return nil
            }
            gathered.removeAll(keepingCapacity: true)
            return isFinal ? .whole : gather(piece, isFinal: false)
        case .carrying:
            if isFinal { state = .start }
            return nil
        case .gathering, .tooLong: return gather(piece, isFinal: isFinal)
        }
    }

    @inline(never)
    private mutating func gather(_ piece: Span<UInt8>, isFinal: Bool) -> Result? {
        if state != .tooLong && gathered.count + piece.count <= ControlReader.bytesMax {
            for index in piece.indices { gathered.append(piece[index]) }
            state = MessageClass(gathered.span) == .data ? .carrying : .gathering
        } else {
            state = .tooLong
        }
        if !isFinal { return nil }
        defer { state = .start }
        switch state {
        case .start, .carrying: return nil
        case .gathering: return .gathered
        case .tooLong: return .tooLong
        }
    }
}
