// Whether the text of a message is UTF-8, piece by piece (RFC 3629): no overlong form, no surrogate, nothing
// beyond U+10FFFF, and no character that is cut off by the end.

/// Checks the messages of one peer.
struct UTF8Check {
    /// Bytes that the character at hand still has, and what the next of them may be.
    private var missing = 0
    private var next: ClosedRange<UInt8> = 0x80...0xBF

    /// Whether the message may go on like this, or end. After a false one, nothing more is to be asked.
    ///
    /// - Parameters:
    ///   - bytes: the next piece.
    ///   - isFinal: whether it is the last; what comes next is another message.
    mutating func admits(_ bytes: Span<UInt8>, isFinal: Bool) -> Bool {
        for index in bytes.indices where !admits(bytes[index]) { return false }
        return !isFinal || missing == 0
    }

    private mutating func admits(_ byte: UInt8) -> Bool {
        if missing > 0 {
            if !next.contains(byte) { return false }
            (missing, next) = (missing - 1, 0x80...0xBF)
            return true
        }
        switch byte {
        case 0x00...0x7F: return true
        case 0xC2...0xDF: missing = 1
        case 0xE0: (missing, next) = (2, 0xA0...0xBF)
        case 0xED: (missing, next) = (2, 0x80...0x9F)
        case 0xE1...0xEF: missing = 2
        case 0xF0: (missing, next) = (3, 0x90...0xBF)
        case 0xF1...0xF3: missing = 3
        case 0xF4: (missing, next) = (3, 0x80...0x8F)
        default: return false
        }
        return true
    }
}
