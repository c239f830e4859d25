// permessage-deflate: what is agreed on, what is packed and unpacked, and what is refused.

import TestSupport
import Testing

@testable import LobTransport

extension SocketTests {
    @Suite struct Deflate {
        private static let words = String(repeating: "{\"e\":\"depthUpdate\",\"b\":[[\"1.0\"]]}", count: 40)

        /// A server that sends `words` packed if the client takes that, and echoes what it hears.
        private func serve(_ loop: EventLoop, isAllowed: Bool = true, bytesMax: Int = 4_096) throws -> Int {
            var options = HTTPServer.Options()
            options.messageBytesMax = bytesMax
            let packer = try #require(MessagePacker())
            var handlers = HTTPServer.Handlers(
                request: { $0.respond(HTTPResponse(json: "{}")) },
                upgrade: { _ in
                    .accept { peer in
                        if peer.isDeflating, let packed = packer.frame(Array(Self.words.utf8)),
                            let frame = loop.batch(packed, isText: false)
                        {
                            _ = peer.send(frame)
                        } else {
                            _ = peer.send(text: Self.words)
                        }
                        var handlers = WebSocketPeer.Handlers()
                        handlers.message = { bytes, _ in _ = peer.send(text: "heard " + bytes.text) }
                        return handlers
                    }
                })
            handlers.deflates = { _ in isAllowed }
            return try HTTPServer(on: loop, options: options, handlers: handlers).port
        }

        private func client(_ port: Int, _ offer: String?) -> RawClient {
            let client = RawClient(port)
            client.send(
                "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + (offer.map { "Sec-WebSocket-Extensions: \($0)\r\n" } ?? "")
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            return client
        }

        /// Frames behind the head of the answer: first byte and payload.
        private func frames(_ client: RawClient) -> [(first: UInt8, payload: [UInt8])] {
            client.read()
            guard let end = client.received.firstRange(of: Array("\r\n\r\n".utf8)) else { return [] }
            var frames: [(first: UInt8, payload: [UInt8])] = []
            var rest = client.received[end.upperBound...]
            while rest.count >= 2 {
                let bytes = Array(rest.prefix(10))
                let (start, length) =
                    bytes[1] < 126
                    ? (2, Int(bytes[1])) : (4, bytes.count < 4 ? .max : Int(bytes[2]) << 8 | Int(bytes[3]))
                if rest.count - start < length { break }
                frames.append((bytes[0], Array(rest.dropFirst(start).prefix(length))))
                rest = rest.dropFirst(start + length)
            }
            return frames
        }

        /// A masked frame of a client; the mask is zeros.
        private func send(_ client: RawClient, first: UInt8, _ payload: [UInt8]) {
            var frame: [UInt8] = [first]
            frame +=
                payload.count < 126
                ? [0x80 | UInt8(payload.count)]
                : [0xFE, UInt8(payload.count >> 8), UInt8(truncatingIfNeeded: payload.count)]
            client.send(bytes: frame + [0, 0, 0, 0] + payload)
        }

        private static let agreed =
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
            + "client_no_context_takeover\r\n"

        @Test(
            arguments: [
                ("permessage-deflate", true), ("permessage-deflate; client_max_window_bits", true),
                ("permessage-deflate;client_max_window_bits=12 ; server_no_context_takeover", true),
                ("permessage-deflate; client_no_context_takeover", true), (nil, false), ("", false),
                ("permessage-deflate; server_max_window_bits=10", false), ("permessage-deflates", false),
                ("permessage-deflate; client_no_context_takeover; client_no_context_takeover", false),
                ("permessage-deflate; client_no_context_takeover=1", false), ("x-other", false),
                ("permessage-deflate, permessage-deflate; client_max_window_bits", false),
                ("permessage-deflate; nonsense", false), ("permessage-deflate;", false),
                ("permessage-deflate; client_max_window_bits=", false),
            ] as [(String?, Bool)])
        func offers(_ offer: String?, _ isAgreed: Bool) throws {
            for isAllowed in [true, false] {
                try withLoop { loop in
                    let client = client(try serve(loop, isAllowed: isAllowed), offer)
                    drive(loop) { !frames(client).isEmpty }
                    let isAgreed = isAgreed && isAllowed
                    let head = client.read().prefix(500)
                    #expect(head.contains(Self.agreed) == isAgreed, "\(head)")
                    #expect(head.contains("Sec-WebSocket-Extensions") == isAgreed)
                    let frame = frames(client)[0]
                    #expect(frame.first == (isAgreed ? 0xC1 : 0x81))
                    let packer = try #require(MessagePacker())
                    let text =
                        isAgreed
                        ? packer.unpack(frame.payload, bytesMax: 10_000) : .message(frame.payload)
                    #expect(text == .message(Array(Self.words.utf8)))
                    if isAgreed { #expect(frame.payload.count < Self.words.utf8.count / 10) }
                }
            }
        }

        /// Packed messages arrive as they were, in one frame or several, beside others.
        @Test func packedMessagesAreHeard() throws {
            try withLoop { loop in
                let client = client(try serve(loop), "permessage-deflate")
                drive(loop) { frames(client).count == 1 }
                let text = String(repeating: "abcdef", count: 100)
                let frame = try #require(MessagePacker()?.frame(Array(text.utf8)))
                let packed = Array(frame.dropFirst(frame[1] == 126 ? 4 : 2))
                send(client, first: 0xC1, packed)
                send(client, first: 0x81, Array("plain".utf8))
                send(client, first: 0x41, Array(packed.prefix(5)))
                send(client, first: 0x80, Array(packed.dropFirst(5)))
                drive(loop) { frames(client).count == 4 }
                let heard = frames(client).dropFirst().map { String(decoding: $0.payload, as: UTF8.self) }
                #expect(heard == ["heard " + text, "heard plain", "heard " + text])
            }
        }

        /// What cannot be unpacked, unpacks to too much, or was not agreed on ends the connection.
        @Test(arguments: [("broken", 1007), ("bomb", 1009), ("stranger", 1002), ("long", 1009)])
        func refused(_ what: String, _ code: Int) throws {
            try withLoop { loop in
                let client = client(try serve(loop), what == "stranger" ? nil : "permessage-deflate")
                drive(loop) { frames(client).count == 1 }
                let bomb = try #require(MessagePacker()?.frame([UInt8](repeating: 0x61, count: 1 << 20)))
                switch what {
                case "bomb": send(client, first: 0xC1, Array(bomb.dropFirst(4)))
                case "long": send(client, first: 0xC1, [UInt8](repeating: 0x55, count: 5_000))
                default: send(client, first: 0xC1, [0xFF, 0xFF, 0x01])
                }
                drive(loop) { frames(client).count == 2 }
                let close = try #require(frames(client).last)
                #expect(close.first == 0x88 && Int(close.payload[0]) << 8 | Int(close.payload[1]) == code)
            }
        }

        /// There and back; and whatever bytes come, nothing more than was allowed comes out.
        @Test func thereAndBack() throws {
            var random = SeededRandom(seed: 7)
            let packer = try #require(MessagePacker())
            #expect(packer.frame(Array("short".utf8)) == nil)
            for round in 0..<200 {
                let count = 256 + random.below(3_000)
                let bytes = (0..<count).map { _ in UInt8(0x30 + random.below(1 + round % 8)) }
                let frame = try #require(packer.frame(bytes))
                let packed = Array(frame.dropFirst(frame[1] < 126 ? 2 : 4))
                #expect(packer.unpack(packed, bytesMax: bytes.count) == .message(bytes))
                #expect(packer.unpack(packed, bytesMax: bytes.count - 1) == .tooLong)
                let cut = Array(packed.dropLast(1 + packed.count / 4))
                #expect(packer.unpack(cut, bytesMax: 5_000) != .message(bytes))
                var damaged = packed
                damaged[random.below(damaged.count)] ^= UInt8(1 << random.below(8))
                if case .message(let other) = packer.unpack(damaged, bytesMax: 4_000) {
                    #expect(other.count <= 4_000)
                }
            }
            let noise = (0..<600).map { _ in UInt8(random.below(256)) }
            #expect(packer.frame(noise) == nil, "noise does not get shorter")
        }
    }
}
