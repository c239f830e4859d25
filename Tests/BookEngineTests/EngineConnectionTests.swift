// What may be believed of a connection: renewals, silence, lag, clocks that are set, and bounds.

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

@Suite struct EngineConnectionTests {
    // MARK: - Renewal

    @Test func aRenewalHandsOverOnlyWhatWasShown() {
        var h = EngineHarness()
        h.goLive()
        h.frame(.connected, source: 2)
        for id in 11...40 { h.update(id, id, bids: ["9.0:\(id).0"], source: 1) }
        h.frame(.retired, source: 1)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
        // One update at or behind the book is enough.
        var g = EngineHarness()
        g.goLive()
        g.frame(.connected, source: 2)
        g.update(11, 11, source: 1)
        g.update(10, 10, source: 2)
        g.frame(.retired, source: 1)
        #expect(g.status().state == .live)
    }

    /// Neither connection showed anything: it is handed over, and soon asked for.
    @Test func whatWasSilentOnBothIsCheckedSoon() {
        for isShown in [false, true] {
            var h = EngineHarness()
            h.goLive()
            for id in 11...40 {
                h.nowNs += second / 2
                h.update(id, id)
            }
            h.frame(.connected, source: 2)
            if isShown { h.update(40, 40, source: 2) }
            for _ in 0..<12 { h.tick(afterNs: second / 4) }
            h.frame(.retired, source: 1)
            _ = h.requests()
            for _ in 0..<8 { h.tick(afterNs: second / 4) }
            #expect(h.status().state == .live)
            let checks = h.requests().filter { if case .ask(_, .check, _) = $0 { true } else { false } }
            #expect(checks.isEmpty == isShown)
        }
    }

    /// A check that fails so soon makes no good book stale; a silence that lasts does.
    @Test func aFailedCheckAfterARenewalIsNoSilence() {
        var h = EngineHarness()
        h.goLive()
        for id in 11...40 {
            h.nowNs += second / 2
            h.update(id, id)
        }
        h.frame(.connected, source: 2)
        for _ in 0..<12 { h.tick(afterNs: second / 4) }
        h.frame(.retired, source: 1)
        for _ in 0..<80 {
            h.tick(afterNs: second / 4)
            if h.requests().contains(where: { if case .ask = $0 { true } else { false } }) {
                h.snapshotFailed()
            }
            #expect(h.status().state == .live)
        }
        for _ in 0..<120 { h.tick(afterNs: second / 4) }
        #expect(h.status().state == .stale)
    }

    // MARK: - Silence of a connection

    @Test func aBusyConnectionThatFallsSilentIsNotBelieved() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        for id in 11...60 {
            h.nowNs += second / 10
            h.update(id, id)
        }
        for _ in 0..<12 { h.tick(afterNs: second / 4) }
        #expect(h.status().state == .live)
        h.tick(afterNs: second / 4)
        #expect(h.status().reason == .silent && h.status("ETHUSDT").reason == .silent)
        h.update(61, atMs: h.nowNs / 1_000_000 - 1_000)
        #expect(h.status().state == .live && h.status("ETHUSDT").state == .live)
    }

    @Test func checkedAtTellsQuietFromDead() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.nowNs += 100 * second
        h.update(11, 11, symbol: "ETHUSDT")
        let heardAtNs = h.nowNs
        h.tick(afterNs: second)
        var view = BookView()
        _ = h.engine.views(of: btc)!.read(into: &view)
        #expect(view.state == .live && view.checkedAtNs == heardAtNs)
        #expect(view.receivedAtNs == heardAtNs - 100 * second)
    }

    // MARK: - Another connection

    /// An older connection that has delivered nothing for a while may be dead, and the venue's ids new: that
    /// an update of the newer one fits proves nothing.
    @Test func anUpdateThatFitsIsNoProofBesideAMuteConnection() {
        var h = EngineHarness()
        h.goLive()
        h.nowNs += 7 * second
        h.frame(.connected, source: 2)
        h.update(11, 11, source: 2)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
        h.snapshot(11, bids: bids, asks: asks)
        #expect(h.status().state == .live)
        // One that was heard a moment ago is continued.
        var g = EngineHarness()
        g.goLive()
        g.frame(.connected, source: 2)
        g.update(11, 11, source: 2)
        #expect(g.status().state == .live)
    }

    /// Whatever another connection has shown: what ended this one may have begun the ids anew.
    @Test func aLostConnectionIsADoubtAlsoBesideAnother() {
        var h = EngineHarness()
        h.goLive()
        h.frame(.connected, source: 2)
        h.update(8, 9, source: 2)
        h.frame(.disconnected, source: 1)
        h.update(11, 11, source: 2)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
        h.snapshot(11, bids: bids, asks: asks)
        #expect(h.status().state == .live)
    }

    /// What the next connection has shown already is known, though it was not used: REST may lag behind it.
    @Test(arguments: [FrameKind.retired, .disconnected]) func aSnapshotBehindWhatTheNextOneHasShownIsTooOld(
        _ end: FrameKind
    ) {
        var h = EngineHarness()
        h.goLive()
        h.update(12, 12)
        h.ticker(12, bid: "9.0:1.0", ask: "10.0:1.0")
        h.frame(.connected, source: 2)
        h.update(13, 13, source: 2)
        #expect(h.status().reason == .gap)
        h.frame(end, source: 1)
        h.snapshot(12, bids: bids, asks: asks)
        #expect(h.status().state == .stale && h.status().counters.snapshotsTooOld == 1)
        h.snapshot(13, bids: bids, asks: asks)
        h.update(14, 14, source: 2)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(14))
    }

    /// And if the venue counts anew meanwhile and has nothing to say, its snapshots are believed in the end.
    @Test func snapshotsBehindWhatWasShownAreBelievedInTheEnd() {
        var h = EngineHarness()
        h.goLive()
        h.update(12, 12)
        h.frame(.connected, source: 2)
        h.update(13, 13, source: 2)
        h.frame(.disconnected, source: 1)
        for _ in 0..<6 {
            h.tick(afterNs: 25 * second)
            h.snapshot(5, bids: bids, asks: asks)
        }
        #expect(h.status().counters.snapshotsTooOld == 4)
        h.frame(.resubscribed, Array("{\"stream\":\"btcusdt@depth@100ms\"".utf8), source: 2)
        h.update(6, 6, source: 2)
        #expect(h.status().state == .live)
    }

    /// An audit that agrees leaves a live book live, though the last that came was a duplicate.
    @Test func anAgreeingAuditAfterADuplicateKeepsTheBookLive() {
        var h = EngineHarness()
        h.goLive()
        h.update(10, 10)
        h.engine.audit("BTCUSDT", atNs: h.nowNs)
        h.snapshot(10, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"])
        #expect(h.status().counters.auditsAgreed == 1 && h.status().state == .live)
        h.update(11, 11)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(11))
    }

    /// The ids of a venue that began anew may fit, but another connection had shown later ones.
    @Test func idsThatGoBackAreNotTakenOver() {
        var h = EngineHarness()
        h.goLive()
        h.frame(.connected, source: 2)
        h.update(30, 30, source: 2)
        h.tick(afterNs: second / 4)
        h.frame(.disconnected, source: 2)
        h.tick(afterNs: second / 4)
        h.frame(.connected, source: 3)
        h.update(11, 11, source: 3)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
        h.snapshot(11, bids: bids, asks: asks)
        #expect(h.status().state == .live)
    }

    /// The ids of a venue that began anew may have come far enough to span the book. Tickers behind the book,
    /// long after the book came there, tell.
    @Test(arguments: [true, false]) func anUpdateThatSpansTheBookIsDoubtedBehindOldTickers(isShown: Bool) {
        var h = EngineHarness()
        h.goLive()
        h.update(11, 20)
        h.tick(afterNs: 4 * second)
        h.frame(.connected, source: 2)
        h.ticker(isShown ? 14 : 20, bid: "9.0:1.0", ask: "10.0:1.0")
        h.update(12, 22, source: 2)
        #expect(h.status().lastUpdateID == UpdateID(22))
        #expect(h.status().state == (isShown ? .stale : .live))
        if !isShown { return }
        #expect(h.status().reason == .disconnected)
        h.update(23, 23, source: 2)
        #expect(h.status().state == .stale)
        h.snapshot(23, bids: bids, asks: asks)
        #expect(h.status().state == .live)
    }

    // MARK: - Clocks

    @Test(arguments: [3600 * second, -3600 * second]) func aClockThatIsSetChangesNothing(_ stepNs: Int64) {
        var h = EngineHarness.market(20) { $0.auditEveryNs = 600 * second }
        var monotonicNs: Int64 = 77
        for _ in 0..<8 {
            monotonicNs += second / 4
            h.tick(wallNs: h.nowNs + second / 4, monotonicNs: monotonicNs)
        }
        _ = h.requests()
        h.nowNs += stepNs
        h.update(11, 11, symbol: "S0USDT")
        for _ in 0..<8 {
            monotonicNs += second / 4
            h.tick(wallNs: h.nowNs + second / 4, monotonicNs: monotonicNs)
        }
        #expect(h.states().allSatisfy { $0 == .live } && h.requests().isEmpty)
        // A stream that dies is noticed as soon as ever.
        for _ in 0..<160 {
            monotonicNs += second / 4
            h.tick(wallNs: h.nowNs + second / 4, monotonicNs: monotonicNs)
        }
        #expect(Set(h.askedFor()).count >= 19)  // one has just shown how slow it is
    }

    // MARK: - Bounds

    @Test func buffersAreBoundedTogetherAndGivenBack() {
        var h = EngineHarness(symbols: (0..<50).map { "S\($0)USDT" }) {
            $0.bufferSumBytesMax = 24_000
            $0.requestsAreAnnounced = true
        }
        h.frame(.connected)
        let sum = { (h: borrowing EngineHarness) in
            h.engine.symbols.reduce(0) { $0 + h.engine.status($1)!.bufferedBytes }
        }
        for index in 0..<50 { h.update(1, 1, symbol: "S\(index)USDT") }
        #expect(sum(h) == 0)  // nobody has sent a request
        for symbol in h.engine.symbols {
            h.frame(.snapshotRequested, SnapshotEnvelope(symbol: symbol, limit: 100).bytes)
        }
        for id in 2...20 {
            for index in 0..<50 { h.update(id, id, bids: bids, symbol: "S\(index)USDT") }
            #expect(sum(h) <= 24_000)
        }
        for index in 0..<50 {
            h.snapshot(20, bids: bids, asks: asks, symbol: "S\(index)USDT")
            h.update(21, 21, symbol: "S\(index)USDT")
        }
        #expect(sum(h) == 0 && h.states().allSatisfy { $0 == .live })
    }

    /// A few symbols a tick, and each of them in turn.
    @Test func aTickLooksAtAFewSymbols() {
        var h = EngineHarness.market(100) { $0.statusEveryNs = second }
        let before = h.engine.symbols.map { h.engine.statuses(of: $0)!.version }
        h.tick(afterNs: 2 * second)
        let after = h.engine.symbols.map { h.engine.statuses(of: $0)!.version }
        let published = zip(before, after).count { $0 != $1 }
        #expect(published > 0 && published <= BookEngine.looksPerTick)
        for _ in 0..<40 { h.tick(afterNs: second / 4) }
        #expect(h.engine.symbols.allSatisfy { h.engine.statuses(of: $0)!.version > 0 })
    }
}
