// A dialer with an owner that only notes what it is to attempt.

import Testing

@testable import LobTransport

extension SocketTests {
    @Suite struct Dialling {
        /// Given up between the failure of one attempt and the next, which the same turn would have begun.
        @Test func nothingIsAttemptedOnceGivenUp() throws {
            let url = try ServiceURL("ws://127.0.0.1:1/")
            try withLoop { loop in
                var attempts: [WebSocketBackend] = []
                var ends: [TransportError] = []
                let dialer = Dialer(loop, url, backends: [.native, .libwebsockets], limitMs: 10_000)
                dialer.start(
                    begin: { attempts.append($0.backend) }, abandon: { nil }, giveUp: { ends.append($0) })
                drive(loop) { !attempts.isEmpty }
                dialer.failed(.unanswered)
                dialer.cancel()
                drive(loop) { !ends.isEmpty }
                for _ in 0..<5 { loop.turn(waitAtMostNs: 1_000_000) }
                #expect(attempts == [.native] && ends == [.cancelled])
            }
        }

        /// The next dial begins behind the address that was tried by several backends, wherever this one
        /// ended; what reached nobody is no attempt to the server.
        @Test func theFallbackMovesOn() throws {
            try withLoop { loop in
                var attempts: [String] = []
                var reached: [Bool] = []
                var isOver = false
                let dialer = Dialer(
                    loop, try ServiceURL("ws://127.0.0.1:1/"), backends: [.native, .libwebsockets],
                    limitMs: 10_000)
                dialer.start(
                    begin: { attempts.append("\($0.address) \($0.backend)") }, abandon: { nil },
                    giveUp: { _ in isOver = true })
                drive(loop) { attempts.count == 1 }
                dialer.failed(.unanswered)
                reached.append(dialer.hasReachedServer)
                drive(loop) { attempts.count == 2 }
                dialer.failed(.refused(address: "127.0.0.1"))
                reached.append(dialer.hasReachedServer)
                drive(loop) { isOver }
                #expect(reached == [true, false])
                let order = loop.addresses.order(["127.0.0.1", "127.0.0.2"], of: "127.0.0.1")
                #expect(order == ["127.0.0.2", "127.0.0.1"])
            }
        }

        /// Every attempt after the first is told: the server counts them all.
        @Test func furtherAttemptsAreTold() throws {
            let server = ScriptedServer([.awaitRequest, .hangUp])
            try withLoop { loop in
                var furtherCount = 0
                var isOver = false
                var handlers = WebSocketClient.Handlers { _, _ in }
                handlers.attempted = { furtherCount += 1 }
                handlers.closed = { _ in isOver = true }
                _ = WebSocketClient(server.url, on: loop, handlers: handlers)
                drive(loop, [server]) { isOver }
                #expect(furtherCount == 1 && server.connections.count == 2)
            }
        }
    }
}
