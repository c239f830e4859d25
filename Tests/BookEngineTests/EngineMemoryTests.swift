// What may not be forgotten: a market's rests, which connection is on trial, updates thrown away, what an
// early proof is worth.

import BinanceVenue
import DepthBook
import FeedPlan
import LobHandoff
import MarketData
import Testing

@testable import BookEngine

private let btc = SymbolName("BTCUSDT")
private let second: Int64 = 1_000_000_000
private let bids = ["9.0:1.0", "8.0:2.0"]
private let asks = ["10.0:1.0", "11.0:2.0"]

@Suite struct EngineMemoryTests {
    /// Busy once and merely quiet since: its silences come to be known as rests.
    @Test func aMarketThatRestsIsNotSilent() {
        var h = EngineHarness()
        h.goLive()
        for id in 11...60 {
            h.nowNs += second / 10
            h.tick(wallNs: h.nowNs, monotonicNs: h.nowNs)
            h.update(id, atMs: h.nowNs / 1_000_000 - 1_000)
        }
        var staleCounts: [Int] = []
        for id in 61...66 {
            var staleCount = 0
            for _ in 0..<40 {
                h.tick(wallNs: h.nowNs + second / 4, monotonicNs: h.nowNs + second / 4)
                if h.status().state != .live { staleCount += 1 }
            }
            staleCounts.append(staleCount)
            h.update(id, atMs: h.nowNs / 1_000_000 - 1_000)
            #expect(h.status().state == .live)
        }
        #expect(staleCounts[0] > 20 && staleCounts.dropFirst(2).allSatisfy { $0 == 0 }, "\(staleCounts)")
    }

    /// A connection found mute is on trial like one that is lost, also when that one was before it.
    @Test func eachConnectionHasATrialOfItsOwn() {
        var h = EngineHarness.market(4)
        h.reconnect()
        for index in 0..<4 { h.update(11, 11, symbol: "S\(index)USDT") }
        for index in 0..<3 { h.snapshot(11, bids: bids, asks: asks, symbol: "S\(index)USDT") }
        #expect(h.states() == Array(repeating: .live, count: 4))
        h.nowNs += 7 * second
        h.frame(.connected, source: 3)
        h.update(12, 12, symbol: "S3USDT", source: 3)
        #expect(h.states() == [.live, .live, .live, .stale])
        h.snapshot(12, bids: bids, asks: asks, symbol: "S3USDT")
        #expect(h.states().last == .live)
    }

    /// A stream that died on one connection, while the other one delivers it: no ticker is needed to tell.
    @Test(arguments: [Market.spot, .usdm]) func aStreamThatAnotherConnectionLeavesBehindIsDead(
        _ market: Market
    ) {
        var h = EngineHarness(market, symbols: ["BTCUSDT", "ETHUSDT"])
        for symbol in ["BTCUSDT", "ETHUSDT"] {
            if symbol == "BTCUSDT" { h.frame(.connected) }
            h.message(EngineMemoryTests.update(9, symbol))
            h.snapshot(9, bids: bids, asks: asks, symbol: symbol)
            h.message(EngineMemoryTests.update(10, symbol))
        }
        _ = h.requests()
        h.frame(.connected, source: 2)
        var liveCount = 0
        for turn in 0..<40 where h.status().state == .live {
            h.tick(afterNs: second / 10)
            h.message(EngineMemoryTests.update(11 + turn, "ETHUSDT"))
            h.message(EngineMemoryTests.update(12 + turn, "BTCUSDT"), source: 2)
            liveCount += 1
        }
        #expect(liveCount >= 10 && liveCount <= 20, "\(liveCount)")
        #expect(h.status().reason == .disconnected && Set(h.askedFor()) == [btc])
        #expect(h.status("ETHUSDT").state == .live)
    }

    private static func update(_ id: Int, _ symbol: String) -> String {
        "{\"e\":\"depthUpdate\",\"E\":1700000000000,\"s\":\"\(symbol)\",\"U\":\(id),\"u\":\(id),"
            + "\"pu\":\(id - 1),\"b\":[],\"a\":[]}"
    }

    /// Two snapshots that may both predate the connection are no better than one.
    @Test func twoEarlyProofsVouchForNobody() {
        var h = EngineHarness.market(4)
        h.reconnect()
        for _ in 0..<2 {
            for index in 0..<3 { h.snapshot(10, bids: bids, asks: asks, symbol: "S\(index)USDT") }
        }
        h.update(11, 11, symbol: "S3USDT")
        #expect(h.states() == [.live, .live, .live, .stale])
        // Later ones are.
        for _ in 0..<6 { h.tick(afterNs: second / 4) }
        for index in 0..<3 { h.snapshot(10, bids: bids, asks: asks, symbol: "S\(index)USDT") }
        #expect(h.states() == [.live, .live, .live, .live])
    }

    /// An update that found no room was there all the same: an older snapshot is too old.
    @Test func whatOverflowedIsNotForgotten() {
        var h = EngineHarness { $0.bufferBytesMax = 60 }
        h.frame(.connected)
        h.ticker(10, bid: "9.0:1.0", ask: "10.0:1.0")
        h.update(11, 11, bids: ["8.0:7.0"])
        #expect(h.status().counters.bufferOverflows == 1)
        h.snapshot(10, bids: bids, asks: asks)
        #expect(h.status().state != .live)
        h.snapshot(11, bids: ["9.0:1.0", "8.0:7.0"], asks: asks)
        h.update(12, 12)
        #expect(h.status().state == .live && h.book(.bid) == ["9.0:1.0", "8.0:7.0"])
    }

    /// An absurd id, seen before there was a book to judge it by, hides no evidence.
    @Test(arguments: [true, false]) func anAbsurdTickerHidesNoEvidence(_ isFirst: Bool) {
        var h = EngineHarness()
        h.frame(.connected)
        if isFirst { h.ticker(4_611_686_919_782_049_298, bid: "9.0:1.0", ask: "10.0:1.0") }
        h.ticker(10, bid: "9.0:1.0", ask: "10.0:1.0")
        if !isFirst { h.ticker(4_611_686_919_782_049_298, bid: "9.0:1.0", ask: "10.0:1.0") }
        h.snapshot(10, bids: bids, asks: asks)
        #expect(h.status().state == .live)
        // Its stream of updates is mute.
        for id in 11...18 {
            h.tick(afterNs: second / 4)
            h.ticker(id, bid: "9.0:1.0", ask: "10.0:1.0")
        }
        #expect(h.status().reason == .behind)
    }

    /// So was one that crossed the book, or whose numbers did not fit.
    @Test(arguments: ["crossed", "rescale"]) func whatEndedABookIsNotForgotten(_ why: String) {
        var h = EngineHarness()
        h.goLive()
        if why == "rescale" { h.update(11, 11, bids: ["9.0:92233720368547758"]) }
        let id = why == "rescale" ? 12 : 11
        h.ticker(id, bid: "9.0:1.0", ask: "10.0:1.0")
        h.update(id, id + 1, bids: why == "rescale" ? ["9.0000000001:0.000000000001"] : ["10.5:1.0"])
        #expect(h.status().state == .stale && h.status().reason != .none)
        h.snapshot(id, bids: bids, asks: asks)
        #expect(h.status().state == .stale)
    }

    /// A depth that no snapshot leaves proven would be asked for without end.
    @Test func aDepthThatCannotBeHadIsHalved() {
        let rules = Market.usdm.rules
        var configuration = EngineConfiguration(rules: rules)
        configuration.provenLevelCountMin = 1_000
        #expect(configuration.saturated.provenLevelCountMin == rules.snapshotLevelCountMax / 2)
        configuration.levelCountMax = 16
        #expect(configuration.saturated.provenLevelCountMin == 8)
        configuration.provenLevelCountMin = 0
        #expect(configuration.saturated.provenLevelCountMin == 0)
    }
}
