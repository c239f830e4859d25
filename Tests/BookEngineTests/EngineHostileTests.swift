// What a venue, a network or a full ring may do that once made a book say `live` without proof, or kept it in
// a doubt that nothing ended.

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
    fileprivate mutating func asked() -> [String] { askedFor().map { "\($0)" } }

    /// Ticks for so long; every request is answered at once by this snapshot of two levels a side.
    fileprivate mutating func answer(_ id: Int, seconds: Int) {
        for _ in 0..<(4 * seconds) {
            tick(afterNs: second / 4)
            for symbol in asked() { snapshot(id, bids: bids, asks: asks, symbol: symbol) }
        }
    }
}

@Suite struct EngineHostileTests {
    // MARK: - The trial of a reconnect

    /// Those that are asked to prove themselves first may be the busiest, which a gap rebuilds.
    @Test func aTrialGoesOnWithoutThoseThatWereRebuilt() {
        var h = EngineHarness.market(20)
        h.reconnect()
        for _ in 0..<8 { h.tick(afterNs: second / 20) }
        let first = h.asked()
        #expect(first.count == ReconnectTrial.askedMax)
        for symbol in first {
            h.update(13, 13, symbol: symbol)
            h.snapshot(13, bids: bids, asks: asks, symbol: symbol)
            h.update(14, 14, symbol: symbol)
            #expect(h.status(symbol).state == .live)
        }
        let rest = h.engine.symbols.map { "\($0)" }.filter { !first.contains($0) }
        _ = h.requests()
        for round in 1...20 {
            for symbol in rest { h.update(10 + round, 10 + round, symbol: symbol) }
            h.answer(10 + round, seconds: 1)
        }
        #expect(rest.allSatisfy { h.status($0).state == .live })
    }

    /// A lost message of which nobody knows whose it was ends all proofs under way.
    @Test func aTrialGoesOnAfterALostMessage() {
        var h = EngineHarness.market(20)
        h.reconnect()
        for _ in 0..<8 { h.tick(afterNs: second / 20) }
        #expect(h.asked().count == ReconnectTrial.askedMax)
        h.frame(.dropped)
        for symbol in h.engine.symbols { h.update(11, 11, symbol: "\(symbol)") }
        h.answer(11, seconds: 20)
        #expect(h.engine.symbols.allSatisfy { h.status("\($0)").state == .live })
    }

    /// Books that were built after ids began anew say nothing of one that is older.
    @Test func booksOfANewTimeSpeakForNoneOfTheOldOne() {
        var h = EngineHarness.market(20)
        h.reconnect()
        for index in 0..<4 {
            let symbol = "S\(index)USDT"
            for id in 1...6 {
                h.update(id, id, symbol: symbol)
                h.nowNs += second
            }
            h.snapshot(6, bids: bids, asks: asks, symbol: symbol)
            for id in 7...8 { h.update(id, id, bids: ["8.0:\(id).0"], symbol: symbol) }
            #expect(h.status(symbol).state == .live)
        }
        h.reconnect()
        h.update(9, 12, bids: ["9.0:3.0"], symbol: "S19USDT")
        for _ in 0..<40 {
            h.tick(afterNs: second / 4)
            for symbol in h.asked() where ["S0USDT", "S1USDT", "S2USDT", "S3USDT"].contains(symbol) {
                h.snapshot(8, bids: ["9.0:1.0", "8.0:8.0"], asks: asks, symbol: symbol)
            }
        }
        #expect(h.status("S3USDT").state == .live && h.status("S19USDT").state == .stale)
    }

    // MARK: - Answers that came too late

    @Test func aBookWithoutAConnectionIsNeverLive() {
        var h = EngineHarness()
        h.goLive()
        h.engine.audit(btc, atNs: h.nowNs)
        h.frame(.disconnected)
        h.snapshot(10, bids: bids, asks: asks)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
        h.frame(.connected, source: 2)
        h.source = 2
        h.update(9, 12)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
    }

    /// The answer was behind the mark of the loss in the ring, and asked for before it.
    @Test func anAnswerToACancelledRequestClosesNoHole() {
        var h = EngineHarness()
        h.goLive()
        h.engine.audit(btc, atNs: h.nowNs)
        h.frame(.dropped)
        #expect(h.requests().last == .cancel(btc))
        h.snapshot(10, bids: bids, asks: asks)
        #expect(h.status().state == .stale && h.status().reason == .dropped)
        h.answer(10, seconds: 3)
        #expect(h.status().state == .live)
    }

    /// The book thread was so far behind that it requested anew before it came to the answer.
    @Test func anAnswerFromBeforeTheAnnouncementIsNone() {
        var h = EngineHarness { $0.requestsAreAnnounced = true }
        let envelope = SnapshotEnvelope(symbol: btc, limit: 1000).bytes
        h.frame(.connected)
        h.frame(.snapshotRequested, envelope)
        h.goLive()
        h.engine.audit(btc, atNs: h.nowNs)
        h.frame(.snapshotRequested, envelope)
        h.frame(.dropped)
        h.tick(afterNs: 2 * second)
        #expect(h.asked() == ["BTCUSDT", "BTCUSDT"])
        h.snapshot(10, bids: bids, asks: asks)
        #expect(h.status().state == .stale && h.status().reason == .dropped)
        h.frame(.snapshotRequested, envelope)
        h.snapshot(10, bids: bids, asks: asks)
        #expect(h.status().state == .live)
    }

    /// A node of the venue that is late answers a check from behind the book.
    @Test(arguments: [true, false]) func aCheckFromBehindTheBookIsNotTheLast(_ isReconnect: Bool) {
        var h = EngineHarness()
        if isReconnect {
            h.goLive()
            h.reconnect()
        } else {
            h.frame(.connected)
            h.snapshot(10, bids: bids, asks: asks)
            _ = h.requests()
        }
        h.tick()
        h.tick(afterNs: 2 * second)
        #expect(h.asked() == ["BTCUSDT"])
        h.snapshot(9, bids: ["9.0:1.0"], asks: asks)
        #expect(h.status().state != .live)
        h.answer(10, seconds: 20)
        #expect(h.status().state == .live)
    }

    /// REST is more than a second behind the stream of a busy symbol.
    @Test(arguments: [3, 12, 30], [0, 2]) func aLateNodeProvesABusyBook(_ late: Int, _ way: Int) {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        var steps = 0
        var answers: [Int: Int] = [:]
        while h.status().state != .live && steps < 200 {
            steps += 1
            h.update(10 + steps, 10 + steps)
            h.tick(afterNs: second / 10)
            for _ in h.asked() { answers[steps + way] = 10 + steps + way - late }
            if let id = answers[steps] { h.snapshot(id, bids: bids, asks: asks) }
        }
        #expect(h.status().state == .live && steps < 120)
    }

    /// For half an hour every request is refused; then the doubt ends soon.
    @Test func aDoubtEndsSoonAfterRefusals() {
        var h = EngineHarness()
        h.goLive()
        h.frame(.dropped)
        for _ in 0..<1800 {
            h.tick(afterNs: second)
            for symbol in h.asked() { h.snapshotFailed(symbol) }
        }
        h.answer(10, seconds: 45)
        #expect(h.status().state == .live)
    }

    /// An update that no stream can have reached came while nothing was kept for a snapshot yet.
    @Test func anAbsurdIDBeforeARequestIsForgotten() {
        var h = EngineHarness { $0.requestsAreAnnounced = true }
        h.frame(.connected)
        h.update(8, 9_000_000_000_000_000_000)
        h.frame(.snapshotRequested, SnapshotEnvelope(symbol: btc, limit: 1000).bytes)
        h.update(9, 9)
        h.update(10, 10)
        h.snapshot(10, bids: bids, asks: asks)
        h.update(11, 11)
        #expect(h.status().state == .live)
    }

    /// Ids that began anew, and a symbol without an update since: after minutes, since REST may be late.
    @Test func aQuietSymbolOfANewTimeIsFound() {
        var h = EngineHarness()
        h.goLive()
        for id in 11...500 { h.update(id, id) }
        h.reconnect()
        h.answer(3, seconds: 60)
        #expect(h.status().state == .stale)
        h.answer(3, seconds: 120)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(3))
    }

    @Test func aSnapshotWithAnAbsurdIDIsAskedForAgain() {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        h.tick()
        #expect(h.asked() == ["BTCUSDT"])
        h.snapshot(5_000_000_000_000, bids: bids, asks: asks)
        h.answer(10, seconds: 10)
        #expect(h.status().state == .live)
    }
}
