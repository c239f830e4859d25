// Which messages a feed must read itself. All others it only forwards: they go into the ring unchanged, and
// the engine's parser reads them.
//
// Twelve bytes decide. Market data starts in one of five ways; a reply, a notice or anything unknown does
// not, and is parsed by `ControlMessage`. Taking data for control costs a parse; taking control for data
// would lose a reply. So only certain cases count as data.

/// What the first bytes of a message say about who must read it.
package enum MessageClass: Hashable, Sendable {
    /// Market data of a stream, or a snapshot.
    case data
    /// Anything else: a reply, a notice, something unknown.
    case control
    /// Too few bytes to tell. A whole message this short is not data.
    case undecided

    /// This many bytes always decide.
    package static var headBytes: Int { 12 }

    /// The class of a message that starts with these bytes.
    ///
    /// - Complexity: O(1); allocates nothing.
    package init(_ head: Span<UInt8>) {
        if head.count < MessageClass.headBytes {
            self = .undecided
            return
        }
        let first = MessageClass.word(head, 0)
        let next = MessageClass.word(head, 4) >> 32
        let isData =
            switch first {
            case 0x6D61_6572_7473_227B:  // {"stream
                // The name must be a plain one: notices come in a stream whose name starts with "!".
                next & 0xFF_FFFF == 0x22_3A22 && next >> 24 != 0x21 && next >> 24 != 0x5C
            case 0x6564_223A_2265_227B: next == 0x5568_7470  // {"e":"de pthU
            case 0x6F62_223A_2265_227B: next == 0x6954_6B6F  // {"e":"bo okTi
            case 0x7055_7473_616C_227B: next == 0x6574_6164  // {"lastUp date
            case _: first & 0xFF_FFFF_FFFF == 0x3A_2275_227B  // {"u":
            }
        self = isData ? .data : .control
    }

    /// Eight bytes, the first one lowest.
    @inline(__always)
    private static func word(_ head: Span<UInt8>, _ at: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<8 { word |= UInt64(head[at &+ index]) &<< UInt64(8 &* index) }
        return word
    }
}
