// The server's machine step by step: what it keeps and says between two turns.

import LobTransport
import MarketData
import TestSupport
import Testing
import VenueSupport

@testable import BookServer

extension ServerTests {
    /// While a client keeps a closing server waiting, its books stand still: they are shown to nobody.
    @Test func aClosingServerShowsNothing() throws {
        let server = try DrivenServer()
        defer { server.stop() }
        server.begin()
        let client = server.client("/ws/sim0usdt@depth@100ms")
        server.drive("an update") { client.read().contains("depthUpdate") }
        #expect(!server.machine.turn(isStopping: true))
        let port = server.machine.port
        for target in ["/api/v3/depth?symbol=SIM0USDT", "/v1/books/SIM0USDT", "/ready"] {
            let answer = try server.stack.get(target, port: port)
            #expect(answer.status == 503 && answer.text.contains("closing"), "\(target)")
            #expect(answer.headers["retry-after"] == "1")
        }
        let late = server.client("/ws/sim0usdt@depth@100ms")
        server.stack.drive("refused") { late.read().hasPrefix("HTTP/1.1 503") }
        #expect(!client.hasServerHungUp)
    }

    /// The last summary of a stream whose ids begin anew is not repeated to those who join it afterwards.
    @Test func aBrokenStreamRepeatsNothing() throws {
        let server = try DrivenServer()
        defer { server.stop() }
        server.begin()
        let client = server.client("/ws/sim0usdt@depth@1000ms")
        server.drive("a summary") { client.read().contains("depthUpdate") }
        let topic = try #require(server.machine.topicsOfSymbol[0].first)
        #expect(topic.kind == .summaries && !topic.message.isEmpty)
        server.machine.book(0).forget()
        server.machine.broken(0)
        // The client has not gone yet, so the stream is still there.
        #expect(topic.hasClients && topic.message.isEmpty)
    }
}
