// What evidence may not do: outlive its id epoch, or cost requests for ever. A book that waits is seen to.

import BinanceVenue
import BookEngine
import DepthBook
import LobHandoff
import MarketData
import Testing

private let second: Int64 = 1_000_000_000
private let btc = SymbolName("BTCUSDT")
private let bids = ["9.0:1.0", "8.0:2.0"]
private let asks = ["10.0:1.0", "11.0:2.0"]
private let stream = Array("{\"stream\":\"btcusdt@depth@100ms\"".utf8)

@Suite struct EngineEvidenceLimitsTests {
    /// On futures one ticker of an id that the venue has not reached, and that no later one takes back, costs
    /// one snapshot.
    @Test(arguments: [1, 40]) func oneBogusTickerDoesNotLast(_ quartersBetween: Int) {
        var h = EngineHarness.live(.usdm)
        h.ticker(1_000_010, bid: "9.5:1.0", ask: "10.0:1.0")
        var (id, liveSeconds) = (10, 0.0)
        for _ in 0..<(1_200 / quartersBetween) {
            h.futuresUpdate(id, id + 1, id + 2)
            id += 2
            liveSeconds += h.serve(id, forSeconds: Double(quartersBetween) / 4).liveSeconds
        }
        #expect(liveSeconds >= 280)
    }

    /// What drains from a connection that was left for its ids is no evidence.
    @Test func anAbandonedConnectionIsNotHeeded() {
        var h = EngineHarness.leftForAnother()
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(60))
        h.update(1001, 1001, source: 1)
        h.update(1002, 1002, source: 1)
        var liveSeconds = 0.0
        for id in 61...140 {
            h.update(id, id, source: 2)
            liveSeconds += h.serve(id).liveSeconds
        }
        #expect(liveSeconds == 20)
    }

    /// Partial depths behind a quiet book that snapshots agree with do not cost a snapshot each.
    @Test func stragglersForEverCostLittle() {
        var h = EngineHarness.live { $0.auditEveryNs = 0 }
        var attempts = 0
        for _ in 0..<1_200 {
            h.ticker(9, bid: "9.0:1.0", ask: "10.0:1.0")
            attempts += h.serve(10, forSeconds: 1).attempts.count
        }
        #expect(attempts <= 20 && h.status().state == .live)
    }

    /// A quiet book that counts as late because of another symbol is looked at.
    @Test(arguments: [30, 33, 37]) func aQuietBookMadeLateByAnotherIsLookedAt(_ rounds: Int) {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        let startNs = h.nowNs
        var id = 10
        func passed(_ h: borrowing EngineHarness) -> Int64 { (h.nowNs - startNs) / 1_000_000 }
        for _ in 0..<rounds {
            id += 1
            for symbol in ["BTCUSDT", "ETHUSDT"] { h.update(id, atMs: passed(h), symbol: symbol) }
            h.serve(id, forSeconds: 60)
        }
        #expect(h.states() == [.live, .live])
        h.update(id + 1, atMs: passed(h) - 8_000, symbol: "ETHUSDT")
        h.tick(afterNs: second / 4)
        #expect(h.states() == [.stale, .stale])
        var staleSeconds = 0.0
        for _ in 0..<480 {
            h.tick(afterNs: second / 4)
            for symbol in h.askedFor() {
                let isLate = symbol != btc
                h.snapshot(isLate ? id + 1 : id, bids: bids, asks: asks, symbol: "\(symbol)")
            }
            if h.states()[0] != .live { staleSeconds += 0.25 }
        }
        #expect(staleSeconds <= 20)
    }

    /// A stream that is late from its beginning, so that nothing tells how late, is not resubscribed for
    /// ever: that does not make it earlier.
    @Test(arguments: [0, 10, 20, 30, 50, 100], [true, false])
    func aLateStreamIsNotResubscribedForEver(_ tenthsLate: Int, _ hasTimes: Bool) {
        var h = EngineHarness { $0.requestsAreAnnounced = true }
        h.frame(.connected)
        var (asked, resubscribed) = (0, 0)
        var (sent, liveSeconds) = (999, 0.0)
        for tenth in 0..<3_000 {
            let venueID = 1_001 + tenth
            while sent < venueID - tenthsLate {
                sent += 1
                if hasTimes { h.update(sent, atMs: Int64(sent) * 100) } else { h.update(sent, sent) }
            }
            for request in h.requests() {
                switch request {
                case .ask(let symbol, _, _):
                    asked += 1
                    h.announce(symbol)
                    h.snapshot(venueID - 3, bids: bids, asks: asks)
                case .resubscribe:
                    resubscribed += 1
                    h.frame(.resubscribed, stream)
                case .cancel: break
                }
            }
            h.tick(afterNs: second / 10)
            if h.status().state == .live { liveSeconds += 0.1 }
        }
        #expect(resubscribed <= 2 && asked <= 6 && liveSeconds > 280)
    }
}
