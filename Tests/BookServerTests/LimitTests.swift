// The limits of the server, one by one.

import MarketData
import TestSupport
import Testing
import VenueSupport

@testable import BookServer

extension ServerTests {
    @Test func oneClientTooMany() throws {
        let stack = try stack { $0.clientCountMax = 2 }
        defer { stack.stop() }
        let clients = try (0..<2).map { _ in try stack.listen("/ws") }
        stack.drive { clients.allSatisfy(\.isOpen) }
        let third = try stack.listen("/ws")
        stack.drive { third.end != nil }
        #expect(clients.allSatisfy { $0.isOpen })
    }

    @Test func oneStreamTooMany() throws {
        let stack = try stack { $0.streamCountMax = 2 }
        defer { stack.stop() }
        let client = try stack.listen("/ws/a@depth/b@depth")
        stack.drive { client.isOpen }
        client.send("{\"method\":\"SUBSCRIBE\",\"params\":[\"c@depth\"],\"id\":1}")
        stack.drive { client.end != nil }
        #expect(client.texts.last?.contains("Too many subscriptions") == true)
        #expect(client.end?.peerCode == 1008)
        let refused = try stack.listen("/ws/a@depth/b@depth/c@depth")
        stack.drive { refused.end != nil }
        #expect(refused.end?.peerCode == nil)
    }

    @Test func oneStreamTooManyOfAll() throws {
        let stack = try stack { $0.streamTotalMax = 3 }
        defer { stack.stop() }
        let first = try stack.listen("/ws/a@depth/b@depth")
        stack.drive { first.isOpen }
        let second = try stack.listen("/ws/a@depth/b@depth")
        stack.drive { second.end != nil }
        #expect(first.isOpen)
    }

    @Test func oneMessageTooMany() throws {
        let stack = try stack { $0.messagesPerSecondMax = 5 }
        defer { stack.stop() }
        let client = try stack.listen("/ws")
        stack.drive { client.isOpen }
        for id in 0..<12 { client.send("{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":\(id)}") }
        stack.drive { client.end != nil }
        #expect(client.end?.peerCode == 1008 && client.end?.peerReason == "Too many requests")
    }

    @Test func oneByteTooMany() throws {
        let stack = try stack { $0.messageBytesMax = 1_000 }
        defer { stack.stop() }
        let client = try stack.listen("/ws")
        stack.drive { client.isOpen }
        client.send("{\"method\":\"\(String(repeating: "x", count: 1_000))\"}")
        stack.drive { client.end != nil }
        #expect(client.end?.peerCode == 1009)
    }

    @Test func tooMuchWeightIsRefusedIfItIsToBe() throws {
        let stack = try stack { $0.isWeightLimited = true }
        defer { stack.stop() }
        var answer = Answer()
        for _ in 0..<40 where answer.status != 429 {
            answer = try stack.get("/api/v3/depth?symbol=SIM0USDT&limit=5000")
        }
        #expect(answer.status == 429 && answer.text.contains("-1003"))
        #expect(answer.headers["retry-after"] != nil)
    }

    /// Who does not read updates is closed; who does not read partial depths gets the latest when he does.
    @Test func slowReaders() throws {
        let stack = try stack(symbolCount: 12) { $0.queuedBytesMax = 20_000 }
        defer { stack.stop() }
        let names = { (suffixes: [String]) in
            stack.symbols.map(\.lowercasedASCII).flatMap { symbol in suffixes.map { "\(symbol)@depth\($0)" } }
                .joined(
                    separator: "/")
        }
        let updates = RawClient(stack.server.port, path: "/ws/" + names(["", "@100ms", "@1000ms"]))
        let states = RawClient(
            stack.server.port, path: "/ws/" + names(["5@100ms", "10@100ms", "20@100ms"]))
        stack.drive(forAtMostMs: 60_000, "closed") { stack.server.counters.slowCount > 0 }
        stack.drive(forAtMostMs: 60_000, "conflated") { stack.server.counters.conflatedCount > 20 }
        #expect(stack.server.counters.slowCount == 1)
        #expect(!states.read().isEmpty && !updates.read().isEmpty)
    }

    /// Who asks and does not read the answers is closed like who does not read updates.
    @Test func slowReadersOfAnswers() throws {
        let stack = try stack {
            ($0.queuedBytesMin, $0.queuedBytesMax) = (10_000, 20_000)
            $0.messagesPerSecondMax = 1_000_000
        }
        defer { stack.stop() }
        let names = (0..<30).map { "\(String(repeating: "x", count: 120))\($0)" }
        let client = RawClient(stack.server.port, path: "/ws/" + names.joined(separator: "/"))
        stack.drive("open") { client.read().contains(" 101 ") }
        let text = Array("{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":1}".utf8)
        let question = [0x81, 0x80 | UInt8(text.count), 0, 0, 0, 0] + text
        stack.drive("closed") {
            client.send(bytes: question)
            return stack.server.counters.slowCount > 0
        }
        #expect(stack.server.counters.slowCount == 1)
        #expect(stack.server.counters.queuedBytes < 100_000)
    }

    /// Input that no client sends is survived.
    @Test func hostileInput() throws {
        let stack = try stack { _ in }
        defer { stack.stop() }
        let heads = [
            "GET / HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "x", count: 100_000))\r\n\r\n",
            "GET /\(String(repeating: "y", count: 60_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "\u{0}\u{1}\u{2}\r\n\r\n",
            "GET /api/v3/depth?symbol=%00%ff%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "POST /api/v3/ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nxx",
        ]
        let strangers = heads.map { RawClient(stack.server.port, head: $0) }
        #expect(try stack.depth("SIM0USDT").status == 200)
        #expect(strangers.count == heads.count)
    }
}
