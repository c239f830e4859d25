// Answers to a client that asks for more than it reads: it costs the server a place, not its time.

import Glibc
import TestSupport
import Testing

@testable import LobTransport

/// A connection that has asked for something and reads nothing, in segments as small as those of a network:
/// loopback's let the kernel take megabytes.
private struct NarrowClient: ~Copyable {
    private let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)

    init(_ port: Int, _ request: String) {
        var (segment, room): (Int32, Int32) = (536, 4_096)
        let length = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_MAXSEG, &segment, length)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, length)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        _ = send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL))
    }

    deinit { close(descriptor) }
}

extension SocketTests {
    @Suite struct Answers {
        private static let bodyBytes = 60_000
        private static let request = "GET /long HTTP/1.1\r\nHost: h\r\n\r\n"
        private static let upgrade =
            "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

        private func serveLong(
            _ loop: EventLoop, _ configure: (inout HTTPServer.Options) -> Void
        ) throws -> HTTPServer {
            let answer = HTTPResponse(body: [UInt8](repeating: 0x61, count: Self.bodyBytes))
            return try serve(loop, request: { $0.respond(answer) }, configure: configure)
        }

        /// Turns of a loop in 60 ms; 6 if it has nothing to do.
        private func idleTurnCount(_ loop: EventLoop) -> Int {
            let startNs = monotonicNs()
            var turnCount = 0
            while monotonicNs() - startNs < 60_000_000 {
                loop.turn(waitAtMostNs: 10_000_000)
                turnCount += 1
            }
            return turnCount
        }

        /// Requests that lie ready behind an answer that is not read do not wake the loop: neither by its own
        /// wait, nor by that of the library, which a connection of its own making asks for.
        @Test(arguments: [false, true]) func unreadAnswersDoNotSpin(_ waitsByLibrary: Bool) throws {
            let requestCount = 200
            let silent = ScriptedServer([.hang])
            try withLoop { loop in
                let own = waitsByLibrary ? Diary(silent.url, on: loop) { $0.openLimitMs = 60_000 } : nil
                let client = RawClient(room: 4_096)
                client.connect(try serveLong(loop) { $0.stallLimitMs = 60_000 }.port)
                client.send(String(repeating: Self.request, count: requestCount - 1))
                drive(loop) { loop.remote.counters.sentBytes > Self.bodyBytes }
                // As much as the kernel takes.
                for _ in 0..<1_000 { loop.turn() }
                // The others have been read ahead.
                client.send(Self.request)
                #expect(loop.remote.counters.sentBytes < requestCount * Self.bodyBytes / 2)
                #expect(idleTurnCount(loop) < 100)
                // What is read is followed by the rest, to the last request. Sanitizers take their time.
                drive(loop, forAtMostMs: 60_000) {
                    while client.read(atMost: 1 << 20) {}
                    return client.received.count > requestCount * Self.bodyBytes
                }
                let before = client.received.count
                #expect(before < requestCount * (Self.bodyBytes + 400))
                client.send(Self.request)
                drive(loop) {
                    client.read(atMost: 1 << 20)
                    return client.received.count > before + Self.bodyBytes
                }
                own?.client?.abort()
            }
        }

        /// CPU time of 300 turns that have nothing to do: the least of some tries.
        private func idleTurnsNs(_ loop: EventLoop) -> Int {
            var leastNs = Int.max
            for _ in 0..<5 {
                let startNs = threadCPUNs()
                for _ in 0..<300 { loop.turn() }
                leastNs = min(leastNs, threadCPUNs() - startNs)
            }
            return leastNs
        }

        /// Nor does every turn ask the kernel about all the other sockets.
        @Test func unreadAnswersDoNotTouchOthers() throws {
            try withLoop { loop in
                let port = try serveLong(loop) { $0.stallLimitMs = 60_000 }.port
                var others: [RawClient] = []
                for _ in 0..<100 {
                    others.append(RawClient(port))
                    for _ in 0..<5 { loop.turn() }
                }
                let withoutNs = idleTurnsNs(loop)
                let client = RawClient(room: 4_096)
                client.connect(port)
                client.send(String(repeating: Self.request, count: 199))
                drive(loop) { loop.remote.counters.sentBytes > Self.bodyBytes }
                for _ in 0..<1_000 { loop.turn() }
                client.send(Self.request)
                for _ in 0..<1_000 { loop.turn() }
                let withNs = idleTurnsNs(loop)
                #expect(withNs < 3 * withoutNs, "\(withNs) ns, without \(withoutNs) ns")
                #expect(others.count == 100)
            }
        }

        /// A request that has come with the one before is not left lying until the timers are looked at.
        @Test func pairsAreAnsweredAtOnce() throws {
            try withLoop { loop in
                let client = RawClient(try serve(loop).port)
                let startNs = monotonicNs()
                for count in 1...8 {
                    client.send(Self.request + Self.request)
                    // As a server waits: nothing wakes it but what arrives.
                    while client.read().count(where: { $0 == "}" }) < 2 * count
                        && monotonicNs() - startNs < 10_000_000_000
                    {
                        loop.turn(waitAtMostNs: 1_000_000_000)
                    }
                }
                // By the timers 4 s.
                #expect(monotonicNs() - startNs < 2_000_000_000)
            }
        }

        /// Who does not read a refusal is disconnected: the library would neither read nor wait, for minutes.
        @Test func unreadRefusalsEnd() throws {
            let bodyBytes = 16 << 20
            let refusal = HTTPResponse(status: 503, body: [UInt8](repeating: 0x61, count: bodyBytes))
            try withLoop { loop in
                let client = RawClient(room: 4_096)
                client.connect(try serve(loop, upgrade: { _ in .refuse(refusal) }).port)
                client.send(Self.request)
                drive(loop) { client.read().contains("200 OK") }
                client.send(Self.upgrade)
                drive(loop) { loop.remote.counters.sentBytes > bodyBytes }
                client.send(Self.upgrade)
                #expect(idleTurnCount(loop) < 100)
                drive(loop) {
                    while client.read(atMost: 1 << 20) {}
                    return client.hasServerHungUp
                }
                #expect(client.received.count < bodyBytes)
            }
        }

        /// A refusal that cannot be sent ends its connection: the library would not wait for a minute.
        @Test func refusalsToNobodyEnd() throws {
            try withLoop { loop in
                let refusal = HTTPResponse(status: 503, json: "{}")
                let server = try serve(loop, upgrade: { _ in .refuse(refusal) })
                var client: RawClient? = RawClient(server.port)
                client?.send(Self.request)
                drive(loop) { client?.read().contains("200 OK") == true }
                client?.send(Self.upgrade)
                client?.endWithReset()
                client = nil
                #expect(idleTurnCount(loop) < 100)
            }
        }

        /// The time to take an answer begins when the socket has got a part of it, however short it is.
        @Test func unreadAnswersEnd() throws {
            try withLoop { loop in
                let server = try serveLong(loop) { ($0.stallLimitMs, $0.connectionCountMax) = (50, 1) }
                let first = NarrowClient(server.port, String(repeating: Self.request, count: 20))
                drive(loop) { loop.remote.counters.sentBytes > 0 }
                var second = RawClient(server.port)
                drive(loop) {
                    let isServed = second.read().hasPrefix("HTTP/1.1 200 OK")
                    if second.hasServerHungUp && !isServed { second = RawClient(server.port) }
                    if !second.hasServerHungUp && second.received.isEmpty { second.send(Self.request) }
                    return isServed
                }
                #expect(loop.remote.counters.turnedAway > 0)
                _ = consume first
            }
        }
    }
}
