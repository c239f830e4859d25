import Glibc
import TestSupport
import Testing

@testable import LobTransport

extension SocketTests {
    /// What a server does about its port, its addresses and clients that never finish.
    @Suite struct ServerEdges {
        @Test func portInUse() throws {
            try withLoop { loop in
                let first = try serve(loop)
                #expect(
                    throws: TransportError.cannotListen(port: first.port, reason: "Address already in use")
                ) {
                    try serve(loop, configure: { $0.port = first.port })
                }
                #expect(
                    throws: TransportError.cannotListen(port: 0, reason: "Cannot assign requested address")
                ) {
                    try serve(loop, configure: { $0.address = "203.0.113.1" })
                }
            }
        }

        @Test(arguments: ["127.0.0.1", "::1", nil] as [String?])
        func addressFamilies(_ address: String?) throws {
            try withLoop { loop in
                let server = try serve(loop, configure: { $0.address = address })
                let hosts =
                    address == nil ? ["127.0.0.1", "[::1]"] : address == "::1" ? ["[::1]"] : ["127.0.0.1"]
                for host in hosts {
                    for backend in [WebSocketBackend.native, .libwebsockets] {
                        let diary = Diary(try ServiceURL("ws://\(host):\(server.port)/"), on: loop, [backend])
                        drive(loop) { diary.isOpen }
                    }
                }
            }
        }

        @Test func unfinishedRequestsDoNotStay() throws {
            try withLoop { loop in
                let server = try serve(loop)
                let garbage = RawClient(server.port)
                garbage.send("\u{16}\u{3}\u{1}\u{2}\r\n\r\n")
                let keyless = RawClient(server.port)
                keyless.send(
                    "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
                drive(loop) {
                    _ = garbage.read()
                    _ = keyless.read()
                    return garbage.hasServerHungUp && keyless.hasServerHungUp
                }
                #expect(server.peerCount == 0)
                drive(loop) { loop.remote.counters.open == 0 }
            }
        }

        /// Requests with bodies that lie ready behind each other: the library lost count of them and reported
        /// the end of a body for ever. The first is answered, and the connection ends.
        @Test(arguments: ["GET", "POST", "HEAD"], [1, 5, 70, 3000])
        func bodiesThatLieReady(_ method: String, _ length: Int) throws {
            try withLoop { loop in
                let server = try serve(loop)
                let one =
                    "\(method) / HTTP/1.1\r\nHost: h\r\nContent-Length: \(length)\r\n\r\n"
                    + String(repeating: "x", count: length)
                let first = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
                for text in [
                    first + one + one + one, one + one, first + one + String(repeating: "\r\n", count: 500),
                ] {
                    let client = RawClient(server.port)
                    client.send(text)
                    drive(loop) {
                        _ = client.read()
                        return client.hasServerHungUp
                    }
                    #expect(client.read().hasPrefix("HTTP/1.1 200 OK\r\n"))
                }
                drive(loop) { loop.remote.counters.open == 0 }
            }
        }

        /// A client of a body that goes on has nothing more to say: one that does, or goes, is disconnected
        /// at once. The library would neither read that nor wait.
        @Test(arguments: [true, false]) func clientsOfStreamsAreHeard(_ isTalking: Bool) throws {
            try withLoop { loop in
                let server = try HTTPServer(
                    on: loop,
                    handlers: HTTPServer.Handlers(
                        request: { _ = $0.respond(streaming: "text/event-stream") },
                        upgrade: { _ in .refuse(HTTPResponse(json: "{}")) }))
                var client: RawClient? = RawClient(server.port)
                client?.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                drive(loop) { client?.read().contains("200 OK") == true }
                #expect(loop.remote.counters.open == 1)
                if isTalking { client?.send("x") } else { client = nil }
                drive(loop) { loop.remote.counters.open == 0 }
            }
        }

        /// A request with a body, however slowly it comes, gets no stream.
        @Test func streamsAreNotForBodies() throws {
            try withLoop { loop in
                let server = try serve(loop, request: { _ = $0.respond(streaming: "text/event-stream") })
                let client = RawClient(server.port)
                client.send("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nx")
                drive(loop) { client.read().hasPrefix("HTTP/1.1 500") }
            }
        }

        /// An upgrade that nobody knows, behind another request: the library refuses it, frees the head, and
        /// then asks about it.
        @Test func upgradesToTheUnknown() throws {
            try withLoop { loop in
                let server = try serve(loop)
                let client = RawClient(server.port)
                client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                drive(loop) { client.read().hasSuffix("{}") }
                client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n")
                drive(loop) {
                    client.read()
                    return client.hasServerHungUp
                }
                drive(loop) { loop.remote.counters.open == 0 }
            }
        }

        /// What asks for a tunnel gets none, and nothing of it stays.
        @Test func tunnelsAreNotMade() throws {
            try withLoop { loop in
                let server = try serve(loop)
                let client = RawClient(server.port)
                client.send("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nraw bytes")
                drive(loop) {
                    _ = client.read()
                    return client.hasServerHungUp
                }
                #expect(client.received.isEmpty)
            }
        }
    }
}
