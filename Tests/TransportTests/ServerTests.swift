import Glibc
import TestSupport
import Testing

@testable import LobTransport

func serve(
    _ loop: EventLoop, request: @escaping (HTTPRequest) -> Void = { $0.respond(HTTPResponse(json: "{}")) },
    upgrade: @escaping (HTTPRequest) -> UpgradeAnswer = { _ in .accept { _ in WebSocketPeer.Handlers() } },
    configure: (inout HTTPServer.Options) -> Void = { _ in }
) throws -> HTTPServer {
    var options = HTTPServer.Options()
    configure(&options)
    return try HTTPServer(
        on: loop, options: options, handlers: HTTPServer.Handlers(request: request, upgrade: upgrade))
}

/// CPU time of the thread.
func threadCPUNs() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

private func ws(_ server: HTTPServer, _ path: String = "/ws") throws -> ServiceURL {
    try ServiceURL("ws://127.0.0.1:\(server.port)\(path)")
}

extension SocketTests {
    @Suite struct Server {
        @Test func requests() throws {
            try withLoop { loop in
                var seen: [String] = []
                let server = try serve(
                    loop,
                    request: { request in
                        let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "|")
                        seen.append(
                            "\(request.method) \(request.path) \(query) \(request.header("x-test") ?? "-")")
                        request.respond(
                            HTTPResponse(
                                status: request.path == "/missing" ? 404 : 200,
                                headers: [HTTPHeader("X-MBX-USED-WEIGHT-1M", "5")!],
                                body: Array("{\"a\":1}".utf8)))
                    })
                let client = RawClient(server.port)
                client.send(
                    "GET /api/v3/depth?symbol=BTCUSDT&limit=5&a%20b=c%2Fd&flag HTTP/1.1\r\nHost: h\r\n\r\n")
                drive(loop) { client.read().contains("{\"a\":1}") }
                #expect(client.read().hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(client.read().contains("X-MBX-USED-WEIGHT-1M: 5\r\n"))
                #expect(client.read().contains("Content-Type: application/json\r\n"))
                // Kept alive: two more on the same connection.
                client.send("HEAD /missing HTTP/1.1\r\nHost: h\r\nX-Test: yes\r\n\r\n")
                drive(loop) { client.read().hasSuffix("Content-Length: 7\r\n\r\n") }
                #expect(client.read().contains("HTTP/1.1 404 Not Found\r\n"))
                client.send("POST /post HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz")
                drive(loop) { client.read().components("{\"a\":1}") == 2 }
                #expect(
                    seen == [
                        "get /api/v3/depth symbol=BTCUSDT|limit=5|a b=c/d|flag= -", "head /missing  yes",
                        "post /post  -",
                    ])
                #expect(loop.remote.counters.open == 0)
            }
        }

        @Test func laterAndNever() throws {
            try withLoop { loop in
                let server = try serve(
                    loop,
                    request: { request in
                        if request.path == "/never" { return }
                        let busyNs = threadCPUNs()
                        loop.after(50_000_000) {
                            // Waiting for the answer is waiting, but for the last millisecond.
                            #expect(threadCPUNs() - busyNs < 20_000_000)
                            #expect(request.respond(HTTPResponse(json: "{\"late\":true}")))
                            #expect(!request.respond(HTTPResponse(json: "{}")))
                        }
                    })
                let late = RawClient(server.port)
                let never = RawClient(server.port)
                late.send("GET /late HTTP/1.1\r\nHost: h\r\n\r\n")
                never.send("GET /never HTTP/1.1\r\nHost: h\r\n\r\n")
                drive(loop) { late.read().contains("late") && never.read().contains("\r\n\r\n") }
                // Two at once are answered in order.
                late.send("GET /never HTTP/1.1\r\nHost: h\r\n\r\nGET /never?2 HTTP/1.1\r\nHost: h\r\n\r\n")
                drive(loop) { late.read().components("HTTP/1.1 500") == 2 }
                #expect(never.read().hasPrefix("HTTP/1.1 500 "))
            }
        }

        /// Waiting for an answer is waiting also while the client's next requests lie ready.
        @Test(arguments: [false, true]) func pipeliningDoesNotSpin(_ isSecure: Bool) throws {
            var options = EventLoop.Options()
            options.authorityPath = Certificates.shared.authorityPath
            try withLoop(options) { loop in
                var turnCount = 0
                var answered = 0
                let server = try serve(
                    loop,
                    request: { request in
                        let before = turnCount
                        loop.after(50_000_000) {
                            #expect(turnCount - before < 100)
                            answered += 1
                            request.respond(HTTPResponse(json: "{}"))
                        }
                    })
                let client = RawClient(server.port)
                let one = "GET /late HTTP/1.1\r\nHost: h\r\n\r\n"
                client.send(String(repeating: one, count: 5))
                drive(loop) {
                    turnCount += 1
                    return client.read().components("HTTP/1.1 200") == 5
                }
                #expect(answered == 5)
            }
        }

        @Test func clientGoneBeforeTheAnswer() throws {
            try withLoop { loop in
                var held: HTTPRequest?
                let server = try serve(loop, request: { held = $0 })
                do {
                    let client = RawClient(server.port)
                    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                    drive(loop) { held != nil }
                }
                for _ in 0..<5 { loop.turn(waitAtMostNs: 1_000_000) }
                held?.respond(HTTPResponse(body: [UInt8](repeating: 1, count: 1 << 20)))
                drive(loop) { loop.remote.counters.open == 0 }
                #expect(held?.respond(HTTPResponse(json: "{}")) == false)
                #expect(held?.header("host") == nil && held?.query.isEmpty == true)
            }
        }

        @Test func largeBody() throws {
            let piece = (0..<100_003).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 11) }
            let body = (0..<60).flatMap { _ in piece }
            try withLoop { loop in
                let server = try serve(loop, request: { $0.respond(HTTPResponse(body: body)) })
                var received: [UInt8] = []
                var end: TransportError??
                let fetch = HTTPFetch(
                    try ServiceURL("http://127.0.0.1:\(server.port)/"), on: loop,
                    handlers: .init(body: { received += $0.bytes }, finished: { end = .some($0) }))
                drive(loop, forAtMostMs: 8000) { end != nil }
                #expect(received == body && end == .some(nil))
                _ = fetch
            }
        }

        @Test func upgradesByPath() throws {
            try withLoop { loop in
                let server = try serve(
                    loop,
                    upgrade: { request in
                        if request.path.hasPrefix("/ws/") {
                            return .accept { peer in
                                _ = peer.send(text: request.path)
                                return WebSocketPeer.Handlers()
                            }
                        }
                        let streams = request.query.first { $0.name == "streams" }?.value
                        if let streams {
                            return .accept { peer in
                                for stream in streams.split(separator: "/") {
                                    _ = peer.send(text: String(stream))
                                }
                                return WebSocketPeer.Handlers()
                            }
                        }
                        return .refuse(HTTPResponse(status: 404, json: "{\"code\":0}"))
                    })
                let raw = Diary(try ws(server, "/ws/btcusdt@depth@100ms"), on: loop)
                let combined = Diary(
                    try ws(server, "/stream?streams=a@depth/b@trade&timeUnit=MICROSECOND"), on: loop)
                let wrong = Diary(try ws(server, "/other"), on: loop, [.native, .libwebsockets])
                drive(loop) { raw.messages.count == 1 && combined.messages.count == 2 && wrong.end != nil }
                #expect(raw.messages == [Array("/ws/btcusdt@depth@100ms".utf8)])
                #expect(combined.messages == [Array("a@depth".utf8), Array("b@trade".utf8)])
                #expect(wrong.error == .upgradeRefused(status: 404))
                #expect(server.peerCount == 2)
            }
        }

        @Test func peersAreLimited() throws {
            try withLoop { loop in
                let server = try serve(loop, configure: { $0.peerCountMax = 2 })
                let diaries = try (0..<3).map { _ in Diary(try ws(server), on: loop) }
                drive(loop) { diaries.filter(\.isOpen).count == 2 && diaries.contains { $0.end != nil } }
                #expect(diaries.compactMap(\.error) == [.upgradeRefused(status: 503)])
                diaries.first { $0.isOpen }?.client?.abort()
                drive(loop) { server.peerCount == 1 }
                let next = Diary(try ws(server), on: loop)
                drive(loop) { next.isOpen }
            }
        }

        /// A client that does not read fills its own queue, up to the limit, and nobody else's.
        @Test func slowReader() throws {
            var options = EventLoop.Options()
            options.queueBytesMax = 1 << 20
            try withLoop(options) { loop in
                let message = [UInt8](repeating: 0x61, count: 100_000)
                var peer: WebSocketPeer?
                var drainedCount = 0
                let server = try serve(
                    loop,
                    upgrade: { _ in
                        .accept {
                            peer = $0
                            var handlers = WebSocketPeer.Handlers()
                            handlers.drained = { drainedCount += 1 }
                            return handlers
                        }
                    })
                let client = RawClient(server.port)
                client.send(
                    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
                drive(loop) { peer != nil }
                // Held by a handler of its own server.
                defer { peer = nil }
                var sentCount = 0
                while peer!.send(text: message.span) { sentCount += 1 }
                #expect(sentCount >= 10 && sentCount < 200)
                #expect(peer!.isCongested && peer!.queuedBytes <= 1 << 20 && peer!.queuedBytes > 900_000)
                #expect(loop.remote.counters.refusedSends == 1)
                let expected = sentCount * (message.count + 10)
                drive(loop, forAtMostMs: 5000) {
                    _ = client.read()
                    return client.received.count >= expected && drainedCount == 1
                }
                #expect(peer!.queuedBytes == 0 && !peer!.isCongested)
                let isSent = peer!.send(text: message.span)
                #expect(isSent)
            }
        }

        @Test func closesWithACode() throws {
            try withLoop { loop in
                var end: WebSocketEnd?
                let server = try serve(
                    loop,
                    upgrade: { _ in
                        .accept { peer in
                            for number in 0..<5 { _ = peer.send(text: "\(number)") }
                            peer.close(code: 1008, reason: "Too many requests")
                            var handlers = WebSocketPeer.Handlers()
                            handlers.closed = { end = $0 }
                            return handlers
                        }
                    })
                let diary = Diary(try ws(server), on: loop)
                drive(loop) { diary.end != nil && end != nil }
                #expect(diary.messages.count == 5)
                #expect(diary.end == WebSocketEnd(peerCode: 1008, peerReason: "Too many requests"))
                #expect(end == WebSocketEnd(error: nil))
                #expect(server.peerCount == 0)
            }
        }

        @Test func hearsClients() throws {
            try withLoop { loop in
                var heard: [String] = []
                var end: WebSocketEnd?
                let server = try serve(
                    loop,
                    upgrade: { _ in
                        .accept { peer in
                            var handlers = WebSocketPeer.Handlers()
                            var message = ""
                            handlers.message = { bytes, isFinal in
                                message += bytes.text
                                if isFinal { heard.append(message) }
                                if isFinal { message = "" }
                            }
                            handlers.closed = { end = $0 }
                            return handlers
                        }
                    }, configure: { $0.messageBytesMax = 20000 })
                let diary = Diary(try ws(server), on: loop)
                drive(loop) { diary.isOpen }
                let long = String(repeating: "m", count: 15000)
                #expect(diary.client?.send(text: "one") == true && diary.client?.send(text: long) == true)
                #expect(diary.client?.ping([1, 2, 3]) == true)
                drive(loop) { heard.count == 2 && diary.heard.contains(.pong([1, 2, 3])) }
                #expect(heard == ["one", long])
                _ = diary.client?.send(text: String(repeating: "m", count: 30000))
                drive(loop) { diary.end != nil && end != nil }
                #expect(diary.end?.peerCode == 1009)
                guard case .violation? = end?.error else {
                    Issue.record("\(String(describing: end))")
                    return
                }
            }
        }

        @Test func pingsAndCutsOff() throws {
            try withLoop { loop in
                var options = HTTPServer.Options()
                options.pingIntervalMs = 20
                options.pongLimitMs = 60
                var ends: [WebSocketEnd] = []
                var handlers = HTTPServer.Handlers(
                    request: { $0.respond(HTTPResponse(json: "{}")) },
                    upgrade: { _ in
                        .accept { _ in
                            var handlers = WebSocketPeer.Handlers()
                            handlers.closed = { ends.append($0) }
                            return handlers
                        }
                    })
                handlers.pingPayload = { Array("1700000000000".utf8) }
                let server = try HTTPServer(on: loop, options: options, handlers: handlers)
                let alive = Diary(try ws(server), on: loop)
                let deaf = RawClient(server.port)
                deaf.send(
                    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
                // The next ping follows the pong, not the time that a pong may take.
                options.pongLimitMs = 60_000
                let patient = try HTTPServer(on: loop, options: options, handlers: handlers)
                let prompt = Diary(try ws(patient), on: loop)
                drive(loop) { ends.count == 1 && alive.heard.count > 4 && prompt.heard.count > 4 }
                #expect(ends == [WebSocketEnd(error: .silent(forMs: 60))])
                #expect(alive.heard.dropFirst().allSatisfy { $0 == .ping(Array("1700000000000".utf8)) })
                #expect(alive.isOpen && alive.end == nil)
            }
        }
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func components(_ part: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: part) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
