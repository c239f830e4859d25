// What a service tells, as words and facts.

import BinanceDepth
import DepthFeed
import MarketData
import Testing
import Transport

@testable import BookService

@Suite struct EventFactTests {
    private static let key = SnapshotKey(market: .spot, symbol: SymbolName("BTCUSDT")!)

    /// Lane and connection tell connections apart, and numbers stand under names of their own.
    @Test func connectionsAreToldApart() {
        let event = ServiceEvent.feed(lane: 2, .life(.subscribed(1, streamCount: 400, afterMs: 4)))
        #expect(event.message == "subscribed")
        #expect(
            event.facts == [
                EventFact("lane", 2), EventFact("connection", 1), EventFact("streams", 400),
                EventFact("ms", 4),
            ])
    }

    /// What is unknown is left out: a status without an answer, a reason that was not given.
    @Test(
        arguments: [
            (503, "", [EventFact("status", 503)]),
            (0, "connection lost", [EventFact("reason", text: "connection lost")]),
            (500, "-1000 No", [EventFact("status", 500), EventFact("reason", text: "-1000 No")]),
        ] as [(Int, String, [EventFact])])
    func answers(_ status: Int, _ reason: String, _ wanted: [EventFact]) {
        let event = ServiceEvent.desk(
            .snapshotRetried(EventFactTests.key, status: status, reason: reason, afterMs: 250))
        #expect(
            event.facts == [EventFact("symbol", text: "BTCUSDT")] + wanted + [EventFact("retryMs", 250)])
    }

    @Test(
        arguments: [
            (WebSocketEnd(), []), (WebSocketEnd(peerCode: 1001), [EventFact("code", 1001)]),
            (
                WebSocketEnd(peerCode: 1008, peerReason: "slow"),
                [EventFact("code", 1008), EventFact("reason", text: "slow")]
            ),
            (WebSocketEnd(error: .lost), [EventFact("reason", text: "connection lost")]),
        ] as [(WebSocketEnd, [EventFact])])
    func ends(_ end: WebSocketEnd, _ wanted: [EventFact]) {
        let event = ServiceEvent.feed(lane: 0, .ended(7, end))
        #expect(event.facts == [EventFact("lane", 0), EventFact("connection", 7)] + wanted)
    }

    /// The one line has no empty places either.
    @Test(
        arguments: [
            (503, "", "snapshot of BTCUSDT: 503, again in 250 ms"),
            (0, "connection lost", "snapshot of BTCUSDT: connection lost, again in 250 ms"),
            (500, "-1000 No", "snapshot of BTCUSDT: 500 -1000 No, again in 250 ms"),
        ] as [(Int, String, String)])
    func lines(_ status: Int, _ reason: String, _ wanted: String) {
        let event = FeedEvent.snapshotRetried(
            EventFactTests.key, status: status, reason: reason, afterMs: 250)
        #expect("\(event)" == wanted)
        let error = ExchangeInfoError.refused(status: status, reason: reason)
        #expect(wanted.contains(": \(error), again"))
    }
}
