// Writes a packet capture: frames of a feed as the packets of synthetic TCP conversations, which Wireshark
// and cryptofeed can open.
//
// Each connection of the feed is a conversation: opened by its own three segments, then the request and the
// response of a WebSocket, then every message as one frame of the server in segments as long as IP allows,
// closed by three. REST depth bodies are the responses of one further conversation, each after its request.
// Ports, headers and the order of packets are those of cryptofeed's captures. Times are receive times, the
// same for all packets of a message.

import MarketData

/// Makes packets. Used by one thread at a time.
package struct PacketWriter {
    /// Names used in the conversations.
    package struct Names: Sendable {
        /// Name of the venue, as cryptofeed writes it.
        var exchange: String
        /// URL of the stream, with its scheme.
        var streamURL: String
        /// URL of a depth snapshot, up to the name of the symbol.
        var depthURL: String

        /// These names.
        ///
        /// - Parameters:
        ///   - exchange: the venue, as cryptofeed writes it.
        ///   - streamURL: URL of the stream, with its scheme.
        ///   - depthURL: URL of a depth snapshot, up to the name of the symbol.
        package init(exchange: String, streamURL: String, depthURL: String) {
            (self.exchange, self.streamURL, self.depthURL) = (exchange, streamURL, depthURL)
        }
    }

    /// The state of a conversation.
    private struct Conversation {
        var port: UInt16
        var clientNext: UInt32 = 0
        var serverNext: UInt32 = 0
        var packets: UInt16 = 0
    }

    private enum Bits {
        static let (end, open, push, answer): (UInt8, UInt8, UInt8, UInt8) = (1, 2, 8, 16)
    }

    /// Maximum length of a segment's payload: no IP packet is longer than 65 535.
    static let segmentBytesMax = 65_495
    private static let firstPort: UInt16 = 40_000
    /// Maximum number of connections of a feed at one time; further ones are written into the last.
    private static let connectionCountMax = 4096
    private static let (key, acceptance) = ("bG9jYWwgb3JkZXIgYm9vaw==", "BHVDBY03aAr7FpBoxShnO8MdSYw=")

    private let names: Names
    private let write: ([UInt8]) -> Void
    private var connections: [UInt32: Conversation] = [:]
    private var requests: Conversation?
    private var nextPort = PacketWriter.firstPort
    private var ordinals = 0

    /// Begins a capture.
    ///
    /// - Parameters:
    ///   - names: names used in the conversations.
    ///   - write: gets the bytes of the file, in order.
    package init(_ names: Names, _ write: @escaping ([UInt8]) -> Void) {
        (self.names, self.write) = (names, write)
        write(PacketFile.header)
    }

    /// Whether a time can be written: seconds have 32 bits.
    package static func canWrite(atNs: Int64) -> Bool { atNs >= 0 && atNs / 1_000_000_000 <= UInt32.max }

    // MARK: - What a feed delivers

    /// Notes that a connection is up.
    ///
    /// - Parameters:
    ///   - source: the connection.
    ///   - atNs: when.
    package mutating func connect(_ source: UInt32, atNs: Int64) {
        if connections[source] != nil { disconnect(source, atNs: atNs) }
        if connections.count >= PacketWriter.connectionCountMax { return }
        ordinals += 1
        var conversation = open(atNs)
        let (host, path) = PacketWriter.parts(of: names.streamURL)
        send(
            request: [
                "GET \(path) HTTP/1.1", "Host: \(host)", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Key: \(PacketWriter.key)", "Sec-WebSocket-Version: 13",
                "X-Cryptofeed-Conn-Id: \(names.exchange).ws.\(source + 1)",
                "X-Cryptofeed-Exchange: \(names.exchange)", "X-Cryptofeed-Address: \(names.streamURL)",
                "X-Cryptofeed-Connect-Ordinal: \(ordinals)",
            ], &conversation, atNs)
        send(
            Array(
                ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Accept: \(PacketWriter.acceptance)\r\n\r\n").utf8)[...],
            ofClient: false, &conversation, atNs)
        connections[source] = conversation
    }

    /// Notes that a connection is gone.
    ///
    /// - Parameters:
    ///   - source: the connection.
    ///   - atNs: when.
    package mutating func disconnect(_ source: UInt32, atNs: Int64) {
        if var conversation = connections.removeValue(forKey: source) { close(&conversation, atNs) }
    }

    /// Writes a message of a connection, which is opened if it is not up.
    ///
    /// - Parameters:
    ///   - message: its bytes.
    ///   - source: the connection.
    ///   - atNs: when it was received.
    package mutating func message(_ message: [UInt8], from source: UInt32, atNs: Int64) {
        if connections[source] == nil { connect(source, atNs: atNs) }
        guard var conversation = connections[source] else { return }
        // Text that is not UTF-8 would be refused: such bytes are sent as binary.
        let isText = String(validating: message, as: UTF8.self) != nil
        var bytes: [UInt8] = [isText ? 0x81 : 0x82]
        if message.count < 126 {
            bytes.append(UInt8(message.count))
        } else if message.count < 65_536 {
            bytes += [126, UInt8(message.count >> 8), UInt8(message.count & 0xFF)]
        } else {
            bytes.append(127)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: message.count >> shift))
            }
        }
        send((bytes + message)[...], ofClient: false, &conversation, atNs)
        connections[source] = conversation
    }

    /// Writes a REST depth body.
    ///
    /// - Parameters:
    ///   - body: its bytes.
    ///   - symbol: its symbol.
    ///   - limit: number of levels per side that was requested; 0 if unknown.
    ///   - atNs: when it was received.
    package mutating func snapshot(_ body: [UInt8], of symbol: SymbolName, limit: Int, atNs: Int64) {
        var conversation = requests ?? open(atNs)
        let url = names.depthURL + "\(symbol)" + (limit > 0 ? "&limit=\(limit)" : "")
        let (host, path) = PacketWriter.parts(of: url)
        let name = "\(names.exchange).http.0"
        send(
            request: [
                "GET \(path) HTTP/1.1", "Host: \(host)", "X-Cryptofeed-Url: \(url)",
                "X-Cryptofeed-Conn-Id: \(name)", "X-Cryptofeed-Exchange: \(names.exchange)",
                "X-Cryptofeed-Connect-Ordinal: 1",
            ], &conversation, atNs)
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
            + "Content-Length: \(body.count)\r\nConnection: keep-alive\r\n\r\n"
        send((Array(head.utf8) + body)[...], ofClient: false, &conversation, atNs)
        requests = conversation
    }

    /// Closes every conversation.
    ///
    /// - Parameter atNs: when.
    package mutating func finish(atNs: Int64) {
        for source in connections.keys.sorted() { disconnect(source, atNs: atNs) }
        if var conversation = requests { close(&conversation, atNs) }
        requests = nil
    }

    // MARK: - Segments

    private static func parts(of url: String) -> (host: Substring, path: String) {
        let rest = url.split(separator: "://", maxSplits: 1).last ?? ""
        let host = rest.prefix { $0 != "/" }
        let path = rest.dropFirst(host.count)
        return (host, path.isEmpty ? "/" : String(path))
    }

    private mutating func open(_ atNs: Int64) -> Conversation {
        var conversation = Conversation(port: nextPort)
        nextPort = nextPort == .max ? PacketWriter.firstPort : nextPort + 1
        segment(&conversation, ofClient: true, Bits.open, [], atNs)
        conversation.clientNext = 1
        segment(&conversation, ofClient: false, Bits.open | Bits.answer, [], atNs)
        conversation.serverNext = 1
        segment(&conversation, ofClient: true, Bits.answer, [], atNs)
        return conversation
    }

    private func close(_ conversation: inout Conversation, _ atNs: Int64) {
        segment(&conversation, ofClient: true, Bits.end | Bits.answer, [], atNs)
        conversation.clientNext &+= 1
        segment(&conversation, ofClient: false, Bits.end | Bits.answer, [], atNs)
        conversation.serverNext &+= 1
        segment(&conversation, ofClient: true, Bits.answer, [], atNs)
    }

    private func send(request lines: [String], _ conversation: inout Conversation, _ atNs: Int64) {
        let text = lines.joined(separator: "\r\n") + "\r\n\r\n"
        send(Array(text.utf8)[...], ofClient: true, &conversation, atNs)
    }

    private func send(
        _ bytes: ArraySlice<UInt8>, ofClient isClient: Bool, _ conversation: inout Conversation, _ atNs: Int64
    ) {
        var rest = bytes
        while !rest.isEmpty {
            let part = rest.prefix(PacketWriter.segmentBytesMax)
            segment(&conversation, ofClient: isClient, Bits.push | Bits.answer, part, atNs)
            if isClient {
                conversation.clientNext &+= UInt32(part.count)
            } else {
                conversation.serverNext &+= UInt32(part.count)
            }
            rest = rest.dropFirst(part.count)
        }
    }

    private func segment(
        _ conversation: inout Conversation, ofClient isClient: Bool, _ bits: UInt8,
        _ payload: ArraySlice<UInt8>, _ atNs: Int64
    ) {
        conversation.packets &+= 1
        let (client, server): ([UInt8], [UInt8]) = ([10, 0, 0, 1], [10, 0, 0, 2])
        let addresses = isClient ? client + server : server + client
        let length = 40 + payload.count
        var ip: [UInt8] = [0x45, 0]
        for number in [length, Int(conversation.packets), 0x4000, 64 << 8 | 6, 0] { ip.append(big: number) }
        ip += addresses
        ip.put(PacketWriter.check(ip), at: 10)
        let (own, other) = (conversation.clientNext, conversation.serverNext)
        var tcp: [UInt8] = []
        tcp.append(big: isClient ? Int(conversation.port) : 80)
        tcp.append(big: isClient ? 80 : Int(conversation.port))
        for number in isClient ? [own, other] : [other, own] {
            // Nothing is acknowledged before anything was received.
            let value = bits & Bits.answer == 0 && tcp.count == 8 ? 0 : Int(number)
            tcp.append(big: value >> 16)
            tcp.append(big: value & 0xFFFF)
        }
        tcp += [5 << 4, bits, 0xFF, 0xFF, 0, 0, 0, 0]
        var check = InternetCheck()
        check.add(addresses[...])
        check.add(6)
        check.add(20 + payload.count)
        check.add(tcp[...])
        check.add(payload)
        tcp.put(check.value, at: 16)
        let (near, far): ([UInt8], [UInt8]) = (
            [0x02, 0x4C, 0x4F, 0x42, 0, 1], [0x02, 0x4C, 0x4F, 0x42, 0, 2]
        )
        let packet = (isClient ? far + near : near + far) + [8, 0] + ip + tcp + payload
        var record: [UInt8] = []
        record.append(little: UInt32(clamping: atNs / 1_000_000_000))
        record.append(little: UInt32(atNs % 1_000_000_000))
        record.append(little: UInt32(packet.count))
        record.append(little: UInt32(packet.count))
        write(record + packet)
    }

    private static func check(_ bytes: [UInt8]) -> UInt16 {
        var check = InternetCheck()
        check.add(bytes[...])
        return check.value
    }
}

extension [UInt8] {
    fileprivate mutating func append(big number: Int) {
        append(UInt8(truncatingIfNeeded: number >> 8))
        append(UInt8(truncatingIfNeeded: number))
    }

    fileprivate mutating func put(_ number: UInt16, at offset: Int) {
        self[offset] = UInt8(number >> 8)
        self[offset + 1] = UInt8(number & 0xFF)
    }
}
