// What a service tells, as words and facts.

import BinanceVenue
import DepthFeed
import FeedPlan
import FeedSockets
import LobTransport
import MarketData
import Testing

@testable import BookService

@Suite struct LogFieldTests {
    private static let key = SnapshotKey(market: .spot, symbol: SymbolName("BTCUSDT"))

    /// Shard and connection tell connections apart, and numbers stand under names of their own.
    @Test func connectionsAreToldApart() {
        let event = ServiceEvent.feed(shard: 2, .supervisor(.subscribed(1, streamCount: 400, afterMs: 4)))
        #expect(event.message == "subscribed")
        #expect(
            event.facts == [
                LogField("shard", 2), LogField("connection", 1), LogField("streams", 400),
                LogField("ms", 4),
            ])
    }

    /// What is unknown is left out: a status without an answer, a reason that was not given.
    @Test(
        arguments: [
            (503, "", [LogField("status", 503)]),
            (0, "connection lost", [LogField("reason", text: "connection lost")]),
            (500, "-1000 No", [LogField("status", 500), LogField("reason", text: "-1000 No")]),
        ] as [(Int, String, [LogField])])
    func answers(_ status: Int, _ reason: String, _ wanted: [LogField]) {
        let event = ServiceEvent.fetcher(
            .snapshotRetried(LogFieldTests.key, status: status, reason: reason, afterMs: 250))
        #expect(
            event.facts == [LogField("symbol", text: "BTCUSDT")] + wanted + [LogField("retryMs", 250)])
    }

    @Test(
        arguments: [
            (WebSocketEnd(), []), (WebSocketEnd(peerCode: 1001), [LogField("code", 1001)]),
            (
                WebSocketEnd(peerCode: 1008, peerReason: "slow"),
                [LogField("code", 1008), LogField("reason", text: "slow")]
            ),
            (WebSocketEnd(error: .lost), [LogField("reason", text: "connection lost")]),
        ] as [(WebSocketEnd, [LogField])])
    func ends(_ end: WebSocketEnd, _ wanted: [LogField]) {
        let event = ServiceEvent.feed(shard: 0, .ended(7, LinkEnd(end)))
        #expect(event.facts == [LogField("shard", 0), LogField("connection", 7)] + wanted)
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
            LogFieldTests.key, status: status, reason: reason, afterMs: 250)
        #expect("\(event)" == wanted)
        let error = ExchangeInfoError.refused(status: status, reason: reason)
        #expect(wanted.contains(": \(error), again"))
    }
}
