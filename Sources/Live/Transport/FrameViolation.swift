// Violations of RFC 6455 by a peer.

/// A rule of RFC 6455 broken by the peer.
public enum FrameFault: Hashable, Sendable {
    /// A reserved bit is set and no extension was agreed on (5.2).
    case reservedBits
    /// An opcode without a meaning (5.2).
    case reservedOpcode(UInt8)
    /// A server must not mask (5.1).
    case masked
    /// A control frame longer than 125 bytes (5.5).
    case controlTooLong
    /// A control frame in fragments (5.5).
    case controlFragmented
    /// A continuation without a message to continue (5.4).
    case continuationOfNothing
    /// A new message before the last one was finished (5.4).
    case messageUnfinished
    /// A length not in its shortest form, or with its highest bit set (5.2).
    case lengthInvalid
    /// The message exceeds this side's limit.
    case messageTooLong(bytesMax: Int)
    /// Text that is not UTF-8 (8.1).
    case textInvalid
    /// A compressed message that cannot be decompressed (RFC 7692 7.2.2).
    case notUnpacked
    /// A close frame of one byte, or with an illegal code (5.5.1, 7.4).
    case closeInvalid

    /// The close code that answers it.
    public var closeCode: UInt16 {
        switch self {
        case .messageTooLong: 1009
        case .textInvalid, .notUnpacked: 1007
        default: 1002
        }
    }
}

/// A broken rule and its position.
public struct FrameViolation: Error, Hashable, Sendable {
    /// The rule.
    public let fault: FrameFault
    /// Offset of the offending byte in the stream after the handshake.
    public let offset: UInt64
}
