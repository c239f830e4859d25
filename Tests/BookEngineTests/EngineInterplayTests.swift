// Two things at once: what one of them shows must not be lost, or believed, because of the other.

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

@Suite struct EngineInterplayTests {
    /// Tickers and partial depths that drain from a connection that was left, or is gone, are no evidence.
    @Test(arguments: [true, false], [true, false])
    func whatDrainsFromALeftConnectionIsNotHeeded(_ isTicker: Bool, _ isGone: Bool) {
        var h = EngineHarness.leftForAnother()
        if isGone { h.frame(.disconnected, source: 1) }
        h.serve(60)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(60))
        if isTicker {
            h.ticker(1001, bid: "9.5:1.0", ask: "10.0:1.0", source: 1)
        } else {
            h.message(
                "{\"stream\":\"btcusdt@depth5@100ms\",\"data\":{\"lastUpdateId\":1001,"
                    + "\"bids\":[[\"9.5\",\"1.0\"]],\"asks\":[[\"10.0\",\"1.0\"]]}}", source: 1)
        }
        #expect(h.serve(60, forSeconds: 2).liveSeconds == 2)
    }

    /// A connection that was left counts again once the symbol is back on it.
    @Test func aConnectionThatIsTheSourceAgainCounts() {
        var h = EngineHarness.leftForAnother()
        h.frame(.disconnected, source: 2)
        var id = 60
        for _ in 0..<40 {
            id += 1
            h.update(id, id)
            h.serve(id)
        }
        #expect(h.status().state == .live, "\(h.status().reason)")
        h.ticker(id + 2, bid: "9.0:5.0", ask: "10.0:1.0")
        for _ in 0..<8 { h.tick(afterNs: second / 4) }
        #expect(h.status().state == .stale && h.status().reason == .behind)
    }

    /// What is known to lie ahead is not forgotten because a snapshot was too old.
    @Test func aSnapshotTooOldForgetsNothing() {
        var h = EngineHarness { $0.requestsAreAnnounced = true }
        h.frame(.connected)
        h.announce(btc)
        h.snapshot(10, bids: bids, asks: asks)
        h.ticker(14, bid: "9.0:3.0", ask: "10.0:1.0")
        h.update(12, 12)
        h.announce(btc)
        h.snapshot(12, bids: bids, asks: asks)
        h.update(13, 13)
        #expect(h.status().state == .live)
        for _ in 0..<8 { h.tick(afterNs: second / 4) }
        #expect(h.status().state == .stale && h.status().reason == .behind)
    }

    /// Nor because the connection was lost.
    @Test func aReconnectForgetsNothing() {
        var h = EngineHarness.live()
        h.ticker(30, bid: "9.0:3.0", ask: "10.0:1.0")
        h.frame(.disconnected)
        h.source += 1
        h.frame(.connected)
        h.update(20, 20)
        h.serve(20, forSeconds: 1)
        h.update(21, 21)
        h.serve(21, forSeconds: 10)
        #expect(h.status().state == .stale)
        #expect(h.serve(30, forSeconds: 10).liveSeconds > 5)
    }

    /// Where only differences count, a ticker that arrives after a later one changes nothing.
    @Test func aLateTickerSaysNothingNew() {
        var h = EngineHarness.live(.usdm) { $0.auditEveryNs = 0 }
        h.ticker(15, bid: "9.5:1.0", ask: "10.0:1.0")
        h.ticker(13, bid: "9.0:1.0", ask: "10.0:1.0")
        for _ in 0..<10 { h.tick(afterNs: second / 4) }
        #expect(h.status().state == .stale)

        var quiet = EngineHarness.live(.usdm) { $0.auditEveryNs = 0 }
        quiet.ticker(15, bid: "9.0:1.0", ask: "10.0:1.0")
        quiet.ticker(13, bid: "9.5:1.0", ask: "10.0:1.0")
        #expect(quiet.serve(10, forSeconds: 10).liveSeconds == 10)
    }

    /// One impossible ticker, remembered before there was a book to judge it by, silences no others.
    @Test func anImpossibleTickerSilencesNone() {
        var h = EngineHarness(.usdm) { $0.requestsAreAnnounced = true }
        h.frame(.connected)
        h.ticker(5_000_000_000_000, bid: "9.0:1.0", ask: "10.0:1.0")
        h.announce(btc)
        h.futuresUpdate(7, 8, 9)
        h.snapshot(9, bids: bids, asks: asks)
        h.futuresUpdate(9, 10, 10)
        #expect(h.status().state == .live)
        h.ticker(15, bid: "9.5:1.0", ask: "10.0:1.0")
        for _ in 0..<10 { h.tick(afterNs: second / 4) }
        #expect(h.status().state == .stale)
    }

    /// What was seen before a message was lost does not prove a book that is joined after it.
    @Test func whatWasSeenBeforeALossProvesNothingAfterIt() {
        var h = EngineHarness.live { $0.auditEveryNs = 0 }
        h.ticker(12, bid: "9.0:1.0", ask: "10.0:1.0")
        h.tick(afterNs: second / 100)
        h.update(11, 11)
        h.frame(.dropped, stream)
        h.tick(afterNs: second / 100)
        h.ticker(11, bid: "9.0:7.0", ask: "10.0:1.0")
        #expect(h.status().state == .stale && h.status().reason == .mismatch)
        h.announce(btc)
        h.snapshot(12, bids: bids, asks: asks)
        #expect(h.status().state != .live)
        h.tick(afterNs: second / 2)
        #expect(h.status().state != .live)
        // The venue has been at 13 all the while.
        h.serve(13, ["9.0:4.0", "8.0:2.0"], asks, forSeconds: 10)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(13))
    }

    /// An answer that nobody awaits any more is as old as its request: it settles neither a reconnect nor a
    /// loss since.
    @Test(arguments: [true, false]) func anAnswerIsAsOldAsItsRequest(_ isLoss: Bool) {
        var h = EngineHarness(symbols: (0..<12).map { "S\($0)USDT" }) {
            $0.requestsAreAnnounced = true
            $0.auditEveryNs = 0
        }
        h.frame(.connected)
        for index in 0..<12 {
            h.announce(SymbolName("S\(index)USDT")!)
            h.goLive(symbol: "S\(index)USDT")
        }
        let last = "S11USDT"
        h.announce(SymbolName(last)!)
        h.tick(afterNs: second / 2)
        if isLoss {
            h.frame(.dropped, Array("{\"stream\":\"s11usdt@depth@100ms\"".utf8))
            h.nowNs += second + second / 100
        } else {
            h.reconnect()
            h.tick(afterNs: second * 12 / 10)
        }
        h.snapshot(10, bids: bids, asks: asks, symbol: last)
        h.tick()
        #expect(h.status(last).state != .live)
    }

    /// A book that waits for a second snapshot is live soon after REST is back, however long that was away.
    @Test func failedChecksDoNotAddUp() {
        var h = EngineHarness {
            $0.requestsAreAnnounced = true
            $0.resubscribes = false
        }
        h.frame(.connected)
        h.announce(btc)
        h.snapshot(10, bids: bids, asks: asks)
        _ = h.requests()
        for _ in 0..<1_030 {
            for symbol in h.askedFor() {
                h.announce(symbol)
                h.snapshotFailed()
            }
            h.tick(afterNs: second / 4)
        }
        #expect(h.status().state != .live)
        h.serve(10, forSeconds: 50)
        #expect(h.status().state == .live)
    }

    /// One update of a newer connection beyond the book is enough: the own stream is dead, or omits it.
    @Test func oneUpdateBeyondIsEnough() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"]) { $0.requestsAreAnnounced = true }
        h.frame(.connected)
        h.announce(btc)
        h.goLive()
        h.announce("ETHUSDT")
        h.goLive(symbol: "ETHUSDT")
        h.frame(.connected, source: 2)
        h.update(12, 12, source: 2)
        for id in 11..<20 {
            h.tick(afterNs: second / 4)
            h.update(id, id, symbol: "ETHUSDT")
            h.update(id, id, symbol: "ETHUSDT", source: 2)
        }
        #expect(h.status().state == .stale)
        #expect(h.requests().contains { if case .ask(btc, _, _) = $0 { true } else { false } })
        h.announce(btc)
        h.snapshot(12, bids: bids, asks: asks)
        h.update(13, 13, source: 2)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(13))
    }
}
