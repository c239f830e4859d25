import Testing

@testable import LobTransport

private let backends = [WebSocketBackend.native, .libwebsockets]

extension SocketTests {
    @Suite struct Handshake {
        @Test(arguments: backends) func refused(_ backend: WebSocketBackend) throws {
            let server = ScriptedServer(isListening: false) { _ in [] }
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend, .libwebsockets])
                drive(loop, [server]) { diary.end != nil }
                #expect(diary.error == .refused(address: "127.0.0.1"))
                #expect(diary.error?.description == "connection to 127.0.0.1 refused")
                #expect(loop.remote.counters.attempts == 1)
                #expect(loop.remote.counters.open == 0)
            }
        }

        @Test func unresolved() throws {
            try withLoop { loop in
                let diary = Diary(try ServiceURL("ws://no-such-host.invalid/ws"), on: loop)
                drive(loop) { diary.end != nil }
                guard case .unresolved("no-such-host.invalid", _)? = diary.error else {
                    Issue.record("\(diary.heard)")
                    return
                }
                #expect(loop.remote.counters.attempts == 0)
            }
        }

        /// The name is resolved on another thread, and the address that refuses (::1) does not end the
        /// attempt.
        @Test func nameWithASecondAddress() throws {
            let server = ScriptedServer([.awaitRequest, .upgrade, .send(text("hi"))])
            try withLoop { loop in
                let diary = Diary(try ServiceURL("ws://localhost:\(server.port)/ws"), on: loop)
                drive(loop, [server]) { !diary.messages.isEmpty }
                #expect(diary.heard == [.opened(.native), .message("hi")])
                #expect(server.connections[0].request.contains("Host: localhost:\(server.port)\r\n"))
            }
        }

        @Test(arguments: backends) func slowLoris(_ backend: WebSocketBackend) throws {
            let server = ScriptedServer([
                .awaitRequest, .drip(Array(upgradeAnswer(to: "").utf8), everyMs: 10), .hang,
            ])
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend]) { $0.openLimitMs = 150 }
                drive(loop, [server], forAtMostMs: 1000) { diary.end != nil }
                #expect(diary.error == .timedOut(afterMs: 150))
            }
        }

        @Test(arguments: backends) func noAnswer(_ backend: WebSocketBackend) throws {
            let server = ScriptedServer([.hang])
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend]) { $0.openLimitMs = 100 }
                drive(loop, [server], forAtMostMs: 1000) { diary.end != nil }
                #expect(diary.error == .timedOut(afterMs: 100))
                // The socket goes with the attempt.
                drive(loop, [server]) { loop.remote.counters.open == 0 }
            }
        }

        @Test(arguments: backends) func hangsUpUnanswered(_ backend: WebSocketBackend) throws {
            let server = ScriptedServer([.awaitRequest, .hangUp])
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend])
                drive(loop, [server]) { diary.end != nil }
                #expect(diary.error == .unansweredInPlain)
            }
        }

        /// The library's parser waits for something it knows; the limit ends that.
        @Test(arguments: backends) func garbageForAnswer(_ backend: WebSocketBackend) throws {
            for garbage in [
                "SSH-2.0-OpenSSH_9.2\r\n\r\n", "\u{0}\u{1}\u{2}\u{3}", String(repeating: "x", count: 70000),
            ] {
                let server = ScriptedServer([.awaitRequest, .text(garbage), .hang])
                try withLoop { loop in
                    let diary = Diary(server.url, on: loop, [backend]) { $0.openLimitMs = 100 }
                    drive(loop, [server], forAtMostMs: 1000) { diary.end != nil }
                    switch diary.error {
                    case .badAnswer, .timedOut(afterMs: 100): break
                    case let error: Issue.record("\(String(describing: error))")
                    }
                }
            }
        }

        @Test(arguments: [400, 403, 404, 426, 429, 503], backends)
        func status(_ status: Int, _ backend: WebSocketBackend) throws {
            let server = ScriptedServer([
                .awaitRequest, .text("HTTP/1.1 \(status) No\r\nContent-Length: 2\r\n\r\nno"), .hang,
            ])
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend])
                drive(loop, [server]) { diary.end != nil }
                #expect(diary.error == .upgradeRefused(status: status))
                #expect(diary.heard.count == 1)
            }
        }

        /// What a refusal says of when to come again reaches the owner, by either backend.
        @Test(
            arguments: [
                ("17", 17), ("0", 0), ("99999999999999999999", Int.max), ("-3", nil), ("soon", nil),
                ("", nil),
            ], backends)
        func retryAfter(_ retry: (text: String, seconds: Int?), _ backend: WebSocketBackend) throws {
            let server = ScriptedServer([
                .awaitRequest,
                .text("HTTP/1.1 429 No\r\nRetry-After: \(retry.text)\r\nContent-Length: 2\r\n\r\nno"), .hang,
            ])
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend])
                drive(loop, [server]) { diary.end != nil }
                #expect(diary.error == .upgradeRefused(status: 429, retryAfterSeconds: retry.seconds))
            }
        }

        /// A server that does not consent to the native backend gets the library's own handshake; one that is
        /// out of order or limits its clients does not get a second attempt.
        @Test func fallback() throws {
            let answers: [(step: Step, isWorthAnother: Bool)] = [
                (.text("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), true),
                (.text("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n"), true),
                (.upgradeWith(["Sec-WebSocket-Accept": "nonsense"]), true),
                (.hangUp, true),
                (.text("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), false),
                (.text("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"), false),
                (.text("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), false),
            ]
            for answer in answers {
                let server = ScriptedServer {
                    [.awaitRequest, $0 == 0 ? answer.step : .upgrade, .send(text("hi")), .hang]
                }
                try withLoop { loop in
                    let diary = Diary(server.url, on: loop, [.native, .libwebsockets])
                    drive(loop, [server]) { diary.end != nil || !diary.messages.isEmpty }
                    #expect(diary.isOpen == answer.isWorthAnother, "\(answer.step)")
                    #expect(loop.remote.counters.attempts == (answer.isWorthAnother ? 2 : 1))
                    if answer.isWorthAnother {
                        #expect(diary.heard == [.opened(.libwebsockets), .message("hi")])
                    }
                }
            }
        }

        @Test(
            arguments: [
                (["Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="], HandshakeFault.accept),
                (["Sec-WebSocket-Accept": ""], .accept),
                (["Upgrade": "h2c"], .upgrade),
                (["Connection": "close"], .connection),
                (["Sec-WebSocket-Protocol": "chat"], .subprotocol),
                (["Sec-WebSocket-Extensions": "permessage-deflate"], .extensions),
            ] as [([String: String], HandshakeFault)], backends)
        func invalidAnswer(_ answer: ([String: String], HandshakeFault), _ backend: WebSocketBackend) throws {
            let server = ScriptedServer([.awaitRequest, .upgradeWith(answer.0), .send(text("x")), .hang])
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend])
                drive(loop, [server]) { diary.end != nil }
                let fault = backend == .native ? answer.1 : .unspecified
                #expect(diary.heard == [.closed(WebSocketEnd(error: .handshakeInvalid(fault)))])
            }
        }

        @Test func bodyAnnouncedByThe101() throws {
            for header in [["Content-Length": "5"], ["Transfer-Encoding": "chunked"]] {
                let server = ScriptedServer([.awaitRequest, .upgradeWith(header), .hang])
                try withLoop { loop in
                    let diary = Diary(server.url, on: loop)
                    drive(loop, [server]) { diary.end != nil }
                    #expect(diary.error == .handshakeInvalid(.body))
                }
            }
        }

        @Test func requestOfTheFastBackend() throws {
            let server = ScriptedServer([.awaitRequest, .upgrade, .hang])
            let streams = (0..<300).map { "symbol\($0)usdt@depth@100ms" }.joined(separator: "/")
            let path = "/stream?streams=" + streams.prefix(7000)
            try withLoop { loop in
                let url = try ServiceURL("ws://127.0.0.1:\(server.port)\(path)")
                let diary = Diary(url, on: loop, [.native, .libwebsockets]) {
                    $0.headers = [HTTPHeader("User-Agent", "test/1")!]
                }
                drive(loop, [server]) { diary.isOpen }
                let lines = server.connections[0].request.split(separator: "\r\n").map(String.init)
                #expect(lines[0] == "GET \(path) HTTP/1.1")
                #expect(lines.contains("Host: 127.0.0.1:\(server.port)"))
                #expect(lines.contains("User-Agent: test/1"))
                #expect(lines.filter { $0.lowercased().hasPrefix("connection:") } == ["Connection: Upgrade"])
                #expect(lines.filter { $0.hasPrefix("Sec-WebSocket-Version: 13") }.count == 1)
                #expect(lines.count == 7)
            }
        }

        @Test func pathTooLongForTheStandardBackend() throws {
            try withLoop { loop in
                let path = "/" + String(repeating: "x", count: 3000)
                let diary = Diary(try ServiceURL("ws://127.0.0.1:1\(path)"), on: loop, [.libwebsockets])
                drive(loop) { diary.end != nil }
                guard case .invalidURL? = diary.error else {
                    Issue.record("\(diary.heard)")
                    return
                }
            }
        }
    }
}
