// What an engine does when the venue contradicts itself, or says what cannot be.

import BinanceVenue
import DepthBook
import MarketData
import Testing

@testable import BookEngine

private let btc = SymbolName("BTCUSDT")

/// Waits of microseconds where they are seconds.
private func quick(_ configuration: inout EngineConfiguration) {
    configuration.aheadNsMin = 1_000
    configuration.aheadNsMax = 1_000
}

@Suite struct EngineDoubtTests {
    /// A book may be found wrong while buffered updates are replayed; those behind that one are let go.
    @Test(arguments: [6, 7, 8]) func aTickerContradictsABufferedUpdate(_ id: Int) {
        var h = EngineHarness()
        h.frame(.connected)
        h.update(1, 5)
        h.update(6, 6, bids: ["9.5:1.0"])
        h.update(7, 7)
        h.update(8, 8)
        h.ticker(id, bid: "9.6:1.0", ask: "10.0:1.0")
        _ = h.requests()
        h.snapshot(5, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        #expect(h.status().state == .syncing && h.status().bufferedBytes == 0)
        #expect(h.status().counters.tickersCompared == 1 && h.status().counters.tickersAgreed == 0)
        #expect(h.requests() == [.ask(btc, .initial, attempt: 1)])
        h.update(9, 9)
        h.snapshot(9, bids: ["9.5:1.0"], asks: ["10.0:1.0"])
        h.update(10, 10)
        #expect(h.status().state == .live && h.book(.bid) == ["9.5:1.0"])
    }

    @Test func contradictionsThatAreOnlyCountedStopNoReplay() {
        var h = EngineHarness { $0.mismatchPolicy = .count }
        h.frame(.connected)
        h.update(1, 5)
        h.update(6, 6, bids: ["9.5:1.0"])
        h.update(7, 7, bids: ["9.7:1.0"])
        h.ticker(6, bid: "9.6:1.0", ask: "10.0:1.0")
        h.snapshot(5, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        #expect(h.status().state == .live)
        #expect(h.book(.bid) == ["9.7:1.0", "9.5:1.0", "9.0:1.0"])
    }

    /// Futures may print the quantity of a removal without decimals, and an update of nothing but removals
    /// shows no others.
    @Test func anUpdateOfBareZerosOnlyRemoves() {
        var h = EngineHarness(.usdm)
        h.frame(.connected)
        h.futuresUpdate(90, 95, 100)
        h.snapshot(100, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"])
        h.futuresUpdate(100, 101, 105, bids: ["8.0:0"], asks: ["11.0:0"])
        #expect(h.status().state == .live && h.status().counters.rescales == 0)
        #expect(h.book(.bid) == ["9.0:1.0"] && h.book(.ask) == ["10.0:1.0"])
        // With more decimals it is the same number.
        h.futuresUpdate(105, 106, 107, bids: ["9.00:0"])
        #expect(h.status().state == .live && h.book(.bid) == [] && h.book(.ask) == ["10.00:1.0"])
    }

    /// The venue's best price may lie where nothing is proven; ours, where all is proven, still denies it.
    @Test func aBestPriceBeyondTheProvenRange() {
        var h = EngineHarness()
        h.frame(.connected)
        h.update(8, 9)
        h.snapshot(9, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"], limit: 2)
        h.update(10, 10)
        h.ticker(10, bid: "7.0:1.0", ask: "10.0:1.0")
        #expect(h.status().reason == .mismatch)
        h.update(11, 11)
        h.snapshot(11, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"], limit: 2)
        h.update(12, 12)
        #expect(h.status().state == .live)
        h.message(
            "{\"stream\":\"btcusdt@depth5\",\"data\":{\"lastUpdateId\":12,\"bids\":[[\"9.0\",\"1.0\"],"
                + "[\"7.0\",\"2.0\"]],\"asks\":[[\"10.0\",\"1.0\"],[\"11.0\",\"2.0\"],[\"12.0\",\"2.0\"]]}}")
        #expect(h.status().reason == .mismatch)
    }

    /// Once all proven levels of a side are gone, what is left of it denies nothing.
    @Test func aSideWithoutProvenLevelsSaysNothing() {
        var h = EngineHarness()
        h.frame(.connected)
        h.update(8, 9)
        h.snapshot(9, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"], limit: 2)
        h.update(10, 10, bids: ["9.0:0.0", "8.0:0.0", "6.0:1.0"])
        h.ticker(10, bid: "7.0:1.0", ask: "10.0:1.0")
        // Only the asks can be compared.
        #expect(h.status().counters.tickersAgreed == 1 && h.status().reason == .shallow)
    }

    /// The venue clamps a limit, so the number of levels it gives says nothing against a greater one.
    @Test(arguments: [(Market.spot, 5000), (.usdm, 1000)])
    func aLimitBeyondTheDeepest(_ market: Market, _ deepest: Int) {
        var h = EngineHarness(market)
        h.frame(.connected)
        let bids = (0..<deepest).map { "\(9000 - $0).0:1.0" }
        h.snapshot(9, bids: bids, asks: ["9001.0:1.0"], limit: 10_000)
        #expect(h.status().provenBids == .to(Price(Int64(9001 - deepest) * 10)))
        #expect(h.status().provenAsks == .unbounded)
    }

    /// Times come out of files, too.
    @Test func anyTimeIsTaken() {
        var h = EngineHarness {
            $0.auditEveryNs = 1
            $0.statusEveryNs = 1
        }
        h.goLive()
        var id = 10
        for time in [.max, .min, 0, .max, -1, .max, .min, 1] as [Int64] {
            h.nowNs = time
            h.update(id + 1, id + 1)
            h.update(id, id)
            h.tick()
            id += 1
        }
        #expect(h.status().lastUpdateID == UpdateID(Int64(id)))
    }

    /// All updates lie behind a live book: the ids have begun anew, and it stands still without knowing.
    @Test func idsThatBeginAnewAreNoticed() {
        var h = EngineHarness(adjust: quick)
        h.goLive()
        h.update(1, 1)
        h.update(2, 2)
        #expect(h.status().state == .live)
        h.nowNs += 2_000
        h.update(3, 4)
        #expect(h.status().state == .stale && h.status().reason == .gap)
        #expect(h.requests() == [.ask(btc, .resync, attempt: 0)])
        h.update(5, 5)
        h.snapshot(5, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        h.ticker(6, bid: "9.0:1.0", ask: "10.0:1.0")
        h.update(6, 6)
        #expect(h.status().state == .live && h.status().counters.tickersAgreed == 1)
    }

    @Test func idsThatBeginAnewWithAConnection() {
        var h = EngineHarness(adjust: quick)
        h.goLive()
        h.frame(.disconnected)
        h.frame(.connected)
        h.update(1, 1)
        h.update(2, 2)
        #expect(h.requests() == [.ask(btc, .resync, attempt: 0)])
        h.nowNs += 2_000
        h.update(3, 4)
        #expect(h.status().reason == .disconnected)
        #expect(h.requests() == [.ask(btc, .resync, attempt: 1)])
    }

    @Test func aBufferThatAllUpdatesLieBehindIsDropped() {
        var h = EngineHarness(adjust: quick)
        h.frame(.connected)
        h.update(901, 905)
        h.update(1, 1)
        h.update(2, 2)
        h.snapshot(2, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        h.nowNs += 2_000
        h.update(3, 4)
        #expect(h.status().bufferedBytes == 0)
        h.update(5, 5)
        h.snapshot(5, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        h.update(6, 6)
        #expect(h.status().state == .live)
    }

    /// Duplicates now and then, with other updates between them, are nothing.
    @Test func duplicatesAreNoNewBeginning() {
        var h = EngineHarness(adjust: quick)
        h.goLive()
        for id in 11...20 {
            h.update(9, 9)
            h.nowNs += 2_000
            h.update(id, id)
        }
        #expect(h.status().state == .live && h.status().counters.gaps == 0)
    }

    /// A market that stays crossed costs fewer and fewer snapshots.
    @Test func booksThatAreNeverLiveAreAskedForMoreSlowly() {
        var h = EngineHarness()
        h.goLive()
        h.update(11, 11, bids: ["12.0:1.0"])
        #expect(h.status().reason == .crossed)
        #expect(h.requests() == [.ask(btc, .resync, attempt: 0)])
        for attempt in 1...3 {
            let id = 10 + 2 * attempt
            h.update(id, id)
            h.update(id + 1, id + 1)
            h.snapshot(id, bids: ["12.0:1.0"], asks: ["10.0:1.0"])
            #expect(h.requests() == [.ask(btc, .resync, attempt: attempt)])
        }
        h.update(18, 18)
        h.snapshot(18, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        h.update(19, 19)
        #expect(h.status().state == .live)
        // That was good for a moment only.
        h.update(21, 21)
        #expect(h.requests() == [.ask(btc, .resync, attempt: 3)])
        h.snapshot(21, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        h.update(22, 22)
        h.tick(afterNs: 10_000_000_000)
        h.update(24, 24)
        #expect(h.requests().contains(.ask(btc, .resync, attempt: 0)))
    }
}
