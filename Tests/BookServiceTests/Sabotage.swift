// What a meddler does to one connection, and how it reads the frames that pass.

/// What happens to one connection between a client and its venue.
enum Sabotage: Hashable, Sendable {
    /// Nothing: bytes pass both ways.
    case none
    /// It is reset as soon as it is accepted.
    case reset
    /// It is accepted and nothing ever comes.
    case silent
    /// Its request is answered with these bytes, then it is closed.
    case answer(String)
    /// Its request is answered with these bytes, then with this one again and again.
    case endless(String, UInt8)
    /// Of what the venue sends, the bytes from this one on come one at a time with a pause after each.
    case drip(fromByte: Int, everyUs: UInt32)
    /// After so many bytes of the venue nothing passes any more, either way.
    case vanish(afterBytes: Int)
    /// After so many bytes of the venue it is closed.
    case cut(afterBytes: Int)
    /// The handshake is answered with a wrong `Sec-WebSocket-Accept`.
    case wrongAccept
    /// These bytes come behind the handshake, before anything of the venue.
    case inject([UInt8])
    /// Requests of the client do not reach the venue; pings are answered.
    case swallowRequests
    /// So, and the request is refused with an error, flat or nested.
    case refuseRequests(isNested: Bool)
    /// It is closed when the client has sent its first request.
    case closeOnRequest
    /// The client's close frame does not reach the venue, and nothing comes any more; TCP stays up.
    case ignoreClose

    /// Whether the client's frames are looked at.
    var readsFrames: Bool {
        switch self {
        case .swallowRequests, .refuseRequests, .closeOnRequest, .ignoreClose: true
        case .none, .reset, .silent, .answer, .endless, .drip, .vanish, .cut, .wrongAccept, .inject: false
        }
    }

    /// Whether the head of the venue's answer is looked at.
    var changesAnswer: Bool {
        switch self {
        case .wrongAccept, .inject: true
        case .none, .reset, .silent, .answer, .endless, .drip, .vanish, .cut, .swallowRequests,
            .refuseRequests, .closeOnRequest, .ignoreClose:
            false
        }
    }
}

/// A frame as it passes from client to venue.
struct PassingFrame {
    /// All of it, as it came.
    var bytes: [UInt8]
    var opcode: UInt8
    var payload: [UInt8]

    var text: String { String(decoding: payload, as: UTF8.self) }

    /// The request's `"id":…`, as text.
    var requestID: String? {
        guard let at = text.range(of: "\"id\":") else { return nil }
        return String(text[at.upperBound...].prefix { $0.isNumber })
    }
}

/// Takes masked frames apart.
struct FrameSplitter {
    private var bytes: [UInt8] = []

    /// Whole frames, these bytes included.
    mutating func take(_ more: [UInt8]) -> [PassingFrame] {
        bytes += more
        var frames: [PassingFrame] = []
        while let frame = first() {
            bytes.removeFirst(frame.bytes.count)
            frames.append(frame)
        }
        return frames
    }

    private func first() -> PassingFrame? {
        if bytes.count < 2 { return nil }
        let short = Int(bytes[1] & 0x7F)
        let width = short == 126 ? 2 : short == 127 ? 8 : 0
        let head = 2 + width + 4
        if bytes.count < head { return nil }
        let length = width == 0 ? short : bytes[2..<2 + width].reduce(0) { $0 << 8 | Int($1) }
        if bytes.count < head + length { return nil }
        let mask = Array(bytes[(head - 4)..<head])
        let payload = bytes[head..<head + length].enumerated().map { $1 ^ mask[$0 & 3] }
        return PassingFrame(
            bytes: Array(bytes[..<(head + length)]), opcode: bytes[0] & 0x0F, payload: payload)
    }
}

/// An unmasked frame, as a venue sends it.
func serverFrame(_ opcode: UInt8, _ payload: [UInt8], claiming length: Int? = nil) -> [UInt8] {
    let length = length ?? payload.count
    var frame = [opcode | 0x80]
    let width = length < 126 ? 0 : length < 65_536 ? 2 : 8
    frame.append(width == 0 ? UInt8(length) : width == 2 ? 126 : 127)
    for place in (0..<width).reversed() { frame.append(UInt8(truncatingIfNeeded: length >> (8 * place))) }
    return frame + payload
}

func serverText(_ text: String) -> [UInt8] { serverFrame(1, Array(text.utf8)) }

/// An answer to a request that is not a venue's usual one.
func httpAnswer(_ status: String, _ headers: [String] = [], _ body: String = "") -> String {
    (["HTTP/1.1 \(status)"] + headers + ["Content-Length: \(body.utf8.count)", "Connection: close"])
        .joined(separator: "\r\n") + "\r\n\r\n" + body
}
