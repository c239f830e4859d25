import Testing

@testable import LobTransport

extension SocketTests {
    @Suite struct Conformance {
        /// What a client of this backend must have heard of a row.
        private func expected(_ heard: [Heard], _ backend: WebSocketBackend) -> [Heard] {
            [.opened(backend)]
                + heard.filter { event in
                    if case .ping = event { backend == .native } else { true }
                }
        }

        @Test(arguments: conformanceTable, [WebSocketBackend.native, .libwebsockets])
        func overSockets(_ row: ConformanceRow, _ backend: WebSocketBackend) throws {
            if backend == .libwebsockets && row.standard == .accepts { return }
            // The first bytes come with the answer to the upgrade, the rest in two pieces.
            let cut = min(row.bytes.count, 3)
            let server = ScriptedServer([
                .awaitRequest, .upgrade, .send(Array(row.bytes[..<cut])), .wait(ms: 1),
                .send(Array(row.bytes[cut...])),
                // Apart from the row's own pings: the library drops a ping while it still owes a pong.
                .wait(ms: 2), .send(row.isOpen ? frame(9, [42]) : []), .awaitBytes(6),
            ])
            try withLoop { loop in
                let diary = Diary(server.url, on: loop, [backend]) { options in
                    options.messageBytesMax = conformanceMessageBytesMax
                    options.closeLimitMs = 50
                }
                switch row.outcome {
                case .open(let heard):
                    let pongs = heard.filter { if case .ping = $0 { true } else { false } }.count + 1
                    drive(loop, [server]) {
                        unmasked(server.connections.first?.received ?? []).count >= pongs
                    }
                    let answer = unmasked(server.connections[0].received)
                    #expect(answer.allSatisfy { $0.opcode == 10 })
                    #expect(answer.last?.payload == [42])
                    let probe: [Heard] = backend == .native ? [.ping([42])] : []
                    #expect(diary.heard == expected(heard, backend) + probe)
                case .closed(let heard, let code, let reason):
                    drive(loop, [server]) { diary.end != nil }
                    #expect(Array(diary.heard.dropLast()) == expected(heard, backend))
                    if row.standard == .same || backend == .native {
                        #expect(diary.end == WebSocketEnd(peerCode: code, peerReason: reason))
                    }
                    server.step()
                    let answer = unmasked(server.connections[0].received)
                    #expect(answer.first?.opcode == 8)
                    if backend == .native && code != 1005 {
                        #expect(answer[0].payload == closePayload(code: code, reason: ""))
                    }
                case .violation(let heard, let fault, let offset):
                    drive(loop, [server]) { diary.end != nil }
                    #expect(Array(diary.heard.dropLast()) == expected(heard, backend))
                    #expect(diary.error != nil)
                    if backend == .native {
                        #expect(diary.error == .violation(FrameViolation(fault: fault, offset: offset)))
                        #expect(loop.remote.counters.violations == 1)
                        server.step()
                        let answer = unmasked(server.connections[0].received)
                        #expect(answer.first?.opcode == 8)
                        #expect(answer.first?.payload == closePayload(code: fault.closeCode, reason: ""))
                    }
                }
            }
        }

        @Test(arguments: [WebSocketBackend.native, .libwebsockets])
        func bytesWithTheAnswer(_ backend: WebSocketBackend) throws {
            // Frames and a ping in the very segment of the 101.
            var server: ScriptedServer?
            server = ScriptedServer { _ in [.awaitRequest] }
            try withLoop { loop in
                let diary = Diary(server!.url, on: loop, [backend])
                drive(loop, [server!]) { server!.connections.first?.script.isEmpty == true }
                let connection = server!.connections[0]
                connection.script = [
                    .send(
                        Array(upgradeAnswer(to: connection.request).utf8) + text("first") + frame(9, [1])
                            + text("second")),
                    .awaitBytes(7),
                ]
                drive(loop, [server!]) { connection.received.count >= 7 && diary.messages.count == 2 }
                #expect(diary.messages == [Array("first".utf8), Array("second".utf8)])
                #expect(unmasked(connection.received).first?.payload == [1])
            }
        }

        @Test(arguments: [WebSocketBackend.native, .libwebsockets])
        func messagesFromOurOwnServer(_ backend: WebSocketBackend) throws {
            // Counts around every border of framing and of the read buffer, echoed by the library's server
            // role.
            let counts = [0, 1, 125, 126, 4095, 4096, 65535, 65536, 65537, 200_000]
            try withLoop { loop in
                let server = try HTTPServer(
                    on: loop,
                    handlers: HTTPServer.Handlers(
                        request: { $0.respond(HTTPResponse(json: "{}")) },
                        upgrade: { _ in
                            .accept { peer in
                                for count in counts {
                                    _ = peer.send(
                                        text: [UInt8](repeating: UInt8(count & 0x7F), count: count).span)
                                }
                                return WebSocketPeer.Handlers()
                            }
                        }))
                let diary = Diary(try ServiceURL("ws://127.0.0.1:\(server.port)/"), on: loop, [backend])
                drive(loop) { diary.messages.count == counts.count }
                #expect(diary.messages == counts.map { [UInt8](repeating: UInt8($0 & 0x7F), count: $0) })
            }
        }
    }
}

extension ConformanceRow {
    fileprivate var isOpen: Bool {
        if case .open = outcome { true } else { false }
    }
}
