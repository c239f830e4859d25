// One TCP conversation of a packet capture: the requests of the client, and the answers and WebSocket
// messages of the server.
//
// Segments are taken in order; repeated bytes are skipped. After missing bytes nothing can be read any more,
// because nothing in a stream of frames shows where one begins: the conversation is abandoned, which is
// reported. Of requests only depth snapshots matter; their answers become lines in an envelope that names the
// symbol.
//
// Bounds: a head of 64 KiB, a message or an answer of `CaptureReader.lineBytesMax`, 256 waiting requests.

import MarketData

/// A message of a packet capture.
struct PacketMessage {
    /// The message, or the envelope of a REST depth body.
    var bytes: [UInt8]
    /// Time of the packet in which it begins.
    var atNs: Int64
    /// Number of that packet, from 1, and the offset of its record in the file.
    var (packet, offset) = (0, 0)
}

/// The packet being processed.
struct PacketPlace {
    var atNs: Int64
    var number: Int
    var offset: Int
}

/// A conversation between a client and a server.
struct PacketConversation {
    /// Bytes of one direction that are not yet complete.
    private struct Direction {
        var bytes: [UInt8] = []
        /// Offset of the first unused byte.
        var head = 0
        /// Sequence number of the next byte; nil before the first segment.
        var next: UInt32?
        /// The packet that contains the byte at `head`.
        var began = PacketPlace(atNs: 0, number: 0, offset: 0)

        var count: Int { bytes.count - head }

        mutating func use(_ count: Int) {
            head += count
            if head == bytes.count || head > 1 << 16 {
                bytes.removeFirst(head)
                head = 0
            }
        }
    }

    /// A request that has no answer yet.
    private struct Request {
        var target: Substring
    }

    private static let headBytesMax = 1 << 16
    private static let requestCountMax = 256

    /// The end that opened the conversation.
    let client: PacketSegment.End
    private var sent = Direction()
    private var received = Direction()
    private var requests: [Request] = []
    /// Bytes of the body of a request that are still to come.
    private var skipping = 0
    private var isWebSocket = false
    /// The beginning of a message that consists of several frames.
    private var partial: (bytes: [UInt8], place: PacketPlace)?
    /// Whether the checksums of its packets are right; nil before the first packet.
    private var isChecked: Bool?
    /// Why nothing more of it can be read; nil while it can.
    private(set) var trouble: String?
    /// Number of its ends that will send nothing more.
    private(set) var endCount = 0

    /// A conversation opened by this end.
    init(client: PacketSegment.End) { self.client = client }

    /// Number of bytes kept.
    var keptBytes: Int { sent.bytes.count + received.bytes.count + (partial?.bytes.count ?? 0) }

    /// Takes a segment of this conversation.
    ///
    /// - Parameters:
    ///   - segment: the segment.
    ///   - packet: the packet that contains it.
    ///   - place: where that packet is.
    ///   - messages: gets the complete messages.
    mutating func take(
        _ segment: PacketSegment, _ packet: [UInt8], _ place: PacketPlace, _ messages: inout [PacketMessage]
    ) {
        if segment.isReset { endCount = 2 }
        if trouble != nil { return }
        // Network cards compute the checksums of what their own host sends, so captures contain wrong ones:
        // such a conversation is accepted as it is.
        if let isRight = segment.isRight {
            isChecked = isChecked ?? isRight
            if isChecked == true && !isRight {
                return give(up: "the check of packet \(place.number) is wrong")
            }
        }
        let isClient = segment.from == client
        if segment.isEnding { endCount += 1 }
        guard let fresh = accept(segment, packet, isClient: isClient, place) else { return }
        if fresh.isEmpty { return }
        if isClient {
            if isWebSocket { return }
            sent.bytes += fresh
            readRequests()
        } else {
            if received.count == 0 { received.began = place }
            received.bytes += fresh
            readAnswers(place, &messages)
        }
    }

    private mutating func give(up reason: String) {
        trouble = reason
        (sent, received, requests, partial) = (Direction(), Direction(), [], nil)
    }

    /// The new bytes of a segment; nil if some before them are missing.
    private mutating func accept(
        _ segment: PacketSegment, _ packet: [UInt8], isClient: Bool, _ place: PacketPlace
    ) -> ArraySlice<UInt8>? {
        let next = isClient ? sent.next : received.next
        let first = segment.sequence &+ (segment.isOpening ? 1 : 0)
        let payload = packet[segment.payload]
        let ahead = next.map { Int(Int32(bitPattern: first &- $0)) } ?? 0
        if ahead > 0 {
            give(up: "\(ahead) bytes of a conversation are missing before packet \(place.number)")
            return nil
        }
        let fresh = payload.dropFirst(-ahead)
        let end = (next ?? first) &+ UInt32(fresh.count)
        if isClient { sent.next = end } else { received.next = end }
        return fresh
    }

    // MARK: - Requests

    private mutating func readRequests() {
        while trouble == nil {
            if skipping > 0 {
                let step = min(skipping, sent.count)
                sent.use(step)
                skipping -= step
            }
            if skipping > 0 || sent.count == 0 { return }
            guard let head = head(of: sent) else { return }
            sent.use(head.length)
            let words = head.first.split(separator: " ")
            guard words.count >= 2, requests.count < PacketConversation.requestCountMax else {
                return give(up: "what its client sends are no requests")
            }
            requests.append(Request(target: words[1]))
            skipping = head.bodyLength ?? 0
        }
    }

    private struct Head {
        var first: String
        var length: Int
        var bodyLength: Int?
        var isChunked = false
    }

    /// The HTTP head at the front; nil if it is incomplete or is not one.
    private mutating func head(of direction: Direction) -> Head? {
        let bytes = direction.bytes[direction.head...].prefix(PacketConversation.headBytesMax)
        var end: Int?
        for index in bytes.indices.dropFirst(3)
        where bytes[index] == 0x0A && bytes[index - 1] == 0x0D && bytes[index - 2] == 0x0A {
            end = index + 1
            break
        }
        guard let end else {
            if bytes.count == PacketConversation.headBytesMax { give(up: "it is not HTTP") }
            return nil
        }
        let text = String(decoding: bytes[..<end], as: UTF8.self)
        let lines = text.split(separator: "\r\n")
        var head = Head(first: String(lines.first ?? ""), length: end - direction.head)
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            switch line[..<colon].lowercased() {
            case "content-length": head.bodyLength = Int(value) ?? -1
            case "transfer-encoding": head.isChunked = true
            default: break
            }
        }
        if head.isChunked || (head.bodyLength ?? 0) < 0
            || (head.bodyLength ?? 0) > CaptureReader.lineBytesMax
        {
            give(up: "an answer without a length that can be")
            return nil
        }
        return head
    }

    // MARK: - Answers

    private mutating func readAnswers(_ place: PacketPlace, _ messages: inout [PacketMessage]) {
        while trouble == nil && received.count > 0 {
            let before = received.count
            if isWebSocket { readFrame(&messages) } else { readAnswer(&messages) }
            if received.count == before || trouble != nil { return }
            received.began = place
        }
    }

    private mutating func readAnswer(_ messages: inout [PacketMessage]) {
        if received.bytes[received.head] != UInt8(ascii: "H") {
            return give(up: "the beginning of a conversation is not in the capture")
        }
        guard let head = head(of: received) else { return }
        let length = head.length + (head.bodyLength ?? 0)
        if received.count < length { return }
        let request = requests.isEmpty ? nil : requests.removeFirst()
        let words = head.first.split(separator: " ")
        let status = words.count > 1 ? words[1] : ""
        if status == "101" {
            isWebSocket = true
            sent = Direction()
        } else if status == "200",
            let body = PacketConversation.line(
                request?.target, received.bytes[(received.head + head.length)..<(received.head + length)])
        {
            messages.append(message(body, received.began))
        }
        received.use(status == "101" ? head.length : length)
    }

    /// The body of a depth snapshot in an envelope with its symbol; nil if it is something else.
    private static func line(_ target: Substring?, _ body: ArraySlice<UInt8>) -> [UInt8]? {
        guard let target else { return Array(body) }
        let parts = target.split(separator: "?", maxSplits: 1)
        guard let path = parts.first, path.hasSuffix("/depth") else { return nil }
        for item in parts.dropFirst().first?.split(separator: "&") ?? [] where item.hasPrefix("symbol=") {
            let name = item.dropFirst("symbol=".count)
            let isName = name.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                    || (0x61...0x7A).contains(byte)
            }
            if isName, let symbol = SymbolName(String(name)), !symbol.isEmpty {
                return Array("{\"symbol\":\"\(symbol)\",\"data\":".utf8) + body + [UInt8(ascii: "}")]
            }
        }
        return Array(body)
    }

    private func message(_ bytes: [UInt8], _ place: PacketPlace) -> PacketMessage {
        PacketMessage(bytes: bytes, atNs: place.atNs, packet: place.number, offset: place.offset)
    }

    // MARK: - Frames

    private mutating func readFrame(_ messages: inout [PacketMessage]) {
        let bytes = received.bytes[received.head...]
        guard let frame = WebSocketHead(bytes) else { return }
        if let why = frame.refusal { return give(up: why) }
        if bytes.count < frame.length + frame.payloadLength { return }
        let first = bytes.startIndex + frame.length
        var payload = Array(bytes[first..<(first + frame.payloadLength)])
        if let mask = frame.mask { for index in payload.indices { payload[index] ^= mask[index & 3] } }
        let place = received.began
        received.use(frame.length + frame.payloadLength)
        switch frame.opcode {
        case 0:
            guard let begun = partial else { return give(up: "a frame that continues none") }
            if begun.bytes.count + payload.count > CaptureReader.lineBytesMax {
                return give(up: "a message of more than \(CaptureReader.lineBytesMax) bytes")
            }
            partial?.bytes += payload
        case 1, 2: partial = (payload, place)
        default: return
        }
        if !frame.isFinal { return }
        if let whole = partial { messages.append(message(whole.bytes, whole.place)) }
        partial = nil
    }
}

/// What precedes the payload of a WebSocket frame.
struct WebSocketHead {
    var opcode: UInt8
    var isFinal: Bool
    var mask: [UInt8]?
    /// Length of the head itself.
    var length: Int
    var payloadLength: Int
    /// Why the frame cannot be read; nil if it can.
    var refusal: String?

    /// The head at the front of these bytes; nil if it is incomplete.
    init?(_ bytes: ArraySlice<UInt8>) {
        let at = bytes.startIndex
        if bytes.count < 2 { return nil }
        let (first, second) = (bytes[at], bytes[at + 1])
        (opcode, isFinal) = (first & 15, first & 0x80 != 0)
        let extra = second & 0x7F == 126 ? 2 : second & 0x7F == 127 ? 8 : 0
        let maskLength = second & 0x80 == 0 ? 0 : 4
        length = 2 + extra + maskLength
        if bytes.count < length { return nil }
        var size: UInt64 = UInt64(second & 0x7F)
        if extra > 0 {
            size = bytes[(at + 2)..<(at + 2 + extra)].reduce(0) { $0 << 8 | UInt64($1) }
        }
        if maskLength > 0 { mask = Array(bytes[(at + 2 + extra)..<(at + length)]) }
        payloadLength = Int(min(size, UInt64(CaptureReader.lineBytesMax)))
        if first & 0x70 != 0 {
            refusal = "messages are compressed"
        } else if ![0, 1, 2, 8, 9, 10].contains(opcode) {
            refusal = "a frame of unknown kind \(opcode)"
        } else if size > UInt64(CaptureReader.lineBytesMax) {
            refusal = "a message of more than \(CaptureReader.lineBytesMax) bytes"
        }
    }
}
