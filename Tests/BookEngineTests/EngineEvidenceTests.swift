// Evidence outlives what it was seen beside: another snapshot, another book, another connection, another
// request.

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

@Suite struct EngineEvidenceTests {
    /// An unusable snapshot of a later state does not make it forgotten how far the venue was before.
    @Test(arguments: [true, false]) func anUnusableSnapshotMakesNothingForgotten(_ isCrossed: Bool) {
        var h = EngineHarness.live()
        h.ticker(15, bid: "8.0:2.0", ask: "10.0:1.0")
        for _ in 0..<16 where h.status().state == .live { h.tick(afterNs: second / 4) }
        #expect(h.status().reason == .behind)
        if isCrossed { h.serve(16, ["11.0:1.0"], ["10.0:1.0"]) }
        #expect(h.serve(10, forSeconds: 60).liveSeconds == 0)
    }

    /// Nor does a contradiction make the ticker forgotten that lies beyond it.
    @Test func aContradictionMakesNothingForgotten() {
        var h = EngineHarness.live()
        h.ticker(12, bid: "8.0:2.0", ask: "10.0:1.0")
        h.update(11, 11)
        h.ticker(11, bid: "9.0:7.0", ask: "10.0:1.0")
        #expect(h.status().reason == .mismatch)
        // As long as a ticker may precede its update, and no longer.
        #expect(h.serve(11, forSeconds: 60).liveSeconds <= 1.5)
    }

    /// A connection that was left because it was quiet beside a newer one still shows what the newer one
    /// lacks, also if it ends as planned right after; what does not continue the book is of another epoch, or
    /// late.
    @Test(arguments: [true, false], [true, false])
    func whatALeftConnectionContinuesCounts(_ continues: Bool, _ isRetired: Bool) {
        var h = EngineHarness.live()
        h.tick(afterNs: second)
        h.frame(.connected, source: 2)
        h.tick(afterNs: second)
        h.update(11, 11, source: 2)
        #expect(h.status().reason == .disconnected && h.status().counters.doubts == 1)
        h.serve(11, forSeconds: 4)
        #expect(h.status().state == .live && h.engine.source(of: btc) == 2)
        h.update(continues ? 12 : 900, continues ? 13 : 901, source: 1)
        if isRetired { h.frame(.retired, source: 1) }
        // REST stands still.
        h.serve(11, forSeconds: 4)
        #expect((h.status().state == .live) == !continues)
    }

    /// An update from before one that could not be read says nothing about that one, if a partial depth has
    /// shown it; the next one does.
    @Test func aStragglerSettlesNoLossBehindIt() {
        var h = EngineHarness.live()
        h.message(
            #"{"stream":"btcusdt@depth","data":{"e":"depthUpdate","s":"BTCUSDT","U":13,"u":14,"b":{}}}"#)
        h.message(
            #"{"stream":"btcusdt@depth5","data":{"lastUpdateId":14,"#
                + #""bids":[["8.0","2.0"]],"asks":[["10.0","1.0"]]}}"#)
        h.update(11, 12)
        #expect(h.status().state == .stale && h.status().reason == .unreadable)
        h.update(13, 14, bids: ["9.0:0.0"])
        #expect(h.status().state == .live && h.status().counters.doubtsSettled == 1)
    }

    /// On futures what differs from the book differs from the next one too, and from one that is kept.
    @Test(arguments: ["nothing happens", "a reconnect", "another book", "an update"])
    func whatDiffersOutlivesTheBook(_ what: String) {
        var h = EngineHarness.live(.usdm)
        h.ticker(15, bid: "9.5:1.0", ask: "10.0:1.0")
        var (id, best) = (10, bids)
        switch what {
        case "a reconnect":
            h.frame(.disconnected)
            h.source = 2
            h.frame(.connected)
            for _ in 0..<8 { h.tick(afterNs: second / 4) }
        case "another book":
            h.engine.audit(btc, atNs: h.nowNs)
            (id, best) = (12, ["8.5:1.0"])
        case "an update":
            h.futuresUpdate(10, 11, 12)
            id = 12
        default: break
        }
        #expect(h.serve(id, best, forSeconds: 60).liveSeconds <= 2)
        h.serve(15, ["9.5:1.0"], forSeconds: 30)
        #expect(h.status().state == .live)
    }

    /// On futures an update makes what was seen ahead of it agree or differ.
    @Test func anUpdateMayAgreeWithWhatWasSeen() {
        var h = EngineHarness.live(.usdm)
        h.ticker(15, bid: "9.5:1.0", ask: "10.0:1.0")
        h.futuresUpdate(10, 11, 12, bids: ["9.5:1.0"])
        #expect(h.serve(12, ["9.5:1.0", "9.0:1.0", "8.0:2.0"], forSeconds: 20).liveSeconds == 20)
    }

    /// A check requested before a resubscription was accepted, and answered after: one that agrees leaves a
    /// book that is looked at soon, one that is ahead says nothing against the new subscription.
    @Test(arguments: [0, 5], [0, 20, 60])
    func aCheckFromBeforeTheSubscription(_ ahead: Int, _ everySeconds: Int) {
        var h = EngineHarness.live()
        var known = 10
        for _ in 0..<20 where everySeconds > 0 {
            h.serve(known, forSeconds: Double(everySeconds))
            known += 1
            h.update(known, known)
        }
        // Silence; REST does not answer.
        var isAccepted = false
        for _ in 0..<20_000 where !isAccepted {
            for request in h.requests() {
                switch request {
                case .ask(let symbol, _, _): h.announce(symbol)
                case .resubscribe:
                    h.frame(.resubscribed, stream)
                    isAccepted = true
                case .cancel: break
                }
            }
            h.tick(afterNs: second / 4)
        }
        #expect(isAccepted && h.status().reason == .behind)
        for _ in 0..<20 { h.tick(afterNs: second / 4) }
        // The answer to the check.
        h.snapshot(known + ahead, bids: ["9.0:1.0"], asks: ["10.0:1.0"], limit: 1)
        #expect(h.serve(known + ahead, forSeconds: 600).liveSeconds >= 594)
        #expect(h.status().counters.resubscriptions == 1)
    }

    /// A snapshot requested before a late update came does not show that the stream is in time.
    @Test func aSlowSnapshotSaysNothingOfLateness() {
        var h = EngineHarness()
        h.goLive()
        h.update(11, atMs: 0)
        h.nowNs += 10 * second
        h.engine.audit(btc, atNs: h.nowNs)
        _ = h.requests()
        h.nowNs += second
        h.update(12, atMs: 3_000)
        #expect(h.status().reason == .lagging)
        for _ in 0..<28 { h.tick(afterNs: second / 4) }
        h.snapshot(12, bids: bids, asks: asks)
        #expect(h.status().reason == .lagging)
    }

    /// An answer under way when a message was lost does not settle that.
    @Test func anAnswerUnderWaySettlesNoLaterLoss() {
        var h = EngineHarness.live()
        h.engine.audit(btc, atNs: h.nowNs)
        _ = h.requests()
        h.announce(btc)
        // The answer is in the ring when a gap makes the engine request another.
        h.update(13, 13)
        #expect(h.requests() == [.ask(btc, .resync, attempt: 0)])
        h.snapshot(12, bids: bids, asks: asks)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(13))
        // The second request is sent while the venue is at 13; then update 14 is lost before the ring.
        h.announce(btc)
        h.tick(afterNs: second / 2)
        h.frame(.dropped, stream)
        #expect(h.status().reason == .dropped)
        var requests: [EngineRequest] = []
        for _ in 0..<8 {
            h.tick(afterNs: second / 4)
            requests += h.requests()
        }
        // A planner announces what is under way, unless it is cancelled.
        #expect(requests == [.cancel(btc), .ask(btc, .resync, attempt: 0)])
        h.snapshot(13, bids: bids, asks: asks)
        #expect(h.status().state == .stale)
        h.announce(btc)
        h.snapshot(14, bids: bids, asks: asks)
        h.serve(14, forSeconds: 10)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(14))
    }

    /// What the older of two connections shows beyond the book counts, while it is there and afterwards.
    @Test(arguments: [Market.spot, .usdm], [FrameKind.retired, .disconnected])
    func theOlderConnectionIsHeeded(_ market: Market, _ end: FrameKind) {
        var h = EngineHarness.live(market)
        func update(_ id: Int, _ source: UInt16) {
            if market == .spot {
                h.update(id, id, bids: ["9.0:\(id).0"], source: source)
            } else {
                h.futuresUpdate(id - 1, id, id, bids: ["9.0:\(id).0"], source: source)
            }
        }
        h.frame(.connected, source: 2)
        update(11, 2)
        update(11, 1)
        #expect(h.status().state == .live)
        for id in 12...30 {
            update(id, 1)
            h.tick(afterNs: second / 4)
        }
        #expect(h.status().state == .stale)
        h.frame(end, source: 1)
        h.source = 2
        var liveSeconds = 0.0
        for _ in 0..<80 {
            h.tick(afterNs: second / 4)
            if h.status().state == .live { liveSeconds += 0.25 }
        }
        #expect(liveSeconds <= 2.5)
    }

    /// The venue's ids begin anew beside a stream of updates that is dead; tickers and audits say so.
    @Test func idsBegunAnewBesideADeadStream() {
        var h = EngineHarness.live { $0.auditEveryNs = 30 * second }
        var id = 10
        for _ in 0..<20 {
            h.serve(id, forSeconds: 60)
            id += 1
            h.update(id, id)
        }
        #expect(h.status().state == .live)
        var wrongSeconds = 0.0
        for step in 0..<2_400 {
            if step % 4 == 0 { h.ticker(1 + step / 600, bid: "20.0:1.0", ask: "21.0:1.0") }
            let isOld = h.status().lastUpdateID > UpdateID(8)
            let served = h.serve(1 + step / 600, ["20.0:1.0"], ["21.0:1.0"])
            if isOld { wrongSeconds += served.liveSeconds }
        }
        #expect(wrongSeconds <= 150 && h.status().state == .live)
    }

    /// REST alone, late by minutes beside a quiet stream, does not make a right book be given up.
    @Test func restThatIsLateIsNoNewTime() {
        var h = EngineHarness.live { $0.auditEveryNs = 30 * second }
        h.serve(10, forSeconds: 60)
        for _ in 0..<600 {
            h.serve(9, ["9.5:1.0"], forSeconds: 1)
            #expect(h.status().lastUpdateID == UpdateID(10))
        }
    }

    /// Nor a book that waits for its stream, before minutes have passed.
    @Test func restThatIsLateBesideABookThatWaits() {
        var h = EngineHarness.live()
        h.update(12, 12)
        h.snapshot(12, bids: ["9.5:1.0"], asks: asks)
        #expect(h.status().state == .stale && h.status().lastUpdateID == UpdateID(12))
        #expect(h.serve(10, forSeconds: 100).liveSeconds == 0)
        h.serve(12, ["9.5:1.0"], forSeconds: 200)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(12))
    }

    /// Two snapshots that agree do not show a quiet stream while tickers show that the venue has moved on.
    @Test(arguments: [Market.spot, .usdm]) func aFrozenNodeProvesNoQuietStream(_ market: Market) {
        var h = EngineHarness.live(market)
        h.frame(.disconnected)
        h.frame(.connected)
        var liveSeconds = 0.0
        for step in 0..<200 {
            h.ticker(12 + step, bid: "20.0:1.0", ask: "21.0:1.0")
            liveSeconds += h.serve(10).liveSeconds
        }
        #expect(liveSeconds == 0)
    }
}
