// The server's machine step by step: what it keeps and says between two turns.

import LobTransport
import MarketData
import TestSupport
import Testing
import VenueSupport

@testable import BookServer

extension ServerTests {
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
