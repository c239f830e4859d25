// What may be believed when something goes on: a connection after its silence, a source after its loss, a
// stream whose ids go back, a book at the id of an early snapshot.

import BinanceVenue
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
    /// Two books on a busy connection that has been silent for so long, with both clocks' ticks.
    fileprivate static func silent(seconds: Int64) -> EngineHarness {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        for id in 11...70 {
            h.nowNs += second / 10
            h.tick(wallNs: h.nowNs, monotonicNs: h.nowNs)
            h.update(id)
        }
        for _ in 0..<4 * seconds { h.tick(wallNs: h.nowNs + second / 4, monotonicNs: h.nowNs + second / 4) }
        return h
    }

    /// An update that was sent so long ago.
    fileprivate mutating func update(_ id: Int, lateMs: Int64 = 0) {
        update(id, atMs: nowNs / 1_000_000 - 1_000 - lateMs)
    }

    fileprivate func reasons() -> [StaleReason] { [status().reason, status("ETHUSDT").reason] }
}

@Suite struct EngineResumptionTests {
    // MARK: - After a silence

    /// What a stalled connection delivers first is as old as the stall: no book is live meanwhile, not even
    /// between two frames.
    @Test(arguments: [true, false]) func whatWaitedDuringAStallMakesNothingLive(_ beginsWithTicker: Bool) {
        var h = EngineHarness.silent(seconds: 20)
        #expect(h.reasons() == [.silent, .silent])
        if beginsWithTicker {
            h.ticker(71, bid: "9.0:1.0", ask: "10.0:1.0")
            #expect(h.reasons() == [.silent, .silent])
            h.tick(wallNs: h.nowNs + second / 4, monotonicNs: h.nowNs + second / 4)
            #expect(h.reasons() == [.silent, .silent])
        }
        h.update(71, lateMs: 19_000)
        #expect(h.reasons() == [.lagging, .lagging])
        h.update(72)
        h.tick(wallNs: h.nowNs + second / 4, monotonicNs: h.nowNs + second / 4)
        #expect(h.reasons() == [.none, .none])
    }

    /// Without a time nobody can tell how late a message is: a second later it is believed if more arrives.
    @Test func aSilenceEndsWithoutTimesToo() {
        var h = EngineHarness.silent(seconds: 4)
        for turn in 0..<5 {
            #expect(h.reasons() == [.silent, .silent], "\(turn)")
            h.ticker(70, bid: "9.0:1.0", ask: "10.0:1.0")
            h.tick(wallNs: h.nowNs + second / 4, monotonicNs: h.nowNs + second / 4)
        }
        #expect(h.reasons() == [.none, .none])
    }

    /// One message, and silence again.
    @Test func oneStrayMessageEndsNoSilence() {
        var h = EngineHarness.silent(seconds: 4)
        h.ticker(70, bid: "9.0:1.0", ask: "10.0:1.0")
        h.tick(wallNs: h.nowNs + 5 * second, monotonicNs: h.nowNs + 5 * second)
        #expect(h.reasons() == [.silent, .silent])
        h.update(71)
        #expect(h.reasons() == [.none, .none])
    }

    // MARK: - After a loss nobody reported

    @Test func aSourceThatComesUpTwiceWasLostBetween() {
        var h = EngineHarness()
        h.goLive()
        h.frame(.connected)
        #expect(h.status().reason == .disconnected)
        h.update(12, 12)
        #expect(h.status().state == .stale)
    }

    // MARK: - Ids that go back

    /// An update before the book by its ids and after it by its time is no duplicate.
    @Test func idsThatGoBackAreADoubtAtOnce() {
        var h = EngineHarness()
        h.goLive()
        h.update(1_011, atMs: 1)
        h.snapshot(1_011, bids: bids, asks: asks)
        h.update(1_012, atMs: 2)
        #expect(h.status().state == .live)
        _ = h.requests()
        // A duplicate, and what another path delayed.
        h.update(1_012, atMs: 2)
        h.update(1_011, atMs: 1)
        #expect(h.status().state == .live)
        h.update(500, atMs: 3)
        #expect(h.status().reason == .gap)
        // The venue's snapshot is of the new time too.
        h.tick(afterNs: second)
        #expect(h.askedFor() == [btc])
        h.snapshot(500, bids: ["7.0:1.0"], asks: ["7.5:1.0"])
        #expect(h.askedFor() == [btc] && h.status().state == .stale)
        h.snapshot(500, bids: ["7.0:1.0"], asks: ["7.5:1.0"])
        h.update(501, atMs: 4)
        #expect(h.status().state == .live && h.book(.bid) == ["7.0:1.0"])
    }

    /// One odd message; the stream goes on.
    @Test func oneUpdateWithAnEarlierIDIsForgiven() {
        var h = EngineHarness()
        h.goLive()
        h.update(11, atMs: 1)
        h.update(3, atMs: 2)
        #expect(h.status().reason == .gap)
        h.update(12, atMs: 3)
        #expect(h.status().state == .live && h.status().counters.doubtsSettled == 1)
    }

    // MARK: - A snapshot as old as the connection

    /// Kept across a reconnect, equal to a snapshot that may show the venue as it was before: if nothing
    /// confirms that in time, the book is not believed any longer, whatever keeps the answer.
    @Test(arguments: ["nothing", "failures", "renewal"])
    func anEarlyProofThatIsNotConfirmedExpires(_ meanwhile: String) {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        #expect(h.askedFor() == [btc])
        h.snapshot(10, bids: bids, asks: asks)
        #expect(h.status().state == .live)
        if meanwhile == "renewal" {
            h.frame(.connected, source: h.source + 1)
            h.frame(.retired)
            h.source += 1
            #expect(h.status().reason == .disconnected)
        }
        for _ in 0..<16 {
            h.tick(afterNs: second / 4)
            if meanwhile == "failures" { for _ in h.askedFor() { h.snapshotFailed() } }
        }
        #expect(h.status().reason == .disconnected)
        for _ in 0..<80 where h.status().state != .live {
            h.tick(afterNs: second / 4)
            for _ in h.askedFor() { h.snapshot(10, bids: bids, asks: asks) }
            if meanwhile == "nothing" { h.snapshot(10, bids: bids, asks: asks) }
        }
        #expect(h.status().state == .live)
    }

    /// The next update shows it as well.
    @Test func anUpdateConfirmsAnEarlySnapshot() {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        h.snapshot(10, bids: bids, asks: asks)
        for _ in 0..<16 { h.tick(afterNs: second / 4) }
        #expect(h.status().state == .stale)
        h.update(11, 11)
        #expect(h.status().state == .live)
        for _ in 0..<16 { h.tick(afterNs: second / 4) }
        #expect(h.status().state == .live)
    }
}
