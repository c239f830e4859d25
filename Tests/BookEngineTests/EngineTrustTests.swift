// `live` is a proof: each way in which a book could say so while the engine had the evidence in hand that it
// is wrong, shallow, behind or of another time.

import BinanceVenue
import BookSync
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
    fileprivate mutating func view() -> BookView {
        var view = BookView()
        _ = engine.views(of: btc)!.read(into: &view)
        return view
    }

    /// Live at 10 out of a snapshot of two levels a side, which are all that is known.
    fileprivate mutating func goLiveShallow() {
        frame(.connected)
        update(8, 9)
        snapshot(9, bids: bids, asks: asks, limit: 2)
        update(10, 10)
        _ = requests()
    }

    fileprivate mutating func ticks(_ count: Int, everyNs: Int64 = second / 4) {
        for _ in 0..<count { tick(afterNs: everyNs) }
    }
}

@Suite struct EngineTrustTests {
    // MARK: - Best prices that are not known

    @Test func aBestPriceThatIsNotProvenIsNoBestPrice() {
        var h = EngineHarness { $0.provenLevelCountMin = 50 }
        h.goLiveShallow()
        h.update(11, 11, bids: ["9.0:0.0", "8.0:0.0", "3.0:1.0"], asks: ["8.0:1.0"])
        h.ticker(11, bid: "7.0:4.0", ask: "8.0:1.0")
        #expect(h.status().state == .stale && h.status().reason == .shallow)
        let view = h.view()
        #expect(view.bestBid == nil && view.bestAsk == PriceLevel(80, 10) && view.state == .stale)
        h.tick()
        #expect(h.requests() == [.ask(btc, .shallow, attempt: 0)])
        h.snapshot(11, bids: ["7.0:4.0", "3.0:1.0"], asks: ["8.0:1.0", "10.0:1.0", "11.0:2.0"], limit: 3)
        #expect(h.status().state == .live && h.view().bestBid == PriceLevel(70, 40))
    }

    /// A better level of the venue's, inside what is proven, is a contradiction whatever ours is.
    @Test func anEmptyProvenRangeIsContradictedFromWithin() {
        var h = EngineHarness()
        h.goLiveShallow()
        h.update(11, 11, bids: ["9.0:0.0", "8.0:0.0"])
        #expect(h.status().reason == .shallow)
        h.ticker(11, bid: "8.5:1.0", ask: "10.0:1.0")
        #expect(h.status().reason == .mismatch)
    }

    @Test func aRequestForDepthBecomesUrgent() {
        var h = EngineHarness { $0.provenLevelCountMin = 50 }
        h.goLiveShallow()
        h.tick()
        #expect(h.requests() == [.ask(btc, .deepen, attempt: 0)])
        h.update(11, 11, bids: ["9.0:0.0", "8.0:0.0", "3.0:1.0"])
        h.tick()
        #expect(h.requests() == [.ask(btc, .shallow, attempt: 0)])
    }

    // MARK: - Evidence that the book is behind

    @Test(arguments: [true, false]) func whatIsAheadForTooLongProvesTheBookBehind(_ byTicker: Bool) {
        var h = EngineHarness()
        h.goLive()
        var staleAfterNs: Int64?
        let begin = h.nowNs
        for step in 0..<100 {
            h.nowNs += second / 10
            let id = 1000 + step * 50
            if byTicker {
                h.ticker(id, bid: "20.0:1.0", ask: "21.0:1.0")
            } else {
                h.message(
                    "{\"stream\":\"btcusdt@depth5\",\"data\":{\"lastUpdateId\":\(id),"
                        + "\"bids\":[[\"20.0\",\"1.0\"]],\"asks\":[[\"21.0\",\"1.0\"]]}}")
            }
            if h.status().state != .live && staleAfterNs == nil { staleAfterNs = h.nowNs - begin }
        }
        #expect(h.status().reason == .behind && staleAfterNs! <= 3 * second + second / 2)
        #expect(h.requests().prefix(2) == [.ask(btc, .resync, attempt: 0), .resubscribe(btc)])
    }

    /// With a usual interval of 100 ms a second is enough.
    @Test func aBusyBookIsKnownToBeBehindAfterASecond() {
        var h = EngineHarness()
        h.goLive()
        for id in 11...60 {
            h.nowNs += second / 10
            h.update(id, id)
        }
        h.ticker(100, bid: "9.0:1.0", ask: "10.0:1.0")
        h.ticks(4)
        #expect(h.status().state == .live)
        h.tick(afterNs: second / 4)
        #expect(h.status().reason == .behind)
    }

    @Test func tickersThatTheBookReachesAreNoEvidence() {
        var h = EngineHarness()
        h.goLive()
        for step in 0..<200 {
            h.nowNs += second / 20
            h.ticker(11 + step, bid: "9.0:1.0", ask: "10.0:1.0")
            if step % 5 == 0 { h.tick() }
            if step % 10 == 9 { h.update(11 + step - 9, 11 + step) }
            #expect(h.status().state == .live)
        }
        #expect(h.status().counters.behind == 0 && h.status().counters.tickersAgreed == 20)
    }

    @Test func aPartialDepthBeforeItsUpdateIsCompared() {
        var h = EngineHarness()
        h.goLive()
        h.message(
            "{\"stream\":\"btcusdt@depth5\",\"data\":{\"lastUpdateId\":11,\"bids\":[[\"9.0\",\"7.0\"]],"
                + "\"asks\":[[\"10.0\",\"1.0\"]]}}")
        #expect(h.status().counters.partialsCompared == 0)
        h.update(11, 11, bids: ["9.0:6.0"])
        #expect(h.status().counters.partialsCompared == 1 && h.status().reason == .mismatch)
    }

    /// One ticker and one partial depth with an id far too high keep no later ones out.
    @Test func aHighIDKeepsNoOtherOut() {
        var h = EngineHarness { $0.mismatchPolicy = .count }
        h.goLive()
        func partial(_ id: Int) -> String {
            "{\"stream\":\"btcusdt@depth5\",\"data\":{\"lastUpdateId\":\(id),\"bids\":[[\"9.0\",\"1.0\"]],"
                + "\"asks\":[[\"10.0\",\"1.0\"]]}}"
        }
        h.ticker(5000, bid: "9.0:1.0", ask: "10.0:1.0")
        h.message(partial(5000))
        for id in [12, 11, 13, 12] {
            h.ticker(id, bid: "9.0:1.0", ask: "10.0:1.0")
            h.message(partial(id))
        }
        for id in 11...13 { h.update(id, id) }
        #expect(h.status().counters.tickersCompared == 3 && h.status().counters.partialsCompared == 3)
    }

    /// A book is as old as the last update it took in, not as the last message of its connection.
    @Test func aJoinedBookIsAsOldAsItsLastUpdate() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.frame(.connected)
        h.update(8, 9)
        h.update(10, 10)
        let updateNs = h.nowNs
        h.nowNs += 5 * second
        h.update(1, 1, symbol: "ETHUSDT")
        h.ticks(4)
        h.snapshot(9, bids: bids, asks: asks)
        #expect(h.status().state == .live && h.view().receivedAtNs == updateNs)
    }

    // MARK: - Messages that are lost

    @Test(arguments: [
        #"{"e":"depthUpdate","E":1700000000000,"s":"BTCUSDT","U":11,"u":11,"b":[["9.0","0.0","x"]],"a":[]}"#,
        #"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":17000000"#,
        #"{"stream":"btcusdt@depth","data":{"e":"depthUpdate","s":"BTCUSDT","U":11,"u":11,"b":{},"a":[]}}"#,
        #"{"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":1,"s":"BTCUSDX","U":11,"u":11,"b":[],"a":[]}}"#,
        "}{ nothing of it can be made out",
    ])
    func anUnreadableMessageIsADoubt(_ message: String) {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.message(message)
        #expect(h.status().state == .stale && h.status().reason == .unreadable)
        #expect((h.status("ETHUSDT").state == .live) == !message.hasPrefix("}"))
        // Nothing was lost: the next update says so.
        h.update(11, 11)
        #expect(h.status().state == .live && h.status().counters.doubtsSettled == 1)
        // Something was lost, and no update comes: a snapshot says so.
        h.message(message)
        h.ticks(5)
        #expect(h.requests().contains(.ask(btc, .resync, attempt: 0)))
        h.snapshot(12, bids: ["8.0:2.0"], asks: asks)
        h.ticks(20)
        #expect(h.status().state == .stale && h.book(.bid) == ["8.0:2.0"])
        #expect(h.requests().contains(.ask(btc, .check, attempt: 0)))
        h.snapshot(12, bids: ["8.0:2.0"], asks: asks)
        #expect(h.status().state == .live)
    }

    @Test(arguments: [
        #"{"stream":"btcusdt@bookTicker","data":{"u":11,"s":"BTCUSDT","b":"#,
        #"{"stream":"btcusdt@depth20@100ms","data":{"lastUpdateId":12,"bids":[["#,
        #"{"u":11,"s":"BTCUSDT","b":"9.0","B":-1}"#,
    ])
    func anUnreadableMessageOfAnotherStreamIsNone(_ message: String) {
        var h = EngineHarness()
        h.goLive()
        h.message(message)
        #expect(h.status().state == .live && h.status().counters.unreadable == 1)
    }

    @Test func aDroppedMessageIsADoubt() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.frame(.dropped, Array(#"{"stream":"btcusdt@depth@100ms","data":{"e":"#.utf8))
        #expect(h.status().reason == .dropped && h.status("ETHUSDT").state == .live)
        h.frame(.dropped, Array(#"{"e":"depthUpdate","E":1,"s":"ETHUSDT","U":"#.utf8), source: 9)
        #expect(h.status("ETHUSDT").state == .live)  // of another connection
        h.frame(.dropped)
        #expect(h.status("ETHUSDT").reason == .dropped)
        h.update(11, 11)
        h.update(11, 11, symbol: "ETHUSDT")
        #expect(h.status().state == .live && h.status("ETHUSDT").state == .live)
    }

    // MARK: - Equal ids are proof

    @Test func anAuditAtTheVeryIDSettlesAtOnce() {
        var h = EngineHarness()
        h.goLive()
        h.engine.audit(btc, atNs: h.nowNs)
        h.snapshot(10, bids: ["9.5:7.0"], asks: ["10.0:1.0"])
        #expect(h.status().counters.auditsCompared == 1 && h.status().counters.auditsAgreed == 0)
        #expect(h.status().reason == .audit && h.status().lastDifference?.snapshotID == UpdateID(10))
        #expect(h.requests().last == .ask(btc, .resync, attempt: 0))
    }

    /// On busy futures nearly every snapshot carries an id inside an update.
    @Test func theContainingUpdateMakesIDsEqual() {
        var h = EngineHarness(.usdm) { $0.requestsAreAnnounced = true }
        h.frame(.connected)
        h.frame(.snapshotRequested, SnapshotEnvelope(symbol: btc, limit: 100).bytes)
        h.futuresUpdate(90, 95, 100)
        h.snapshot(100, bids: bids, asks: asks)
        h.futuresUpdate(100, 101, 110)
        _ = h.requests()
        h.engine.audit(btc, atNs: h.nowNs)
        h.frame(.snapshotRequested, SnapshotEnvelope(symbol: btc, limit: 100).bytes)
        h.snapshot(115, bids: bids, asks: asks)
        #expect(h.status().counters.auditsCompared == 0)
        h.futuresUpdate(110, 112, 120, bids: ["9.0:3.0"])
        #expect(h.status().counters.auditsAgreed == 1 && h.status().state == .live)
    }

    @Test func aQuietFirstBookIsLiveByATickerOrASecondSnapshot() {
        var h = EngineHarness()
        h.frame(.connected)
        h.snapshot(10, bids: bids, asks: asks)
        #expect(h.status().state == .syncing)
        h.ticker(10, bid: "9.0:1.0", ask: "10.0:1.0")
        #expect(h.status().state == .live)
        var g = EngineHarness()
        g.frame(.connected)
        g.snapshot(10, bids: bids, asks: asks)
        _ = g.requests()
        g.ticks(5)
        #expect(g.requests() == [.ask(btc, .check, attempt: 0)])
        g.snapshot(10, bids: ["9.0:1.0"], asks: ["10.0:1.0"], limit: 1)
        #expect(g.status().state == .live && g.status().provenBids == .unbounded)
        g.update(11, 12, bids: ["9.0:2.0"])
        #expect(g.status().state == .live)
    }

    // MARK: - What becomes the served book

    @Test func aCrossedSnapshotBecomesNothing() {
        var h = EngineHarness()
        h.goLive()
        h.engine.audit(btc, atNs: h.nowNs)
        h.update(11, 11)
        h.snapshot(11, bids: ["12.0:1.0", "9.0:1.0", "8.0:2.0"], asks: asks)
        h.update(12, 12)
        let view = h.view()
        #expect(view.state == .live && view.bestBid == PriceLevel(90, 10))
        #expect(h.status().counters.snapshotsRefuted == 1)
    }

    @Test func aSnapshotBehindTheBookIsTooOldAtOnce() {
        var h = EngineHarness { $0.provenLevelCountMin = 500 }
        h.goLiveShallow()
        var (id, attempts) = (10, [Int]())
        for _ in 0..<240 {
            h.tick(afterNs: second / 4)
            for case .ask(_, .deepen, let attempt) in h.requests() {
                attempts.append(attempt)
                h.snapshot(id - 1, bids: bids, asks: asks, limit: 2)
            }
            id += 1
            h.update(id, id)
        }
        #expect(attempts == [0, 1, 2, 3, 4] && h.status().state == .live)
        #expect(h.status().counters.snapshotsTooOld == 5)
    }

    @Test func anAbsurdIDIsNoUpdateOfThisStream() {
        var h = EngineHarness()
        h.goLive()
        h.update(11, 9_000_000_000_000_000_000, bids: ["9.0:0.0"])
        #expect(h.status().reason == .gap && h.book(.bid) == bids)
        h.ticker(8_000_000_000_000_000_000, bid: "9.0:1.0", ask: "10.0:1.0")
        let before = h.view().receivedAtNs
        h.nowNs += second
        h.update(10, 10)
        #expect(h.view().receivedAtNs == before)  // nothing was applied
        h.update(11, 11)
        #expect(h.status().state == .live && h.view().receivedAtNs == h.nowNs)
        h.ticker(11, bid: "9.0:1.0", ask: "10.0:1.0")
        #expect(h.status().counters.tickersAgreed == 1 && h.status().counters.implausible == 2)
    }

    @Test func aLimitBeyond32BitsIsNotComplete() {
        var engine = BookEngine(EngineConfiguration(rules: Market.spot.rules))
        engine.addSymbol(btc)
        engine.connect(receivedAtNs: 0)
        let bids = (0..<5000).map { "[\"\(9000 - $0)\",\"1\"]" }.joined(separator: ",")
        let body = Array(#"{"lastUpdateId":9,"bids":[\#(bids)],"asks":[["9001","1"]]}"#.utf8)
        engine.receiveSnapshot(body.span, of: btc, limit: 1 << 32, receivedAtNs: 1)
        #expect(engine.status(btc)!.provenBids == .to(Price(4001)))
        #expect(engine.status(btc)!.provenAsks == .unbounded)
    }
}
