import Testing

@testable import LobTransport

private let backends = [WebSocketBackend.native, .libwebsockets]

extension SocketTests {
    @Suite struct Ending {
        @Test(arguments: backends) func closeIsAnswered(_ backend: WebSocketBackend) throws {
            let server = ScriptedServer([
                .awaitRequest, .upgrade, .awaitBytes(6), .send(closeFrame(1000, "bye")), .hangUp,
            ])
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend])
                drive(loop, [server]) { diary.isOpen }
                diary.client?.close(code: 1000, reason: "enough")
                drive(loop, [server]) { diary.end != nil }
                #expect(diary.error == nil)
                if backend == .native {
                    #expect(diary.end == WebSocketEnd(peerCode: 1000, peerReason: "bye"))
                }
                let sent = unmasked(server.connections[0].received)
                #expect(sent.first?.opcode == 8)
                #expect(sent.first?.payload == closePayload(code: 1000, reason: "enough"))
                #expect(diary.client?.send(text: "late") == false)
            }
        }

        @Test(arguments: backends) func closeIsNeverAnswered(_ backend: WebSocketBackend) throws {
            let server = ScriptedServer([.awaitRequest, .upgrade, .hang])
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend]) { $0.closeLimitMs = 100 }
                drive(loop, [server]) { diary.isOpen }
                diary.client?.close()
                drive(loop, [server], forAtMostMs: 1000) { diary.end != nil }
                #expect(diary.error == .silent(forMs: 100))
                #expect(diary.heard.count == 2)
            }
        }

        /// The peer has closed and been answered, but does not hang up.
        @Test(arguments: backends) func peerClosesAndStays(_ backend: WebSocketBackend) throws {
            let server = ScriptedServer([.awaitRequest, .upgrade, .send(closeFrame(1001, "going")), .hang])
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend]) { $0.closeLimitMs = 100 }
                drive(loop, [server], forAtMostMs: 1000) { diary.end != nil }
                #expect(diary.end == WebSocketEnd(peerCode: 1001, peerReason: "going"))
            }
        }

        @Test(arguments: backends) func hangsUpOrResets(_ backend: WebSocketBackend) throws {
            for end in [Step.hangUp, .reset] {
                let half = Array(text("half a message").dropLast(3))
                let server = ScriptedServer([
                    .awaitRequest, .upgrade, .send(text("whole")), .send(half), .wait(ms: 5), end,
                ])
                try withLoop { loop in
                    let diary = Diary(server.url, on: loop, [backend])
                    drive(loop, [server]) { diary.end != nil }
                    #expect(
                        diary.heard == [
                            .opened(backend), .message("whole"), .closed(WebSocketEnd(error: .lost)),
                        ])
                }
            }
        }

        /// The peer vanished without a word.
        @Test(arguments: backends) func halfOpen(_ backend: WebSocketBackend) throws {
            let server = ScriptedServer([.awaitRequest, .upgrade, .send(text("last sign of life")), .hang])
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend]) { $0.silenceLimitMs = 120 }
                drive(loop, [server], forAtMostMs: 1500) { diary.end != nil }
                guard case .silent(let forMs)? = diary.error else {
                    Issue.record("\(diary.heard)")
                    return
                }
                #expect(forMs >= 120)
            }
        }

        /// A silent peer is pinged, once, and given up when no byte answers; nothing else of it is missed.
        @Test(arguments: backends) func halfOpenIsFoundByAPing(_ backend: WebSocketBackend) throws {
            let server = ScriptedServer([
                .awaitRequest, .upgrade, .wait(ms: 60), .send(text("alive")), .wait(ms: 400),
            ])
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend]) {
                    $0.pingAfterMs = 100
                    $0.pongLimitMs = 80
                }
                let begin = monotonicNs()
                drive(loop, [server], forAtMostMs: 1500) { diary.end != nil }
                let elapsedMs = (monotonicNs() - begin) / 1_000_000
                #expect((220...1200).contains(elapsedMs), "\(elapsedMs) ms")
                guard case .silent? = diary.error else {
                    Issue.record("\(diary.heard)")
                    return
                }
                #expect(diary.heard.filter { $0 == .probe }.count == 1)
                #expect(unmasked(server.connections[0].received).map(\.opcode) == [9])
            }
        }

        /// A quiet peer that answers pings lives on, and is pinged in every silence.
        @Test(arguments: backends) func quietButAnswering(_ backend: WebSocketBackend) throws {
            let pong: [Step] = [
                .awaitBytes(6), .send(frame(10)), .awaitBytes(12), .send(frame(10)), .wait(ms: 20),
            ]
            let server = ScriptedServer([.awaitRequest, .upgrade] + pong + [.send(text("end")), .hang])
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend]) {
                    $0.pingAfterMs = 60
                    $0.pongLimitMs = 600
                }
                drive(loop, [server]) { !diary.messages.isEmpty || diary.end != nil }
                #expect(diary.messages == [Array("end".utf8)])
                #expect(diary.heard.filter { $0 == .probe }.count == 2)
                #expect(diary.heard.filter { $0 == .pong([]) }.count == 2)
            }
        }

        /// Pings alone are signs of life, on either backend.
        @Test(arguments: backends) func quietButAlive(_ backend: WebSocketBackend) throws {
            var script: [Step] = [.awaitRequest, .upgrade]
            for _ in 0..<8 { script += [.wait(ms: 40), .send(frame(9))] }
            let server = ScriptedServer(script + [.send(text("end")), .hang])
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend]) { $0.silenceLimitMs = 150 }
                drive(loop, [server]) { !diary.messages.isEmpty || diary.end != nil }
                #expect(diary.messages == [Array("end".utf8)])
            }
        }

        @Test(arguments: backends) func abortInEveryState(_ backend: WebSocketBackend) throws {
            let server = ScriptedServer { _ in [.awaitRequest, .wait(ms: 20), .upgrade, .hang] }
            try withLoop { loop in
                // Before the first turn, while dialling, when open, and twice.
                let early = Diary(server.url, on: loop, [backend])
                early.client?.abort()
                let dialling = Diary(server.url, on: loop, [backend])
                loop.turn()
                dialling.client?.close()
                let open = Diary(server.url, on: loop, [backend])
                drive(loop, [server]) { open.isOpen }
                open.client?.abort()
                open.client?.abort()
                drive(loop, [server]) { early.end != nil && dialling.end != nil && open.end != nil }
                #expect(early.heard == [.closed(WebSocketEnd(error: .cancelled))])
                #expect(dialling.heard == [.closed(WebSocketEnd(error: .cancelled))])
                #expect(open.heard == [.opened(backend), .closed(WebSocketEnd(error: .cancelled))])
                drive(loop, [server]) { loop.remote.counters.open == 0 }
            }
        }

        /// Closing the loop reports every connection once, whatever it is doing.
        @Test func loopCloses() throws {
            let server = ScriptedServer { _ in [.awaitRequest, .upgrade, .hang] }
            let silent = ScriptedServer { _ in [.hang] }
            let loop = try EventLoop()
            let open = backends.map { Diary(server.url, on: loop, [$0]) }
            drive(loop, [server]) { open.allSatisfy(\.isOpen) }
            let dialling = backends.map { Diary(silent.url, on: loop, [$0, .libwebsockets]) }
            let resolving = Diary(try ServiceURL("ws://no-such-host.invalid/"), on: loop)
            loop.turn()
            let new = Diary(server.url, on: loop)
            var fetched: TransportError??
            let fetch = HTTPFetch(
                silent.url, on: loop, handlers: .init(body: { _ in }, finished: { fetched = .some($0) }))
            loop.close()
            loop.close()
            #expect(open.allSatisfy { $0.heard.count == 2 && $0.error == .cancelled })
            for diary in dialling + [resolving, new] {
                #expect(diary.heard == [.closed(WebSocketEnd(error: .cancelled))])
            }
            #expect(fetched == .some(.cancelled))
            #expect(fetch.header("x") == nil)
            let late = Diary(server.url, on: loop)
            for _ in 0..<3 { loop.turn() }
            #expect(late.error == .cancelled)
        }

        /// Everything a handler may do to its own connection while it is being called.
        @Test(arguments: backends) func handlersActOnTheirConnection(_ backend: WebSocketBackend) throws {
            let server = ScriptedServer { number in
                [.awaitRequest, .upgrade, .send(text("1") + text("2") + text("3")), .hang]
            }
            try withLoop { loop in
                let aborting = Diary(server.url, on: loop, [backend])
                aborting.onMessage = { $0.client?.abort() }
                let closing = Diary(server.url, on: loop, [backend])
                closing.onMessage = { $0.client?.close() }
                let sending = Diary(server.url, on: loop, [backend])
                sending.onMessage = { _ = $0.client?.send(text: "echo") }
                var next: Diary?
                let dialling = Diary(server.url, on: loop, [backend])
                dialling.onMessage = { _ in
                    if next == nil { next = Diary(server.url, on: loop, [backend]) }
                }
                drive(loop, [server]) {
                    aborting.end != nil && closing.end != nil && sending.messages.count == 3
                        && next?.messages.count == 3
                }
                #expect(aborting.messages == [[0x31]] && aborting.error == .cancelled)
                #expect(closing.messages == [[0x31]])
                #expect(dialling.messages.count == 3)
            }
        }

        /// A turn that ends a connection says so at once, though it was allowed to wait for the network.
        @Test(arguments: [WebSocketBackend.native, .libwebsockets]) func endingDoesNotWait(
            _ backend: WebSocketBackend
        )
            throws
        {
            let server = ScriptedServer { number in
                number == 0
                    ? [.awaitRequest, .upgrade, .hang]
                    : [.awaitRequest, .text("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"), .hang]
            }
            try withLoop { loop in
                let open = Diary(server.url, on: loop, [backend])
                drive(loop, [server]) { open.isOpen }
                var status = 0
                var hasFinished = false
                var handlers = HTTPFetch.Handlers(body: { _ in }, finished: { _ in hasFinished = true })
                handlers.answered = { status = $0 }
                let fetch = HTTPFetch(
                    try ServiceURL("http://127.0.0.1:\(server.port)/"), on: loop, handlers: handlers)
                drive(loop, [server]) { status == 200 }
                let begin = monotonicNs()
                open.client?.abort()
                fetch.cancel()
                for _ in 0..<4 where open.end == nil || !hasFinished {
                    loop.turn(waitAtMostNs: 2_000_000_000)
                }
                #expect(open.end != nil && hasFinished)
                #expect((monotonicNs() - begin) / 1_000_000 < 1000)
            }
        }

        /// A server that reads nothing, so that the library holds a part of what this side has sent, and then
        /// ends, sends what no server may, or is left by this side.
        @Test(arguments: backends, 0..<4) func endsUnderAFullSocket(_ backend: WebSocketBackend, _ how: Int)
            throws
        {
            let endings: [[Step]] = [
                [.endSending], [.send([0xFF, 0xFF])], [.send(closeFrame(1001, "going"))],
                (0..<50).flatMap { _ in [.send(text("more")), .wait(ms: 1)] },
            ]
            let server = ScriptedServer(
                [.awaitRequest, .upgrade, .stopReading, .wait(ms: 50)] + endings[how] + [.hang])
            var options = EventLoop.Options()
            options.queueBytesMax = 64 << 20
            try withLoop(options) { loop in
                let diary = Diary(server.url, on: loop, [backend]) { $0.closeLimitMs = 200 }
                drive(loop, [server]) { diary.isOpen }
                #expect(diary.client?.send(text: String(repeating: "x", count: 14 << 20)) == true)
                if backend == .native && how == 3 { drive(loop, [server]) { diary.messages.count > 3 } }
                // The library's own role hears nothing until something is taken.
                let startNs = monotonicNs()
                let isDeaf = backend == .libwebsockets
                if isDeaf { drive(loop, [server]) { monotonicNs() > startNs + 100_000_000 } }
                if how == 3 || isDeaf { diary.client?.abort() }
                drive(loop, [server]) { diary.end != nil }
                drive(loop, [server]) { loop.remote.counters.open == 0 }
            }
        }
    }
}
