// What may be believed across connections: reconnects, renewals, silence, lag, and clocks that are set.

import BinanceDepth
import DepthBook
import Handoff
import MarketData
import Testing

@testable import BookEngine

private let btc = SymbolName("BTCUSDT")!
private let second: Int64 = 1_000_000_000
private let bids = ["9.0:1.0", "8.0:2.0"]
private let asks = ["10.0:1.0", "11.0:2.0"]

extension EngineHarness {
    /// Symbols `S0USDT` and so on, live at 10, as many as there are.
    fileprivate static func market(
        _ count: Int, adjust: (inout EngineConfiguration) -> Void = { _ in }
    ) -> EngineHarness {
        var h = EngineHarness(symbols: (0..<count).map { "S\($0)USDT" }, adjust: adjust)
        h.frame(.connected)
        for index in 0..<count { h.goLive(symbol: "S\(index)USDT") }
        return h
    }

    fileprivate mutating func reconnect() {
        frame(.disconnected)
        source += 1
        frame(.connected)
    }

    /// A tick on both clocks: the wall's and one that is never set.
    fileprivate mutating func tick(wallNs: Int64, monotonicNs: Int64) {
        nowNs = wallNs
        frame(.tick, (0..<8).map { UInt8(truncatingIfNeeded: monotonicNs >> (8 * $0)) })
    }

    fileprivate func states() -> [BookState] { engine.symbols.map { engine.status($0)!.state } }

    fileprivate mutating func askedFor() -> [SymbolName] {
        wishes().compactMap { wish in
            if case .ask(let symbol, _, _) = wish { symbol } else { nil }
        }
    }
}

@Suite struct EngineReconnectTests {
    // MARK: - A reconnect is a doubt

    /// Old ids that fall inside a new event join by ids and are wrong all the same.
    @Test func idsThatGoOnByChanceAreNoProof() {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        h.event(8, 12, bids: ["5.0:1.0"])
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
        h.ticker(12, bid: "5.0:1.0", ask: "6.0:1.0")
        #expect(h.status().reason == .oracle)
    }

    /// Books of two times of a venue may have the same best levels: what shows no more is no proof.
    @Test func bestLevelsAreNoProof() {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        h.event(11, 12, bids: ["9.0:3.0"])
        h.ticker(12, bid: "9.0:3.0", ask: "10.0:1.0")
        h.message(
            "{\"stream\":\"btcusdt@depth5\",\"data\":{\"lastUpdateId\":12,\"bids\":[[\"9.0\",\"3.0\"]],"
                + "\"asks\":[[\"10.0\",\"1.0\"]]}}")
        #expect(h.status().counters.tickersAgreed == 1 && h.status().counters.partialsAgreed == 1)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
        h.snapshot(12, bids: ["9.0:3.0", "8.0:1.0"], asks: asks)  // 8.0:2.0 here
        #expect(h.status().state == .stale && h.status().reason == .audit)
    }

    /// Books that have not moved since their snapshot are the same at the beginning of every time: each is
    /// right itself, and none speaks for the others.
    @Test func booksThatHaveNotMovedSpeakForNobody() {
        var h = EngineHarness(symbols: (0..<20).map { "S\($0)USDT" })
        h.frame(.connected)
        for index in 0..<20 {
            h.snapshot(10, bids: bids, asks: asks, symbol: "S\(index)USDT")
            h.ticker(10, bid: bids[0], ask: asks[0], symbol: "S\(index)USDT")
        }
        // One of them moves.
        h.event(11, 11, bids: ["8.0:7.0"], symbol: "S19USDT")
        h.reconnect()
        h.event(11, 12, bids: ["9.0:3.0"], symbol: "S19USDT")
        var proven: Set<SymbolName> = []
        for _ in 0..<100 {
            h.tick(afterNs: second / 20)
            for symbol in h.askedFor() where "\(symbol)" != "S19USDT" {
                h.snapshot(10, bids: bids, asks: asks, symbol: "\(symbol)")
                proven.insert(symbol)
            }
        }
        #expect(proven.count == 19)
        #expect(h.states() == Array(repeating: .live, count: 19) + [.stale])
    }

    @Test(arguments: ["snapshot", "inside"]) func oneProofIsEnough(_ proof: String) {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        h.tick()
        #expect(h.wishes() == [.ask(btc, .resync, attempt: 0)])
        h.event(11, 12, bids: ["9.0:3.0"])
        switch proof {
        case "snapshot": h.snapshot(12, bids: ["9.0:3.0"], asks: ["10.0:1.0"], limit: 1)
        default:
            h.snapshot(14, bids: ["9.0:4.0"], asks: ["10.0:1.0"], limit: 1)
            #expect(h.status().state == .stale)
            h.event(13, 15, bids: ["9.0:5.0"])
        }
        #expect(h.status().state == .live && h.status().counters.doubtsSettled == 1)
        #expect(h.status().provenBids == .unbounded)
    }

    /// A quiet symbol needs no event to be live again.
    @Test func aQuietSymbolIsLiveAgainAtOnce() {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        h.snapshot(10, bids: ["9.0:1.0"], asks: ["10.0:1.0"], limit: 1)
        #expect(h.status().state == .live)
        h.event(11, 11)
        #expect(h.status().state == .live)
    }

    /// Three books prove themselves; the others that join by ids are believed without a request of their own.
    @Test func fewProveThemselvesForMany() {
        var h = EngineHarness.market(100)
        h.reconnect()
        for _ in 0..<20 { h.tick(afterNs: second / 20) }
        let asked = h.askedFor()
        #expect(asked.count == ReconnectTrial.askedMax)
        for index in 0..<100 { h.event(11, 11, symbol: "S\(index)USDT") }
        #expect(!h.states().contains(.live))
        for symbol in asked.prefix(3) { h.snapshot(11, bids: bids, asks: asks, symbol: "\(symbol)") }
        #expect(h.states().allSatisfy { $0 == .live })
        for _ in 0..<20 { h.tick(afterNs: second / 20) }
        #expect(h.askedFor().isEmpty)
    }

    /// One book whose ids go back puts all in doubt, those included that were believed already.
    @Test func oneThatGoesBackPutsAllInDoubt() {
        var h = EngineHarness.market(12)
        h.reconnect()
        for _ in 0..<20 { h.tick(afterNs: second / 20) }
        let asked = h.askedFor()
        for symbol in asked.prefix(3) { h.snapshot(10, bids: bids, asks: asks, symbol: "\(symbol)") }
        let believed = h.engine.symbols.filter { !asked.contains($0) }
        for symbol in believed.dropLast() { h.event(11, 11, symbol: "\(symbol)") }
        #expect(h.status("\(believed[0])").state == .live)
        for id in 1...6 {
            h.event(id, id, symbol: "\(believed.last!)")
            h.nowNs += second
        }
        #expect(h.status("\(believed[0])").state == .stale)
        #expect(h.status("\(asked[0])").state == .live)  // it has proven itself
        for _ in 0..<20 { h.tick(afterNs: second / 20) }
        #expect(Set(h.askedFor()).isSuperset(of: believed.dropLast()))
    }

    /// REST is asked at once, and ids that went back are given up within about a second.
    @Test func idsThatBeganAnewAreFollowed() {
        var h = EngineHarness()
        h.goLive()
        for id in 11...500 { h.event(id, id) }
        h.reconnect()
        h.tick()
        #expect(h.wishes() == [.ask(btc, .resync, attempt: 0)])
        h.event(1, 1, bids: ["5.0:1.0"])
        h.snapshot(1, bids: ["5.0:1.0"], asks: ["6.0:1.0"])
        let begin = h.nowNs
        var id = 2
        while h.status().state != .live && id < 100 {
            h.nowNs += second / 10
            h.event(id, id)
            id += 1
        }
        #expect(h.status().state == .live && h.book(.bid) == ["5.0:1.0"])
        #expect(h.nowNs - begin <= 3 * second + second / 2)
    }

    // MARK: - Renewal

    @Test func aRenewalHandsOverOnlyWhatWasShown() {
        var h = EngineHarness()
        h.goLive()
        h.frame(.connected, source: 2)
        for id in 11...40 { h.event(id, id, bids: ["9.0:\(id).0"], source: 1) }
        h.frame(.retired, source: 1)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
        // One event at or behind the book is enough.
        var g = EngineHarness()
        g.goLive()
        g.frame(.connected, source: 2)
        g.event(11, 11, source: 1)
        g.event(10, 10, source: 2)
        g.frame(.retired, source: 1)
        #expect(g.status().state == .live)
    }

    // MARK: - Silence of a connection

    @Test func aBusyConnectionThatFallsSilentIsNotBelieved() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        for id in 11...60 {
            h.nowNs += second / 10
            h.event(id, id)
        }
        for _ in 0..<12 { h.tick(afterNs: second / 4) }
        #expect(h.status().state == .live)
        h.tick(afterNs: second / 4)
        #expect(h.status().reason == .silent && h.status("ETHUSDT").reason == .silent)
        h.event(61, 61)
        #expect(h.status().state == .live && h.status("ETHUSDT").state == .live)
    }

    @Test func checkedAtTellsQuietFromDead() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.nowNs += 100 * second
        h.event(11, 11, symbol: "ETHUSDT")
        let heardAtNs = h.nowNs
        h.tick(afterNs: second)
        var view = BookView()
        _ = h.engine.views(of: btc)!.read(into: &view)
        #expect(view.state == .live && view.checkedAtNs == heardAtNs)
        #expect(view.receivedAtNs == heardAtNs - 100 * second)
    }

    // MARK: - Lag

    @Test func eventsThatComeTooLateAreNotBelieved() {
        var h = EngineHarness()
        h.goLive()
        func event(_ id: Int, _ atMs: Int64) {
            h.message(
                "{\"e\":\"depthUpdate\",\"E\":\(1_700_000_000_000 + atMs),\"s\":\"BTCUSDT\",\"U\":\(id),"
                    + "\"u\":\(id),\"b\":[],\"a\":[]}")
        }
        // The clocks differ by years; what counts is how the difference grows.
        for id in 11...20 {
            h.nowNs += second
            event(id, Int64(id) * 1000)
        }
        #expect(h.status().state == .live && h.status().lagNs == 0)
        h.nowNs += 5 * second
        event(21, 21_000)
        #expect(h.status().state == .live && h.status().lagNs == 4 * second)
        h.nowNs += 3 * second
        event(22, 22_000)
        #expect(h.status().reason == .lagging && h.status().lagNs == 6 * second)
        event(23, 28_000)
        #expect(h.status().state == .live)
        // The smallest difference of the last ten minutes counts, not that of an hour ago.
        for minute in 1...11 {
            h.nowNs += 60 * second
            event(23 + minute, 28_000 + Int64(minute) * 60_000 - 4000)
        }
        h.nowNs += second
        event(35, 28_000 + 661_000 - 8000)
        #expect(h.status().state == .live && h.status().lagNs == 4 * second)
    }

    // MARK: - Clocks

    @Test(arguments: [3600 * second, -3600 * second]) func aClockThatIsSetChangesNothing(_ stepNs: Int64) {
        var h = EngineHarness.market(20) { $0.auditEveryNs = 600 * second }
        var monotonicNs: Int64 = 77
        for _ in 0..<8 {
            monotonicNs += second / 4
            h.tick(wallNs: h.nowNs + second / 4, monotonicNs: monotonicNs)
        }
        _ = h.wishes()
        h.nowNs += stepNs
        h.event(11, 11, symbol: "S0USDT")
        for _ in 0..<8 {
            monotonicNs += second / 4
            h.tick(wallNs: h.nowNs + second / 4, monotonicNs: monotonicNs)
        }
        #expect(h.states().allSatisfy { $0 == .live } && h.wishes().isEmpty)
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
            $0.bufferSumBytesMax = 20_000
            $0.requestsAreAnnounced = true
        }
        h.frame(.connected)
        let sum = { (h: borrowing EngineHarness) in
            h.engine.symbols.reduce(0) { $0 + h.engine.status($1)!.bufferedBytes }
        }
        for index in 0..<50 { h.event(1, 1, symbol: "S\(index)USDT") }
        #expect(sum(h) == 0)  // nobody has sent a request
        for symbol in h.engine.symbols {
            h.frame(.snapshotRequested, SnapshotEnvelope(symbol: symbol, limit: 100).bytes)
        }
        for id in 2...20 {
            for index in 0..<50 { h.event(id, id, bids: bids, symbol: "S\(index)USDT") }
            #expect(sum(h) <= 20_000)
        }
        for index in 0..<50 {
            h.snapshot(20, bids: bids, asks: asks, symbol: "S\(index)USDT")
            h.event(21, 21, symbol: "S\(index)USDT")
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
        for _ in 0..<20 { h.tick(afterNs: second / 4) }
        #expect(h.engine.symbols.allSatisfy { h.engine.statuses(of: $0)!.version > 0 })
    }
}
