// What silence means to an engine, and a snapshot that is ahead of a book.

import BinanceVenue
import DepthBook
import LobHandoff
import MarketData
import TestSupport
import Testing

@testable import BookEngine

private let btc = SymbolName("BTCUSDT")
private let second: Int64 = 1_000_000_000

extension EngineHarness {
    /// Ticks four times a second; the seconds until this is requested, nil if it is not.
    fileprivate mutating func secondsUntil(_ request: EngineRequest, atMost seconds: Int) -> Double? {
        let begin = nowNs
        for _ in 0..<(4 * seconds) {
            tick(afterNs: second / 4)
            if requests().contains(request) { return Double(nowNs - begin) / 1e9 }
        }
        return nil
    }

    fileprivate mutating func secondsUntilResubscription(atMost seconds: Int) -> Double? {
        secondsUntil(.resubscribe(btc), atMost: seconds)
    }

    /// Updates so many seconds apart, ticks between them; the requests of that time.
    fileprivate mutating func updates(_ ids: ClosedRange<Int>, everySeconds: Int) -> [EngineRequest] {
        var requests: [EngineRequest] = []
        for id in ids {
            for _ in 0..<everySeconds { tick(afterNs: second) }
            update(id, id)
            requests += self.requests()
        }
        return requests
    }
}

@Suite struct EngineWatchTests {
    @Test func noFirstUpdate() {
        var h = EngineHarness()
        #expect(h.secondsUntilResubscription(atMost: 600) == nil)  // no connection
        h.frame(.connected)
        // The first tick tells the time; then 30 s, and twice as long after every fruitless one.
        #expect(h.secondsUntilResubscription(atMost: 60) == 30.5)
        #expect(h.secondsUntilResubscription(atMost: 120) == 60.25)
        #expect(h.secondsUntilResubscription(atMost: 240) == 120.25)
        #expect(h.status().counters.resubscriptions == 3)
        // It delivers, but no book has come of it.
        h.update(1, 1)
        #expect(h.secondsUntilResubscription(atMost: 60) == 40.25)
    }

    /// A silent stream is checked before it is subscribed anew: one that is merely quiet goes on as it is.
    @Test func aQuietSymbolIsCheckedAndLeftAlone() {
        var h = EngineHarness()
        h.goLive()
        for wait in [30.25, 60.25, 120.25] {
            #expect(h.secondsUntil(.ask(btc, .check, attempt: 0), atMost: 200) == wait)
            h.snapshot(10, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"], limit: 2)
            #expect(h.status().state == .live)
        }
        #expect(h.status().counters.quietChecks == 3)
        #expect(h.status().counters.resubscriptions == 0)
        #expect(h.status().provenBids == .unbounded)
    }

    @Test func aCheckThatDoesNotComeIsNotWaitedFor() {
        var h = EngineHarness()
        h.goLive()
        let number = h.engine.lossNumber(of: btc)
        #expect(h.secondsUntil(.ask(btc, .check, attempt: 0), atMost: 60) == 30.25)
        #expect(h.engine.lossNumber(of: btc) == number)
        #expect(h.secondsUntilResubscription(atMost: 60) == 21)
        // Engines that have a copy of the book know of the doubt by that.
        #expect(h.status().reason == .behind && h.engine.lossNumber(of: btc) > number)
    }

    @Test func theLimitStopsDoubling() {
        var h = EngineHarness()
        h.frame(.connected)
        for _ in 0..<8 { _ = h.secondsUntilResubscription(atMost: 1801) }
        #expect(h.secondsUntilResubscription(atMost: 4000) == 1800.25)
        #expect(h.secondsUntilResubscription(atMost: 4000) == 1800.25)
    }

    @Test func silenceIsMeasuredByWhatIsUsual() {
        var h = EngineHarness()
        h.goLive()
        #expect(h.updates(11...40, everySeconds: 4) == [])
        let usual = Double(h.status().usualIntervalNs) / 1e9
        #expect(usual > 3 && usual <= 4)
        let seconds = h.secondsUntil(.ask(btc, .check, attempt: 0), atMost: 200)!
        #expect(seconds > 30 * usual && seconds < 30 * usual + 0.5)
        // A check costs the book nothing; the next update goes on or shows the gap.
        #expect(h.status().state == .live)
        h.update(41, 41)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(41))
    }

    /// A slow symbol is asked for a few times at first, and then known to be slow.
    @Test func aSlowSymbolIsLearned() {
        var h = EngineHarness()
        h.goLive()
        let first = h.updates(11...14, everySeconds: 100).count { $0 == .ask(btc, .check, attempt: 0) }
        #expect(first > 0)
        let later = h.updates(15...40, everySeconds: 100).count { $0 == .ask(btc, .check, attempt: 0) }
        #expect(later == 0)
    }

    @Test func aReconnectIsNotAnInterval() {
        var h = EngineHarness()
        h.goLive()
        _ = h.updates(11...40, everySeconds: 1)
        let usual = h.status().usualIntervalNs
        h.frame(.disconnected)
        h.nowNs += 36_000 * second
        h.tick()
        #expect(h.requests() == [])
        h.frame(.connected, source: 2)
        h.source = 2
        h.update(41, 41)
        #expect(h.status().usualIntervalNs == usual)
        #expect(h.status().lastUpdateID == UpdateID(41))
    }

    @Test func silenceIsOfTheConnectionInUse() {
        var h = EngineHarness()
        h.goLive()
        h.frame(.connected, source: 2)
        for id in 20...60 {
            h.tick(afterNs: second)
            h.update(id, id, source: 2)  // does not connect, so it is used only with a proof
        }
        #expect(h.requests().contains(.ask(btc, .resync, attempt: 0)))
        #expect(h.status().reason == .disconnected)
    }

    /// The audit's snapshot is at 20; the book stays at 10 and no update comes.
    @Test func aSnapshotAheadProvesTheBookBehind() {
        var h = EngineHarness {
            $0.silenceNsMin = 1000 * second
            $0.aheadNsMax = 3 * second
        }
        h.goLive()
        h.engine.audit(btc, atNs: h.nowNs)
        #expect(h.requests() == [.ask(btc, .audit, attempt: 0)])
        h.snapshot(20, bids: ["9.5:1.0"], asks: ["10.0:1.0"])
        for _ in 0..<3 { h.tick(afterNs: second) }
        #expect(h.status().state == .live && h.requests() == [])
        h.tick(afterNs: second / 4)
        #expect(h.status().state == .stale && h.status().reason == .behind)
        #expect(h.status().counters.behind == 1 && h.status().counters.resyncs == 1)
        #expect(h.requests().first == .resubscribe(btc))
        #expect(h.status().lastUpdateID == UpdateID(20))
        // Readers are told at once.
        let reader = h.engine.views(of: btc)!
        var view = BookView()
        _ = reader.read(into: &view)
        #expect(view.state == .stale && view.reason == .behind)
        // The next update shows that the stream goes on, once that is subscribed again.
        h.update(21, 21)
        #expect(h.status().state == .stale)
        h.frame(.resubscribed, Array("{\"stream\":\"btcusdt@depth@100ms\"".utf8))
        h.update(22, 22)
        #expect(h.status().state == .live)
    }

    @Test func aSnapshotAheadThatTheStreamReaches() {
        var h = EngineHarness { $0.aheadNsMax = 3 * second }
        h.goLive()
        h.engine.audit(btc, atNs: h.nowNs)
        h.snapshot(20, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"])
        for _ in 0..<3 { h.tick(afterNs: second) }
        h.update(11, 20)
        h.update(21, 21)
        for _ in 0..<20 { h.tick(afterNs: second) }
        #expect(h.status().state == .live && h.status().counters.behind == 0)
        #expect(h.status().counters.auditsAgreed == 1)
    }

    /// A check of the best levels is no audit of the rest.
    @Test func checksDoNotPutOffAudits() {
        var h = EngineHarness { $0.auditEveryNs = 100 * second }
        h.goLive()
        var audits = 0
        for _ in 0..<1000 {
            h.tick(afterNs: second / 4)
            for case .ask(_, let purpose, _) in h.requests() {
                if purpose == .audit { audits += 1 }
                let isAudit = purpose == .audit
                h.snapshot(
                    10, bids: isAudit ? ["9.0:1.0", "8.0:2.0"] : ["9.0:1.0"],
                    asks: isAudit ? ["10.0:1.0", "11.0:2.0"] : ["10.0:1.0"], limit: isAudit ? 1000 : 1)
            }
        }
        #expect(h.status().state == .live && audits >= 2 && h.status().counters.quietChecks >= 2)
    }

    /// One update behind the first book of a quiet symbol, and none after it.
    @Test func aStragglerDoesNotKeepAFirstBookFromItsProof() {
        var h = EngineHarness()
        h.frame(.connected)
        h.snapshot(10, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        h.update(9, 9)
        _ = h.requests()
        h.ticker(10, bid: "9.0:1.0", ask: "10.0:1.0")
        #expect(h.status().state == .syncing)
        for _ in 0..<40 where h.status().state != .live {
            h.tick(afterNs: second / 4)
            for _ in h.askedFor() { h.snapshot(10, bids: ["9.0:1.0"], asks: ["10.0:1.0"]) }
        }
        #expect(h.status().state == .live)
    }

    /// A quiet symbol: the audit's snapshot is where the book is.
    @Test func aSnapshotAtTheBooksIDSettlesAnAudit() {
        var h = EngineHarness { $0.silenceNsMin = 100_000 * second }
        h.goLive()
        h.engine.audit(btc, atNs: h.nowNs)
        h.snapshot(10, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"])
        #expect(h.status().counters.auditsCompared == 1)
        #expect(h.status().counters.auditsAgreed == 1)
        for _ in 0..<200 { h.tick(afterNs: second) }
        #expect(h.status().state == .live && h.status().counters.behind == 0)
    }

    @Test func withoutTicksNothingIsJudged() {
        var h = EngineHarness()
        h.goLive()
        h.engine.audit(btc, atNs: h.nowNs)
        _ = h.requests()
        h.snapshot(20, bids: ["9.5:1.0"], asks: ["10.0:1.0"])
        h.nowNs += second / 2
        h.ticker(15, bid: "9.5:1.0", ask: "10.0:1.0")
        #expect(h.status().state == .live && h.requests() == [])
    }

    @Test func ticksAllocateNothing() {
        var h = EngineHarness(symbols: (0..<50).map { "S\($0)USDT" })
        h.frame(.connected)
        h.tick()
        _ = h.requests()
        let frame = Frame(
            kind: .tick, source: 0, receivedAtNs: h.nowNs, bytes: UnsafeBufferPointer(start: nil, count: 0))
        let bytes = allocatedBytes { for _ in 0..<100 { h.engine.step(frame) } }
        #if !DEBUG
            if let bytes { #expect(bytes == 0) }
        #endif
    }
}
