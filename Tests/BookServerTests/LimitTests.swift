// The limits of the server, one by one.

import Glibc
import MarketData
import Testing

@testable import BookServer

extension ServerTests {
    private func stack(
        symbolCount: Int = 2, _ configure: (inout BookServer.Options) -> Void
    ) throws -> Stack {
        var options = BookServer.Options()
        configure(&options)
        let stack = try Stack(symbolCount: symbolCount, options: options)
        _ = try stack.depth("SIM0USDT")
        return stack
    }

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
        let updates = SleepyClient(stack.server.port, path: "/ws/" + names(["", "@100ms", "@1000ms"]))
        let states = SleepyClient(
            stack.server.port, path: "/ws/" + names(["5@100ms", "10@100ms", "20@100ms"]))
        stack.drive(forAtMostMs: 60_000, "closed") { stack.server.counters.slowCount > 0 }
        stack.drive(forAtMostMs: 60_000, "conflated") { stack.server.counters.conflatedCount > 20 }
        #expect(stack.server.counters.slowCount == 1)
        #expect(states.read() > 0 && updates.read() > 0)
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
        let strangers = heads.map { SleepyClient(stack.server.port, head: $0) }
        #expect(try stack.depth("SIM0USDT").status == 200)
        #expect(strangers.count == heads.count)
    }
}

/// A client by bare socket with little room, which reads only when it is told to.
private final class SleepyClient {
    private let descriptor: Int32

    convenience init(_ port: Int, path: String) {
        self.init(
            port,
            head: "GET \(path) HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    }

    init(_ port: Int, head: String) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var room: Int32 = 4_096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout.size(ofValue: room)))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) }
        }
        _ = Array(head.utf8).withUnsafeBytes {
            send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    deinit { close(descriptor) }

    /// Bytes that are there.
    func read() -> Int {
        var room = [UInt8](repeating: 0, count: 65_536)
        return recv(descriptor, &room, room.count, Int32(MSG_DONTWAIT))
    }
}
