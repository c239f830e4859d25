// What a server does about frames that RFC 6455 and RFC 7692 forbid, by bare socket.

import TestSupport
import Testing

@testable import LobTransport

extension SocketTests {
    @Suite struct FrameRules {
        /// A frame of a client: first byte and payload, masked with zeros unless it is not to be.
        struct Sent {
            var first: UInt8
            var payload: [UInt8] = []
            var isMasked = true
        }

        /// Frames and the code that the server closes with; 0: it goes on; -1: it hangs up without a word, as
        /// the library does then.
        struct Case: CustomTestStringConvertible {
            var name: String
            var isDeflating = false
            var frames: [Sent]
            var code: Int

            var testDescription: String { name }

            init(_ name: String, deflate: Bool = false, _ frames: [Sent], _ code: Int) {
                (self.name, self.frames, self.code, isDeflating) = (name, frames, code, deflate)
            }
        }

        private static let packed = MessagePacker()!.frame([UInt8](repeating: 0x61, count: 600))!.dropFirst(2)
        private static let badPacked = MessagePacker()!.frame([UInt8](repeating: 0xFF, count: 600))!
            .dropFirst(2)
        private static let euro = Array("€".utf8)

        static let cases: [Case] = [
            Case("text", [Sent(first: 0x81, payload: euro)], 0),
            Case("binary of any bytes", [Sent(first: 0x82, payload: [0xFF, 0xFE])], 0),
            Case("bad UTF-8", [Sent(first: 0x81, payload: [0x61, 0xFF])], 1007),
            Case("surrogate", [Sent(first: 0x81, payload: [0xED, 0xA0, 0x80])], 1007),
            Case("character cut off by the end", [Sent(first: 0x81, payload: [0xE2, 0x82])], 1007),
            Case(
                "character in two frames",
                [Sent(first: 0x01, payload: [0xE2]), Sent(first: 0x80, payload: [0x82, 0xAC])], 0),
            Case(
                "bad UTF-8 in the second frame",
                [Sent(first: 0x01, payload: [0xE2]), Sent(first: 0x80, payload: [0x28])], 1007),
            Case(
                "bad UTF-8 before the end", [Sent(first: 0x01, payload: [0xFF])], 1007),
            Case("packed", deflate: true, [Sent(first: 0xC1, payload: Array(packed))], 0),
            Case("packed bad UTF-8", deflate: true, [Sent(first: 0xC1, payload: Array(badPacked))], 1007),
            Case("packed binary", deflate: true, [Sent(first: 0xC2, payload: Array(badPacked))], 0),
            Case(
                "packed in two frames", deflate: true,
                [
                    Sent(first: 0x41, payload: Array(packed.prefix(3))),
                    Sent(first: 0x80, payload: Array(packed.dropFirst(3))),
                ], 0),
            Case(
                "packed behind an empty frame", deflate: true,
                [Sent(first: 0x41), Sent(first: 0x80, payload: Array(packed))], 0),
            Case(
                "text behind an empty frame", [Sent(first: 0x01), Sent(first: 0x80, payload: euro)], 0),
            Case("empty text", [Sent(first: 0x81)], 0),
            Case(
                "bit on a continuation", deflate: true,
                [
                    Sent(first: 0x41, payload: Array(packed.prefix(3))),
                    Sent(first: 0xC0, payload: Array(packed.dropFirst(3))),
                ], 1002),
            Case(
                "bit on a continuation of what is not packed", deflate: true,
                [Sent(first: 0x01, payload: [0x61]), Sent(first: 0xC0, payload: [0x61])], 1002),
            Case("bit on a pong", deflate: true, [Sent(first: 0xCA, payload: [1])], 1002),
            Case("bit on a ping", deflate: true, [Sent(first: 0xC9, payload: [1])], 1002),
            Case("bit on an empty ping", deflate: true, [Sent(first: 0xC9)], 1002),
            Case("bit on a close", deflate: true, [Sent(first: 0xC8, payload: [0x03, 0xE8])], 1002),
            Case(
                "pong amid a packed message", deflate: true,
                [
                    Sent(first: 0x41, payload: Array(packed.prefix(3))), Sent(first: 0x8A, payload: [1]),
                    Sent(first: 0x80, payload: Array(packed.dropFirst(3))),
                ], 0),
            Case(
                "ping amid a packed message", deflate: true,
                [
                    Sent(first: 0x41, payload: Array(packed.prefix(3))), Sent(first: 0x89, payload: [1]),
                    Sent(first: 0x80, payload: Array(packed.dropFirst(3))),
                ], 0),
            Case("second bit", deflate: true, [Sent(first: 0xA1, payload: [0x61])], 1002),
            Case("third bit", [Sent(first: 0x91, payload: [0x61])], 1002),
            Case("bit that was not agreed on", [Sent(first: 0xC1, payload: Array(packed))], 1002),
            Case("opcode 3", [Sent(first: 0x83)], 1002),
            Case("opcode 11", [Sent(first: 0x8B)], 1002),
            Case("ping in pieces", [Sent(first: 0x09)], 1002),
            Case("long ping", [Sent(first: 0x89, payload: [UInt8](repeating: 1, count: 126))], -1),
            Case("continuation of nothing", [Sent(first: 0x80)], 1002),
            Case("message in a message", [Sent(first: 0x01), Sent(first: 0x81)], 1002),
            Case("close of one byte", [Sent(first: 0x88, payload: [3])], 1002),
            Case("close 1005", [Sent(first: 0x88, payload: [0x03, 0xED])], 1002),
            Case("close 1000", [Sent(first: 0x88, payload: [0x03, 0xE8])], 1000),
            Case(
                "close of bad UTF-8", [Sent(first: 0x88, payload: [0x03, 0xE8, 0xFF])], 1007),
        ]

        /// Each frame by itself, and all in one segment.
        @Test(arguments: cases, [false, true])
        func rules(_ test: Case, _ isOneSegment: Bool) throws {
            try withLoop { loop in
                let client = RawClient(try serve(loop))
                client.send(
                    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + (test.isDeflating ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "")
                        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
                drive(loop) { client.read().contains("\r\n\r\n") }
                #expect(client.read().contains("permessage-deflate") == test.isDeflating)
                var bytes: [UInt8] = []
                for frame in test.frames {
                    bytes += Self.bytes(frame)
                    if isOneSegment { continue }
                    client.send(bytes: bytes)
                    bytes = []
                    for _ in 0..<3 { loop.turn(waitAtMostNs: 1_000_000) }
                }
                client.send(bytes: bytes)
                // What is well is heard, and the connection goes on.
                if test.code == 0 { client.send(bytes: Self.bytes(Sent(first: 0x81, payload: [0x21]))) }
                var answers: [[UInt8]] = []
                drive(loop, [], "\(test.name)") {
                    client.read()
                    answers = Self.frames(client.received)
                    switch test.code {
                    case 0: return answers.contains { $0 == [0x81, 0x21] }
                    case -1: return client.hasServerHungUp
                    default: return answers.contains { $0[0] == 0x88 }
                    }
                }
                let close = answers.first { $0[0] == 0x88 }?.dropFirst()
                let code = close.map { $0.prefix(2).reduce(0) { $0 << 8 | Int($1) } }
                #expect(code == (test.code > 0 ? test.code : nil))
            }
        }

        private static func bytes(_ frame: Sent) -> [UInt8] {
            let count = frame.payload.count
            let length = count < 126 ? [UInt8(count)] : [126, UInt8(count >> 8), UInt8(count & 255)]
            return [frame.first, length[0] | 0x80] + length.dropFirst() + [0, 0, 0, 0] + frame.payload
        }

        /// First byte and payload of each short frame behind the head of the answer.
        private static func frames(_ bytes: [UInt8]) -> [[UInt8]] {
            guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return [] }
            var frames: [[UInt8]] = []
            var rest = bytes[end.upperBound...]
            while rest.count >= 2 {
                let head = Array(rest.prefix(4))
                let isShort = head[1] < 126
                if !isShort && head.count < 4 { break }
                let length = isShort ? Int(head[1]) : Int(head[2]) << 8 | Int(head[3])
                let start = isShort ? 2 : 4
                if rest.count < start + length { break }
                frames.append([head[0]] + rest.dropFirst(start).prefix(length))
                rest = rest.dropFirst(start + length)
            }
            return frames
        }

        /// A server that echoes what is shorter than a line.
        private func serve(_ loop: EventLoop) throws -> Int {
            var handlers = HTTPServer.Handlers(
                request: { $0.respond(HTTPResponse(json: "{}")) },
                upgrade: { _ in
                    .accept { peer in
                        var handlers = WebSocketPeer.Handlers()
                        handlers.message = { bytes, _ in
                            if bytes.count < 100 { _ = peer.send(text: bytes) }
                        }
                        return handlers
                    }
                })
            handlers.deflates = { _ in true }
            return try HTTPServer(on: loop, handlers: handlers).port
        }
    }
}

@Suite struct UTF8CheckTests {
    /// Against the standard library, in pieces of any length.
    @Test func asTheStandardLibrary() {
        var random = SeededRandom(seed: 11)
        let tricky: [[UInt8]] = [
            [0xC0, 0x80], [0xC1, 0xBF], [0xC2, 0x80], [0xE0, 0x9F, 0xBF], [0xE0, 0xA0, 0x80],
            [0xED, 0x9F, 0xBF],
            [0xED, 0xA0, 0x80], [0xEE, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x90, 0x80, 0x80],
            [0xF4, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80], [0xFF],
            [0x41],
        ]
        var validCount = 0
        for round in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<random.below(5) {
                var character = tricky[random.below(tricky.count)]
                if random.below(8) == 0 {
                    character[random.below(character.count)] = UInt8(random.below(256))
                }
                if random.below(12) == 0 { character.removeLast() }
                bytes += character
            }
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            validCount += isValid ? 1 : 0
            var check = UTF8Check()
            var isAdmitted = true
            var rest = bytes[...]
            repeat {
                let piece = Array(rest.prefix(1 + random.below(3)))
                rest = rest.dropFirst(piece.count)
                isAdmitted = isAdmitted && check.admits(piece.span, isFinal: rest.isEmpty)
            } while !rest.isEmpty
            #expect(isAdmitted == isValid, "round \(round): \(bytes)")
        }
        #expect(validCount > 2_000 && validCount < 18_000)
    }
}
