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
