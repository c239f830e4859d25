// Who a server's connections belong to, what each owner may hold, and how long an answer may take.

import Glibc
import TestSupport
import Testing

@testable import LobTransport

extension SocketTests {
    @Suite struct Owners {
        @Test(
            arguments: [
                ("127.0.0.1", "localhost"), ("127.9.9.9", "localhost"), ("::1", "localhost"),
                ("::ffff:127.0.0.1", "localhost"), ("::ffff:10.0.0.7", "10.0.0.7"), ("10.0.0.7", "10.0.0.7"),
                ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
                ("2001:db8::5", "2001:db8::/64"), ("2001:db8:0:1::", "2001:db8:0:1::/64"),
                ("fe80::1%eth0", "fe80::/64"), ("::", "::/64"), ("", ""), ("name", "name"),
            ] as [(String, String)])
        func anAddressHasAnOwner(_ address: String, _ owner: String) {
            #expect(ownerName(of: address) == owner)
        }

        /// Answers with the owner's name, or with many bytes.
        private func serve(
            _ loop: EventLoop, _ configure: (inout HTTPServer.Options) -> Void,
            answer: @escaping (HTTPRequest) -> [UInt8] = { Array($0.owner.utf8) }
        ) throws -> Int {
            var options = HTTPServer.Options()
            options.address = nil
            configure(&options)
            return try HTTPServer(
                on: loop, options: options,
                handlers: HTTPServer.Handlers(
                    request: { $0.respond(HTTPResponse(body: answer($0))) },
                    upgrade: { _ in .refuse(HTTPResponse(json: "{}")) })
            ).port
        }

        private static let head = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

        /// An address of this machine that is not loopback, if it has one.
        private static var ownAddress: UInt32? {
            var list: UnsafeMutablePointer<ifaddrs>?
            guard getifaddrs(&list) == 0 else { return nil }
            defer { freeifaddrs(list) }
            var entry = list
            while let one = entry {
                entry = one.pointee.ifa_next
                guard let address = one.pointee.ifa_addr, address.pointee.sa_family == AF_INET else {
                    continue
                }
                let number = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    UInt32(bigEndian: $0.pointee.sin_addr.s_addr)
                }
                if number >> 24 != 127 { return number }
            }
            return nil
        }

        /// Connections that ask nothing: each owner has its share of them, and gets it back.
        @Test func connectionsAreShared() throws {
            try withLoop { loop in
                let port = try serve(loop) {
                    $0.connectionCountMax = 10
                    ($0.addressPercentMax, $0.loopbackPercentMax) = (30, 50)
                }
                var hosts: [(host: UInt32, share: Int)] = [(0x7F00_0001, 5)]
                if let own = Self.ownAddress { hosts.append((own, 3)) }
                for _ in 0..<3 {
                    var idle: [[RawClient]] = []
                    for (host, _) in hosts {
                        idle.append(
                            (0..<8).map { _ in
                                let client = RawClient()
                                client.connect(port, host)
                                return client
                            })
                    }
                    let admitted = {
                        idle.map { clients in
                            clients.count { client in
                                client.read()
                                return !client.hasServerHungUp
                            }
                        }
                    }
                    drive(loop, [], "shares") { admitted() == hosts.map(\.share) }
                    idle = []
                    var client: RawClient?
                    drive(loop, [], "room again") {
                        if client?.hasServerHungUp != false {
                            client = RawClient(port)
                            client?.send(Self.head)
                        }
                        return client?.read().hasSuffix("localhost") == true
                    }
                }
                #expect(loop.remote.counters.turnedAway > 0)
            }
        }

        /// What waits for the sockets of one owner is known, and is gone with them.
        @Test func bytesThatWaitAreCountedByOwner() throws {
            try withLoop { loop in
                var (waiting, askedCount) = (0, 0)
                let port = try serve(loop, { _ in }) { request in
                    waiting = request.ownerQueuedBytes
                    askedCount += 1
                    return [UInt8](repeating: 0x61, count: 8 << 20)
                }
                var slow: [RawClient] = []
                for number in 0..<3 {
                    let client = RawClient(room: 4_096)
                    client.connect(port)
                    client.send(Self.head)
                    slow.append(client)
                    drive(loop) {
                        askedCount == number + 1 && loop.queuedBytes > (number + 1) * (3 << 20)
                    }
                }
                #expect(waiting > 3 << 20 && waiting <= 17 << 20)
                slow = []
                drive(loop) { loop.queuedBytes == 0 }
                let last = RawClient(port)
                last.send(Self.head)
                drive(loop) { !last.read().isEmpty }
                #expect(waiting == 0)
            }
        }

        /// Who takes nothing of a long answer, or too little of it, is disconnected.
        @Test(arguments: [
            (stall: 50, all: 60_000, takes: false), (60_000, 100, true), (60_000, 60_000, true),
        ])
        func slowReadersAreDisconnected(_ limit: (stall: Int, all: Int, takes: Bool)) throws {
            try withLoop { loop in
                let bytes = 12 << 20
                let port = try serve(loop) {
                    ($0.stallLimitMs, $0.answerLimitMs) = (limit.stall, limit.all)
                } answer: { _ in
                    [UInt8](repeating: 0x61, count: bytes)
                }
                let isSlow = limit.all < 60_000 || limit.stall < 60_000
                let client = RawClient(room: isSlow ? 4_096 : nil)
                client.connect(port)
                client.send(Self.head)
                drive(loop) { loop.queuedBytes > 0 }
                drive(loop, forAtMostMs: 10_000, "the end") {
                    if limit.takes { client.read(atMost: isSlow ? 1_024 : 1 << 20) }
                    return loop.queuedBytes == 0
                }
                client.read()
                #expect((client.received.count > bytes) == !isSlow)
            }
        }
    }
}
