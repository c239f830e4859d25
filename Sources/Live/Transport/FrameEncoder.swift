// Frames as a client sends them: always masked, always whole. Sending is rare here (subscriptions, pongs,
// close), so clarity beats speed.

/// Opcodes a client sends.
enum SentOpcode: UInt8 {
    case text = 1
    case close = 8
    case ping = 9
    case pong = 10
}

/// Appends one masked frame.
///
/// - Parameters:
///   - mask: four unpredictable bytes (RFC 6455 10.3).
///   - frames: the output.
/// - Precondition: at most 125 bytes for a control frame.
func appendFrame(_ opcode: SentOpcode, _ payload: Span<UInt8>, mask: UInt32, to frames: inout [UInt8]) {
    precondition(opcode == .text || payload.count <= 125)
    frames.append(0x80 | opcode.rawValue)
    if payload.count <= 125 {
        frames.append(0x80 | UInt8(payload.count))
    } else {
        let lengthBytes = payload.count <= 0xFFFF ? 2 : 8
        frames.append(0x80 | (lengthBytes == 2 ? 126 : 127))
        for place in (0..<lengthBytes).reversed() {
            frames.append(UInt8(truncatingIfNeeded: payload.count >> (8 * place)))
        }
    }
    for place in (0..<4).reversed() { frames.append(UInt8(truncatingIfNeeded: mask >> (8 * UInt32(place)))) }
    for index in payload.indices {
        frames.append(payload[index] ^ UInt8(truncatingIfNeeded: mask >> (24 - 8 * UInt32(index & 3))))
    }
}

/// The payload of a close frame; the reason is truncated to fit.
func closePayload(code: UInt16, reason: String) -> [UInt8] {
    var payload = [UInt8(code >> 8), UInt8(truncatingIfNeeded: code)]
    for character in reason where payload.count + character.utf8.count <= 125 {
        payload.append(contentsOf: character.utf8)
    }
    return payload
}
