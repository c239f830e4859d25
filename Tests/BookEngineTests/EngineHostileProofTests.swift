// What once made a book say `live` without proof, or a right book stale: of several connections, of snapshots
// that show less than the book, of times, and of what is remembered.

import BinanceVenue
import DepthBook
import LobHandoff
import MarketData
import Testing

@testable import BookEngine

private let btc = SymbolName("BTCUSDT")
private let second: Int64 = 1_000_000_000
private let bids = ["9.0:1.0", "8.0:2.0"]
private let asks = ["10.0:1.0", "11.0:2.0"]

extension EngineHarness {
    fileprivate mutating func asked() -> [String] { askedFor().map { "\($0)" } }
}

@Suite struct EngineHostileProofTests {
    // MARK: - Several connections

    @Test(arguments: [FrameKind.retired, .disconnected]) func aLossOnTheNewerOneCounts(_ end: FrameKind) {
        var h = EngineHarness()
        h.goLive()
        h.frame(.connected, source: 2)
        if end == .disconnected { h.update(9, 9, source: 2) }
        h.frame(.dropped, source: 2)
        #expect(h.status().state == .live)
        h.frame(end, source: 1)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
    }

    @Test func aBookMovesToASilentConnectionSilent() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.frame(.connected, source: 2)
        for id in 11...60 {
            h.nowNs += second / 10
            h.update(id, id, symbol: "ETHUSDT", source: 2)
        }
        for _ in 0..<16 { h.tick(afterNs: second / 4) }
        #expect(h.status("ETHUSDT").reason == .silent)
        h.frame(.retired, source: 1)
        #expect(h.status().state == .stale && h.status().reason == .silent)
        h.update(61, atMs: h.nowNs / 1_000_000 - 1_000, symbol: "ETHUSDT", source: 2)
        #expect(h.status().state == .live)
    }

    /// What was missed while no connection was up is no fault of the new subscription.
    @Test func whatWasMissedWhileAwayBlamesNoStream() {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        h.tick()
        _ = h.requests()
        h.snapshot(12, bids: ["9.0:5.0"], asks: asks)
        for _ in 0..<12 { h.tick(afterNs: second / 4) }
        #expect(!h.requests().contains(.resubscribe(btc)))
        h.snapshot(12, bids: ["9.0:5.0"], asks: asks)
        #expect(h.status().state == .live && h.book(.bid) == ["9.0:5.0"])
    }

    /// The beginning says that it was a ticker, and the symbol is lost.
    @Test func anUnreadableTickerOfNobodyIsNoLoss() {
        var h = EngineHarness()
        h.goLive()
        h.message(#"{"u":11,"b":"9.0","B":-1"#)
        #expect(h.status().state == .live && h.engine.counters.malformed == 1)
    }

    // MARK: - What a proof covers

    /// On futures ids move without the symbol: equal levels at a later id prove as far as they reach.
    @Test(arguments: [true, false]) func aProofAtALaterIDReachesAsFarAsItsLevels(_ isReconnect: Bool) {
        var h = EngineHarness(.usdm)
        h.frame(.connected)
        h.futuresUpdate(90, 95, 100)
        h.snapshot(100, bids: bids, asks: asks)
        h.futuresUpdate(100, 101, 105)
        #expect(h.asked() == ["BTCUSDT"] && h.status().state == .live)
        if isReconnect { h.reconnect() } else { h.frame(.dropped) }
        h.tick(afterNs: 2 * second)
        #expect(h.asked() == ["BTCUSDT"])
        // 8.0 is gone, which one level does not show.
        h.snapshot(120, bids: ["9.0:1.0"], asks: ["10.0:1.0"], limit: 1)
        for _ in 0..<20 {
            h.tick(afterNs: second / 4)
            for _ in h.asked() { h.snapshot(120, bids: ["9.0:1.0"], asks: ["10.0:1.0"], limit: 1) }
        }
        #expect(h.status().state == .live && h.status().provenBids == .to(Price(90)))
        h.futuresUpdate(105, 121, 130)
        #expect(h.status().state == .live)
    }

    /// Where a comparison has come to is no place any more once the books have more decimals.
    @Test func aComparisonOutlivesNewDecimals() {
        var h = EngineHarness()
        var levels = (0..<5000).map { "\(9000 - $0).0:1.0" }
        h.frame(.connected)
        h.update(8, 9)
        h.snapshot(9, bids: levels, asks: ["9001.0:1.0"])
        h.update(10, 10)
        h.engine.audit(btc, atNs: h.nowNs)
        levels[4900] = "4100.0:7.0"
        h.snapshot(10, bids: levels, asks: ["9001.0:1.0"])
        #expect(h.status().counters.auditsCompared == 0)
        h.update(11, 11, asks: ["9001.01:1.0"])
        for _ in 0..<4 { h.tick(afterNs: second / 4) }
        #expect(h.status().counters.auditsCompared == 1 && h.status().reason == .audit)
    }

    /// Depth that may wait has failed a few times; a best price that is not known does not wait for that.
    @Test func aShallowBookWaitsForNothing() {
        var h = EngineHarness { $0.provenLevelCountMin = 500 }
        h.frame(.connected)
        h.update(8, 9)
        h.snapshot(9, bids: bids, asks: asks, limit: 2)
        for id in 10...250 {
            h.update(id, id)
            h.tick(afterNs: second / 4)
            for _ in h.asked() { h.snapshot(id - 1, bids: bids, asks: asks, limit: 2) }
        }
        h.update(251, 251, bids: ["9.0:0.0", "8.0:0.0", "3.0:1.0"])
        h.tick(afterNs: second / 4)
        #expect(h.requests() == [.ask(btc, .shallow, attempt: 0)])
    }

    // MARK: - Lag

    /// The last update of a quiet symbol came late. A snapshot at its id shows that nothing is behind it.
    @Test func aQuietBookIsNotLateForEver() {
        var h = EngineHarness()
        h.goLive()
        for id in 11...20 {
            h.nowNs += second
            h.update(id, atMs: Int64(id) * 1000)
        }
        h.nowNs += 7 * second
        h.update(21, atMs: 21_000)
        #expect(h.status().reason == .lagging)
        for _ in 0..<240 {
            h.tick(afterNs: second / 4)
            for _ in h.asked() { h.snapshot(21, bids: bids, asks: asks) }
        }
        #expect(h.status().state == .live)
    }

    /// One event time that lies in the future makes nothing else late.
    @Test func oneWrongEventTimeMakesNobodyLate() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        for id in 11...40 {
            h.nowNs += second
            h.update(id, atMs: Int64(id) * 1000)
            h.update(id, atMs: Int64(id) * 1000 + (id == 30 ? 3_600_000 : 1), symbol: "ETHUSDT")
        }
        #expect(h.status().state == .live && h.status("ETHUSDT").state == .live)
    }

    // MARK: - What is remembered

    /// A ticker that is ahead stays evidence over a gap.
    @Test func aGapForgetsNoEvidence() {
        var h = EngineHarness()
        h.goLive()
        h.ticker(15, bid: "9.5:1.0", ask: "10.0:1.0")
        h.update(12, 13)
        #expect(h.status().reason == .gap)
        h.snapshot(13, bids: bids, asks: asks)
        for _ in 0..<20 { h.tick(afterNs: second / 4) }
        #expect(h.status().state == .stale && h.status().reason == .behind)
    }

    /// Ids begin anew while no snapshot can be had: what was ahead of the former book is ahead of none.
    @Test func evidenceOfAFormerTimeIsForgotten() {
        var h = EngineHarness()
        h.frame(.connected)
        h.update(40, 41)
        h.ticker(44, bid: "7.0:1.0", ask: "10.0:1.0")
        h.reconnect()
        for id in 2...10 {
            h.tick(afterNs: second / 2)
            h.update(id, id)
        }
        h.snapshot(10, bids: bids, asks: asks)
        for id in 11...40 {
            h.update(id, id)
            h.tick(afterNs: second / 4)
            #expect(h.status().state == .live)
        }
        #expect(h.status().counters.behind == 0 && h.status().counters.tickersCompared == 0)
    }

    /// Tickers of ids that began anew are compared, and those of the former time are not.
    @Test func tickersOfAFormerTimeAreForgotten() {
        var h = EngineHarness()
        h.goLive()
        h.ticker(14, bid: "7.0:1.0", ask: "10.0:1.0")
        h.reconnect()
        h.tick()
        _ = h.requests()
        h.update(2, 2)
        h.snapshot(2, bids: bids, asks: asks)
        for id in 3...12 {
            h.nowNs += second / 2
            h.update(id, id)
        }
        #expect(h.status().lastUpdateID == UpdateID(12))
        h.ticker(13, bid: "9.0:1.0", ask: "10.0:1.0")
        h.update(13, 13)
        #expect(h.status().counters.tickersAgreed == 1)
        h.update(14, 14)
        #expect(h.status().state == .live)
    }

    /// What a dead connection delivered says nothing about what the venue sent before the next one began.
    @Test func aTickerOfADeadConnectionIsNoProof() {
        var h = EngineHarness()
        h.goLive()
        h.ticker(11, bid: "9.0:5.0", ask: "10.0:1.0")
        h.frame(.disconnected, source: 1)
        h.nowNs += 5_000_000_000
        h.source = 2
        h.frame(.connected)
        h.tick(afterNs: 100_000_000)
        // REST lags: the venue is at 12.
        h.snapshot(11, bids: ["9.0:5.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"])
        for _ in 0..<8 {
            #expect(h.status().state != .live)
            h.tick(afterNs: 100_000_000)
        }
    }

    /// A connection that died before it was retired hands over nothing.
    @Test func aSilentConnectionIsNotRetired() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        for id in 11...60 {
            h.nowNs += 100_000_000
            h.update(id, id, symbol: "ETHUSDT")
        }
        h.nowNs += 2_000_000_000
        h.frame(.connected, source: 2)
        for _ in 0..<10 { h.tick(afterNs: 200_000_000) }
        #expect(h.status().reason == .silent)
        h.frame(.retired, source: 1)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
    }
}
