// How an engine checks itself: tickers, partial depths, witnesses of snapshots, audits, deepening.

import BinanceVenue
import DepthBook
import MarketData
import Testing

@testable import BookEngine

private let btc = SymbolName("BTCUSDT")

@Suite struct EngineProofTests {
    @Test func tickersBeforeAndAfterTheirUpdate() {
        var h = EngineHarness()
        h.goLive()
        h.ticker(10, bid: "9.0:1.0", ask: "10.0:1.0")
        h.ticker(11, bid: "9.5:1.0", ask: "10.0:1.0")
        h.ticker(12, bid: "9.6:1.0", ask: "10.0:1.0")
        h.update(11, 12, bids: ["9.6:1.0"])
        h.ticker(5, bid: "1.0:1.0", ask: "2.0:1.0")
        let c = h.status().counters
        #expect(c.tickersCompared == 2 && c.tickersAgreed == 2)
    }

    @Test(arguments: [MismatchPolicy.resync, .count]) func aContradictingTicker(_ policy: MismatchPolicy) {
        var h = EngineHarness { $0.mismatchPolicy = policy }
        h.goLive()
        h.ticker(10, bid: "9.0:1.5", ask: "10.0:1.0")
        #expect(h.status().counters.tickersCompared == 1 && h.status().counters.tickersAgreed == 0)
        #expect(h.status().state == (policy == .resync ? .stale : .live))
        #expect(h.status().reason == (policy == .resync ? .mismatch : .none))
        #expect(h.requests() == (policy == .resync ? [.ask(btc, .resync, attempt: 0)] : []))
    }

    /// The first ticker and the first partial depth that disagree are kept, with the rank at which they do.
    @Test func theFirstDisagreementsAreKept() {
        var h = EngineHarness { $0.mismatchPolicy = .count }
        h.goLive()
        h.ticker(10, bid: "9.0:1.0", ask: "10.0:1.0")
        #expect(h.engine.mismatches(of: btc).isEmpty)
        for quantity in ["1.5", "1.7"] { h.ticker(10, bid: "9.0:\(quantity)", ask: "10.0:1.0") }
        h.message(
            "{\"stream\":\"btcusdt@depth5\",\"data\":{\"lastUpdateId\":10,\"bids\":[[\"9.0\",\"1.0\"],"
                + "[\"8.0\",\"2.0\"]],\"asks\":[[\"10.0\",\"1.0\"],[\"11.0\",\"3.0\"]]}}")
        let scales = SymbolScales(priceDecimals: 1, quantityDecimals: 1)
        let best = VenueMismatch.Quote(bid: PriceLevel(90, 10), ask: PriceLevel(100, 10))
        let second = VenueMismatch.Quote(bid: PriceLevel(80, 20), ask: PriceLevel(110, 20))
        #expect(
            h.engine.mismatches(of: btc) == [
                VenueMismatch(
                    check: .ticker, at: UpdateID(10), rank: 0,
                    venue: .init(bid: PriceLevel(90, 15), ask: PriceLevel(100, 10)), book: best,
                    scales: scales),
                VenueMismatch(
                    check: .partialDepth, at: UpdateID(10), rank: 1,
                    venue: .init(bid: PriceLevel(80, 20), ask: PriceLevel(110, 30)), book: second,
                    scales: scales),
            ])
    }

    @Test func rememberedTickersAreBounded() {
        var h = EngineHarness { $0.tickerCountMax = 8 }
        h.goLive()
        for id in 11...30 { h.ticker(id, bid: "9.0:1.0", ask: "10.0:1.0") }
        #expect(h.status().counters.tickersEvicted == 12)
        h.update(11, 22)
        h.update(23, 23)
        #expect(h.status().counters.tickersCompared == 1)
    }

    @Test func partialDepthAtTheSameID() {
        var h = EngineHarness()
        h.goLive()
        let wrap = { (id: Int, quantity: String) in
            "{\"stream\":\"btcusdt@depth5\",\"data\":{\"lastUpdateId\":\(id),"
                + "\"bids\":[[\"9.0\",\"\(quantity)\"],"
                + "[\"8.0\",\"2.0\"]],\"asks\":[[\"10.0\",\"1.0\"],[\"11.0\",\"2.0\"]]}}"
        }
        h.message(wrap(9, "5.0"))
        h.message(wrap(10, "1.0"))
        #expect(h.status().counters.partialsCompared == 1 && h.status().counters.partialsAgreed == 1)
        h.message(wrap(10, "1.5"))
        #expect(h.status().reason == .mismatch)
    }

    @Test func aSnapshotThatContradictsTheUpdateBeforeItIsRefused() {
        var h = EngineHarness()
        h.frame(.connected)
        h.update(1, 5, bids: ["9.0:1.0", "8.0:0.0"])
        h.update(6, 8, bids: ["7.0:1.0"])
        _ = h.requests()
        // The update up to 5 says that 9.0 has 1.0.
        h.snapshot(5, bids: ["9.0:2.0"], asks: ["10.0:1.0"])
        #expect(h.status().counters.snapshotsRefuted == 1)
        #expect(h.status().state == .syncing)
        #expect(h.requests().count == 1)
        h.update(9, 9)
        h.snapshot(9, bids: ["9.0:1.0", "7.0:1.0"], asks: ["10.0:1.0"])
        h.update(10, 10)
        #expect(h.status().state == .live)
    }

    /// Inside an update a level may come and go without a trace.
    @Test func aSnapshotInsideAnUpdateIsNotContradicted() {
        var h = EngineHarness()
        h.frame(.connected)
        h.update(1, 5, bids: ["9.0:1.0"])
        h.update(6, 8, bids: ["7.0:3.0"])
        h.snapshot(6, bids: ["9.0:2.0"], asks: ["10.0:1.0"])
        #expect(h.status().state == .live)
        #expect(h.book(.bid) == ["9.0:2.0", "7.0:3.0"])
    }

    @Test func aSnapshotOfAnotherSymbolIsRefused() {
        var h = EngineHarness(.coinm)
        h.frame(.connected)
        h.futuresUpdate(90, 95, 100)
        h.snapshot(
            100, bids: ["9.0:1.0"], asks: ["10.0:1.0"], extra: ",\"symbol\":\"OTHER\",\"pair\":\"OTHER\"")
        #expect(h.status().counters.snapshotsFailed == 1)
        #expect(h.status().state == .syncing)
    }

    /// Updates behind a snapshot: the stream is late, or the snapshot is of another symbol or time. A second
    /// one is asked for at once; where the updates lead on from that, it is the book.
    @Test(arguments: [true, false]) func aSnapshotFarAheadOfTheStream(_ isWrong: Bool) {
        var h = EngineHarness {
            $0.aheadNsMin = 1_000
            $0.aheadNsMax = 1_000
            $0.snapshotAheadNsMax = 10_000
        }
        h.frame(.connected)
        h.update(1, 5)
        h.snapshot(5_000, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        _ = h.requests()
        h.update(6, 6)
        h.update(7, 7)
        #expect(h.requests().isEmpty)
        h.nowNs += 2_000
        h.update(8, 9)
        #expect(h.requests() == [.ask(btc, .check, attempt: 0)])
        if isWrong {
            h.snapshot(9, bids: ["8.0:1.0"], asks: ["10.0:1.0"])
            h.nowNs += 2_000
            for id in 10...12 { h.update(id, id) }
            #expect(h.status().state == .live && h.book(.bid) == ["8.0:1.0"])
        } else {
            h.snapshot(5_000, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
            h.update(10, 10)
            // The venue is there; its stream is not.
            #expect(h.status().state == .syncing)
            h.update(11, 5_001)
            #expect(h.status().state == .live && h.status().counters.snapshotsRefuted == 0)
        }
    }

    @Test func aSnapshotThatNoStreamLeadsToIsDropped() {
        var h = EngineHarness {
            $0.aheadNsMin = 1_000
            $0.aheadNsMax = 1_000
            $0.snapshotAheadNsMax = 10_000
        }
        h.frame(.connected)
        h.update(1, 5)
        h.snapshot(5_000, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        _ = h.requests()
        for id in 6...20 {
            h.nowNs += 1_000
            h.update(id, id)
        }
        #expect(h.status().counters.snapshotsRefuted == 1)
        #expect(h.requests().last == .ask(btc, .initial, attempt: 1))
    }

    @Test func anAuditThatAgreesAndOneThatDoesNot() {
        var h = EngineHarness { $0.auditEveryNs = 1_000_000 }
        h.goLive()
        h.tick(afterNs: 2_000_000)
        #expect(h.requests() == [.ask(btc, .audit, attempt: 0)])
        h.tick(afterNs: 2_000_000)
        #expect(h.requests().isEmpty)
        h.update(11, 11, bids: ["9.0:3.0"])
        h.snapshot(11, bids: ["9.0:3.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"])
        h.update(12, 12)
        #expect(h.status().counters.auditsCompared == 1 && h.status().counters.auditsAgreed == 1)
        h.tick(afterNs: 2_000_000)
        h.update(13, 13)
        h.snapshot(13, bids: ["9.0:3.0", "8.0:9.0"], asks: ["10.0:1.0", "11.0:2.0"])
        h.update(14, 14)
        #expect(h.status().counters.auditsCompared == 2 && h.status().counters.auditsAgreed == 1)
        let found = h.status().lastDifference
        #expect(found?.side == .bid && found?.level.price == Price(80))
        #expect(found?.level.own == Quantity(20) && found?.level.other == Quantity(90))
        // Nobody knows which of the two is right: a third one decides.
        #expect(h.status().state == .stale && h.status().reason == .audit)
        #expect(h.requests().last == .ask(btc, .resync, attempt: 0))
        h.snapshot(14, bids: ["9.0:3.0", "8.0:9.0"], asks: ["10.0:1.0", "11.0:2.0"])
        h.update(15, 15)
        #expect(h.status().state == .live && h.book(.bid) == ["9.0:3.0", "8.0:9.0"])
        #expect(h.status().counters.resyncs == 1)
    }

    @Test func aThinProvenRangeIsDeepened() {
        var h = EngineHarness { $0.provenLevelCountMin = 2 }
        h.frame(.connected)
        h.update(8, 9)
        h.snapshot(9, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"], limit: 2)
        h.update(10, 10)
        _ = h.requests()
        h.tick()
        #expect(h.requests().isEmpty)
        h.update(11, 11, bids: ["9.0:0.0", "7.0:1.0"])
        #expect(h.status().provenBids == .to(Price(80)))
        h.tick()
        #expect(h.requests() == [.ask(btc, .deepen, attempt: 0)])
        h.update(12, 12)
        h.snapshot(12, bids: ["8.0:2.0", "7.5:1.0", "7.0:1.0"], asks: ["10.0:1.0", "11.0:2.0"], limit: 5)
        h.update(13, 13)
        #expect(h.status().provenBids == .unbounded)
        #expect(h.book(.bid) == ["8.0:2.0", "7.5:1.0", "7.0:1.0"])
        #expect(h.status().counters.deepenings == 1 && h.status().counters.resyncs == 0)
    }

    /// A candidate whose snapshot lacks what an earlier update brought is retried later each time.
    @Test func aCandidateThatCameToNothingIsNotRetriedAtOnce() {
        var h = EngineHarness { $0.provenLevelCountMin = 5 }
        h.frame(.connected)
        h.update(8, 9)
        h.snapshot(9, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"], limit: 2)
        h.update(10, 10)
        _ = h.requests()
        var id = 10
        for (attempt, pauseNs) in [2_500_000_000, 5_000_000_000, 10_000_000_000].enumerated() {
            h.tick()
            #expect(h.requests() == [.ask(btc, .deepen, attempt: attempt)])
            id += 1
            h.update(id, id, bids: ["7.0:\(id).0"])
            h.snapshot(id, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"], limit: 5)
            #expect(h.status().state == .live)
            h.tick(afterNs: Int64(pauseNs) - 1)
            #expect(h.requests() == [])
            h.nowNs += 1
        }
        #expect(h.status().counters.snapshotsRefuted == 3)
    }

    @Test func aGapDuringAnAuditBecomesAResync() {
        var h = EngineHarness { $0.auditEveryNs = 1_000_000 }
        h.goLive()
        h.tick(afterNs: 2_000_000)
        _ = h.requests()
        h.update(13, 13)
        #expect(h.status().reason == .gap)
        #expect(h.requests() == [.ask(btc, .resync, attempt: 0)])
        h.snapshot(13, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        h.update(14, 14)
        #expect(h.status().state == .live)
        #expect(h.status().counters.auditsCompared == 0)
    }
}
