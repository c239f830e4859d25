// Clients that leave the server's socket full, or their connection half ended: what the library holds for one
// of them must not keep it from all the others. Without `ct_pace_reading` it asks such a socket for ever, in
// a call that never returns: then these tests do not fail, they hang.

import Glibc
import TestSupport
import Testing

@testable import LobTransport

/// A masked frame of a client.
private func masked(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
    var bytes = frame(opcode, payload)
    bytes[1] |= 0x80
    bytes.insert(contentsOf: [0, 0, 0, 0], at: bytes.count - payload.count)
    return bytes
}

private let upgradeLines =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

extension SocketTests {
    @Suite struct FullSockets {
        private static let room: EventLoop.Options = {
            var options = EventLoop.Options()
            options.queueBytesMax = 64 << 20
            return options
        }()

        private static let long = String(repeating: "x", count: 14 << 20)

        /// Answers paths with `long` in them at length, and pushes as much to who upgrades by such a path.
        private func serveAtLength(_ loop: EventLoop, _ tls: TLSIdentity? = nil) throws -> Int {
            let server = try serve(
                loop,
                request: { $0.respond(HTTPResponse(json: $0.path == "/long" ? Self.long : "{}")) },
                upgrade: { request in
                    .accept { peer in
                        if request.path == "/long" { _ = peer.send(text: Self.long) }
                        var handlers = WebSocketPeer.Handlers()
                        handlers.message = { _, isFinal in if isFinal { _ = peer.send(text: "heard") } }
                        return handlers
                    }
                },
                configure: { $0.tls = tls })
            return server.port
        }

        private func wire(
            _ port: Int, _ head: String, isSecure: Bool, readsAtMost: Int = .max
        ) -> HostileWire {
            let script = WireScript(pieces: [Array(head.utf8)], ending: .wait, readsAtMost: readsAtMost)
            return HostileWire(port: port, isSecure ? WireIdentity() : nil, script)
        }

        /// Somebody else is served.
        private func expectService(_ loop: EventLoop, _ port: Int, isSecure: Bool) {
            let other = wire(port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", isSecure: isSecure)
            drive(loop) {
                other.step(idleStepsMax: .max)
                return other.received.starts(with: Array("HTTP/1.1 200".utf8))
            }
        }

        /// A client ends its direction while the library holds the rest of a frame for it.
        @Test(arguments: [true, false], [true, false])
        func clientsThatEnd(_ isWebSocket: Bool, _ isSecure: Bool) throws {
            try withLoop(Self.room) { loop in
                let port = try serveAtLength(loop, isSecure ? Certificates.shared.good : nil)
                let head = "GET /long HTTP/1.1\r\nHost: h\r\n\(isWebSocket ? upgradeLines : "")\r\n"
                let client = wire(port, head, isSecure: isSecure, readsAtMost: 1)
                drive(loop) {
                    client.step(idleStepsMax: .max)
                    return client.received.count > 0
                }
                client.endSending()
                for _ in 0..<20 { loop.turn(waitAtMostNs: 1_000_000) }
                expectService(loop, port, isSecure: isSecure)
                // An answer has time, also for a client that has nothing more to ask.
                if isWebSocket { drive(loop) { loop.remote.counters.open == 0 } }
            }
        }

        /// A client says much at once, in one record of TLS, while the library holds a frame for it.
        @Test(arguments: [true, false]) func clientsThatSayMuchAtOnce(_ isSecure: Bool) throws {
            try withLoop(Self.room) { loop in
                let port = try serveAtLength(loop, isSecure ? Certificates.shared.good : nil)
                let head = "GET /long HTTP/1.1\r\nHost: h\r\n\(upgradeLines)\r\n"
                let client = wire(port, head, isSecure: isSecure, readsAtMost: 1)
                drive(loop) {
                    client.step(idleStepsMax: .max)
                    return client.received.count > 0
                }
                for text in [9_000, 12_000, 15_900] {
                    let long = [UInt8](repeating: 120, count: text)
                    client.say(masked(1, Array("request".utf8)) + masked(1, long))
                }
                client.say((0..<1_000).flatMap { _ in masked(1, [120]) })
                for _ in 0..<20 { loop.turn(waitAtMostNs: 1_000_000) }
                expectService(loop, port, isSecure: isSecure)
                #expect(loop.remote.counters.open == 1)
            }
        }

        /// A client says that it closes, and neither reads on nor leaves.
        @Test(arguments: [true, false]) func clientsThatCloseAndStay(_ isSecure: Bool) throws {
            try withLoop { loop in
                let port = try serveAtLength(loop, isSecure ? Certificates.shared.good : nil)
                let head = "GET / HTTP/1.1\r\nHost: h\r\n\(upgradeLines)\r\n"
                let client = wire(port, head, isSecure: isSecure, readsAtMost: 1)
                drive(loop) {
                    client.step(idleStepsMax: .max)
                    return client.received.count > 0
                }
                client.say(masked(8, closePayload(code: 1000, reason: "enough")))
                drive(loop, forAtMostMs: 5_000) { loop.remote.counters.open == 0 }
            }
        }

        /// A message of nothing that never ends.
        @Test(arguments: [true, false]) func messagesThatNeverEnd(_ isSecure: Bool) throws {
            try withLoop { loop in
                let port = try serveAtLength(loop, isSecure ? Certificates.shared.good : nil)
                let head = "GET / HTTP/1.1\r\nHost: h\r\n\(upgradeLines)\r\n"
                let client = wire(port, head, isSecure: isSecure)
                drive(loop) {
                    client.step(idleStepsMax: .max)
                    return client.received.count > 0
                }
                var start = masked(1, [])
                start[0] &= 0x7F
                var more = masked(0, [])
                more[0] &= 0x7F
                client.say(start + (0..<1_100).flatMap { _ in more })
                drive(loop) {
                    client.step(idleStepsMax: .max)
                    return client.received.suffix(4) == closeFrame(1009)[...]
                }
            }
        }

        /// The server ends a connection, and the client stays: after an answer that was the last, after a
        /// body, after a second request that cannot be read, and after a frame that no client may send,
        /// whatever it says to the close frame.
        @Test(arguments: 0..<5, [true, false])
        func clientsThatAreLeftAndStay(_ how: Int, _ isSecure: Bool) throws {
            let get = "GET / HTTP/1.1\r\nHost: h\r\n"
            let wrong = masked(0xA, [1]).enumerated().map { $0 == 0 ? $1 | 0x40 : $1 }
            let cases: [(head: String, later: [UInt8])] = [
                (get + "Connection: close\r\n\r\n", []),
                ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab", []),
                (get + "\r\n", Array("\0\0 nothing of HTTP\r\n\r\n".utf8)),
                (get + upgradeLines + "\r\n", wrong),
                (get + upgradeLines + "\r\n", wrong + masked(8, closePayload(code: 1002, reason: ""))),
            ]
            try withLoop { loop in
                let port = try serveAtLength(loop, isSecure ? Certificates.shared.good : nil)
                let client = wire(port, cases[how].head, isSecure: isSecure, readsAtMost: 1)
                drive(loop) {
                    client.step(idleStepsMax: .max)
                    return client.received.count > 0
                }
                if !cases[how].later.isEmpty { client.say(cases[how].later) }
                drive(loop, forAtMostMs: 4_000) { serverEnds(port).isEmpty }
                #expect(!client.isOver)
            }
        }

        /// What a client does not take waits here, where it is counted, and not in the kernel; what it is not
        /// to get any more does not keep the end from it.
        @Test func littleWaitsInTheKernel() throws {
            try withLoop(Self.room) { loop in
                var peer: WebSocketPeer?
                let server = try serve(
                    loop,
                    upgrade: { _ in
                        .accept {
                            peer = $0
                            return WebSocketPeer.Handlers()
                        }
                    })
                let client = RawClient(server.port, path: "/")
                drive(loop) { peer != nil && client.read().hasSuffix("\r\n\r\n") }
                let text = String(repeating: "x", count: 10_000)
                for _ in 0..<400 {
                    #expect(peer?.send(text: text) == true)
                    loop.turn(waitAtMostNs: 0)
                }
                #expect(peer!.queuedBytes > 3_600_000)
                peer?.forgetQueue()
                #expect(peer!.queuedBytes < 20_000)
                peer?.close(code: 1008, reason: "slow")
                drive(loop) {
                    client.read()
                    return client.received.suffix(8) == Array(closeFrame(1008, "slow"))[...]
                }
                #expect(client.received.count < 400_000)
            }
        }

        /// The server's ends of its clients' connections.
        private func serverEnds(_ port: Int) -> [(descriptor: Int32, clientPort: Int)] {
            (0..<Int32(1_024)).compactMap { descriptor in
                var (own, peer) = (sockaddr_in(), sockaddr_in())
                var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                let isSocket = withUnsafeMutablePointer(to: &own) { own in
                    withUnsafeMutablePointer(to: &peer) { peer in
                        own.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                            getsockname(descriptor, $0, &length) == 0
                        }
                            && peer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                                getpeername(descriptor, $0, &length) == 0
                            }
                    }
                }
                if !isSocket || Int(UInt16(bigEndian: own.sin_port)) != port { return nil }
                return (descriptor, Int(UInt16(bigEndian: peer.sin_port)))
            }
        }

        /// The socket has no room left, and the library holds nothing: what it then writes by itself, the
        /// answer to a close or to a ping, is held whole.
        @Test(arguments: [8, 9] as [UInt8], [true, false])
        func clientsThatLeaveNoRoom(_ opcode: UInt8, _ endsLater: Bool) throws {
            try withLoop { loop in
                let port = try serveAtLength(loop)
                let client = RawClient(port, path: "/")
                drive(loop) { client.read(atMost: 200) && client.received.suffix(2) == [13, 10] }
                let ends = serverEnds(port)
                let descriptor = try #require(ends.first { $0.clientPort == client.localPort }?.descriptor)
                let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
                // Acknowledgements that come late make room again.
                for count in [65_536, 100, 1, 1, 1] {
                    usleep(50_000)
                    let zeros = [UInt8](repeating: 0, count: count)
                    while Glibc.send(descriptor, zeros, count, flags) > 0 {}
                }
                client.send(bytes: masked(opcode, [3, 232] + [UInt8](repeating: 99, count: 123)))
                if endsLater { loop.turn(waitAtMostNs: 1_000_000) }
                client.endSending()
                for _ in 0..<5 { loop.turn(waitAtMostNs: 1_000_000) }
                expectService(loop, port, isSecure: false)
                drive(loop) { loop.remote.counters.open == 0 }
            }
        }
    }
}
