// RFC 6455 framing on the client side: bytes in, pieces of messages out, without a copy and without a socket.
//
// Why this shape: a socket read may end anywhere, so the decoder keeps only the current frame's header and a
// position. Payload stays where it arrived and is identified by its place in the given bytes. Only control
// frames are collected (at most 125 bytes), because answering needs them whole.
//
// Invariants
// * Between two calls `remaining` bytes of the current frame are still to come, and `phase` names the byte
//   awaited.
// * A message never exceeds `messageBytesMax`: it is rejected at the header, before any excess byte is
//   delivered.
// * After a violation or a close frame nothing more is decoded; the caller stops.
// Text is not checked for UTF-8: its only reader is a parser that takes bytes and rejects what it does not
// know. Worst case: one-byte frames, some 10 ns each.

/// The receiving half of a WebSocket client.
struct FrameDecoder {
    /// The next item decoded.
    enum Step: Hashable {
        /// All bytes are consumed.
        case needsMore
        /// A piece of a message: this many of the given bytes, from this position.
        case fragment(start: Int, count: Int, isFinal: Bool)
        /// A whole ping; its payload is `control[0 ..< controlCount]`.
        case ping
        /// A whole pong, likewise.
        case pong
        /// The close frame, likewise; `closeCode` reads it.
        case close
    }

    private enum Opcode: UInt8 {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10

        var isControl: Bool { rawValue >= 8 }
    }

    private enum Phase { case opcode, length, length16, length64, payload, control }

    /// Most bytes of one message, all fragments together.
    let messageBytesMax: Int
    /// Payload of the last control frame.
    private(set) var control = InlineArray<125, UInt8>(repeating: 0)
    /// Its length.
    private(set) var controlCount = 0

    private var phase = Phase.opcode
    private var opcode = Opcode.continuation
    private var isLastFrame = false
    private var isInMessage = false
    /// Bytes still to come, of the payload or of an extended length.
    private var remaining = 0
    private var extendedLength: UInt64 = 0
    private var messageBytes = 0
    /// Bytes of the previous calls.
    private var streamBytes: UInt64 = 0

    /// A decoder at the first byte after the handshake.
    ///
    /// - Precondition: `messageBytesMax > 0`.
    init(messageBytesMax: Int) {
        precondition(messageBytesMax > 0)
        self.messageBytesMax = messageBytesMax
    }

    /// Decodes up to the next item to act on.
    ///
    /// - Parameters:
    ///   - bytes: the result of one read.
    ///   - position: where to continue; 0 at first, advanced past what was consumed.
    /// - Throws: the first broken rule; the decoder must not be used after it.
    /// - Complexity: O(header); payload is not inspected. Allocates nothing.
    mutating func next(_ bytes: Span<UInt8>, from position: inout Int) throws(FrameViolation) -> Step {
        while true {
            switch phase {
            case .payload:
                let count = min(remaining, bytes.count - position)
                if count == 0 && remaining > 0 { return needMore(than: bytes) }
                let start = position
                position += count
                remaining -= count
                if remaining == 0 { phase = .opcode }
                return .fragment(start: start, count: count, isFinal: isLastFrame && remaining == 0)
            case .control:
                while remaining > 0 && position < bytes.count {
                    control[controlCount] = bytes[position]
                    controlCount += 1
                    remaining -= 1
                    position += 1
                }
                if remaining > 0 { return needMore(than: bytes) }
                phase = .opcode
                return try finishControl(at: position)
            case .opcode, .length, .length16, .length64:
                if position == bytes.count { return needMore(than: bytes) }
                try readHeader(bytes[position], at: position)
                position += 1
            }
        }
    }

    /// The code of the close frame just decoded; nil if it carried none.
    var closeCode: UInt16? {
        controlCount < 2 ? nil : UInt16(control[0]) << 8 | UInt16(control[1])
    }

    private mutating func needMore(than bytes: Span<UInt8>) -> Step {
        streamBytes += UInt64(bytes.count)
        return .needsMore
    }

    private func violation(_ fault: FrameFault, at position: Int) -> FrameViolation {
        FrameViolation(fault: fault, offset: streamBytes + UInt64(position))
    }

    private mutating func readHeader(_ byte: UInt8, at position: Int) throws(FrameViolation) {
        switch phase {
        case .opcode: try beginFrame(byte, at: position)
        case .length: try beginLength(byte, at: position)
        case .length16, .length64:
            extendedLength = extendedLength << 8 | UInt64(byte)
            remaining -= 1
            if remaining > 0 { return }
            let shortest: UInt64 = phase == .length16 ? 126 : 65536
            if extendedLength < shortest || extendedLength > UInt64(Int64.max) {
                throw violation(.lengthInvalid, at: position)
            }
            try beginPayload(Int(extendedLength), at: position)
        case .payload, .control: preconditionFailure("not inside a header")
        }
    }

    private mutating func beginFrame(_ byte: UInt8, at position: Int) throws(FrameViolation) {
        if byte & 0x70 != 0 { throw violation(.reservedBits, at: position) }
        guard let opcode = Opcode(rawValue: byte & 0x0F) else {
            throw violation(.reservedOpcode(byte & 0x0F), at: position)
        }
        let isLast = byte & 0x80 != 0
        switch opcode {
        case .continuation:
            if !isInMessage { throw violation(.continuationOfNothing, at: position) }
        case .text, .binary:
            if isInMessage { throw violation(.messageUnfinished, at: position) }
            messageBytes = 0
        case .close, .ping, .pong:
            if !isLast { throw violation(.controlFragmented, at: position) }
        }
        self.opcode = opcode
        if !opcode.isControl {
            isLastFrame = isLast
            isInMessage = !isLast
        }
        phase = .length
    }

    private mutating func beginLength(_ byte: UInt8, at position: Int) throws(FrameViolation) {
        if byte & 0x80 != 0 { throw violation(.masked, at: position) }
        if byte > 125 && opcode.isControl { throw violation(.controlTooLong, at: position) }
        if byte <= 125 { return try beginPayload(Int(byte), at: position) }
        extendedLength = 0
        phase = byte == 126 ? .length16 : .length64
        remaining = byte == 126 ? 2 : 8
    }

    private mutating func beginPayload(_ length: Int, at position: Int) throws(FrameViolation) {
        remaining = length
        if opcode.isControl {
            controlCount = 0
            phase = .control
            return
        }
        if length > messageBytesMax - messageBytes {
            throw violation(.messageTooLong(bytesMax: messageBytesMax), at: position)
        }
        messageBytes += length
        phase = .payload
    }

    private func finishControl(at position: Int) throws(FrameViolation) -> Step {
        switch opcode {
        case .ping: return .ping
        case .pong: return .pong
        case .close, .continuation, .text, .binary:
            let isCodeWrong = closeCode.map { !isSendable(closeCode: $0) } ?? (controlCount == 1)
            if isCodeWrong { throw violation(.closeInvalid, at: position - 1) }
            return .close
        }
    }
}

/// Whether a close frame may carry this code (RFC 6455 7.4 and the registry it founded).
func isSendable(closeCode: UInt16) -> Bool {
    (1000...1003).contains(closeCode) || (1007...1014).contains(closeCode)
        || (3000...4999).contains(closeCode)
}
