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
        for _ in 0..<80 {
            h.tick(wallNs: h.nowNs + second / 4, monotonicNs: h.nowNs + second / 4)
            #expect(h.reasons() == [.silent, .silent])
        }
        h.update(71)
        #expect(h.reasons() == [.none, .none])
    }

    /// One update is believed, and its connection is watched as closely as before.
    @Test(arguments: [0, 3_900] as [Int64]) func aSecondSilenceIsNoticedLikeTheFirst(_ lateMs: Int64) {
        var h = EngineHarness.silent(seconds: 4)
        h.update(71, lateMs: lateMs)
        #expect(h.reasons() == [.none, .none])
        for _ in 0..<12 { h.tick(wallNs: h.nowNs + second / 4, monotonicNs: h.nowNs + second / 4) }
        #expect(h.reasons() == [.none, .none])
        h.tick(wallNs: h.nowNs + second / 4, monotonicNs: h.nowNs + second / 4)
        #expect(h.reasons() == [.silent, .silent])
    }

    /// The receiving thread stood still as well: what it takes first seems newer than it is.
    @Test func aLagThatIsNotExactEndsNoSilence() {
        var h = EngineHarness.silent(seconds: 4)
        h.nowNs += 20 * second
        h.update(71, lateMs: 23_500)
        #expect(h.reasons() == [.silent, .silent])
        h.tick(wallNs: h.nowNs, monotonicNs: h.nowNs)
        h.update(72, lateMs: 23_400)
        #expect(h.reasons() == [.lagging, .lagging])
        h.update(73)
        h.tick(wallNs: h.nowNs + second / 4, monotonicNs: h.nowNs + second / 4)
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

    /// What a connection showed says nothing about the next one of its number.
    @Test(arguments: [true, false]) func whatAFormerConnectionShowedIsForgotten(_ isReported: Bool) {
        var h = EngineHarness()
        h.goLive()
        h.frame(.connected, source: 2)
        h.update(11, 11, source: 1)
        h.update(12, 12, source: 1)
        h.update(11, 11, source: 2)
        if isReported {
            h.frame(.disconnected, source: 2)
            h.update(12, 12, source: 2)
        }
        h.frame(.connected, source: 2)
        h.update(13, 13, source: 1)
        h.frame(.retired, source: 1)
        #expect(h.status().reason == .disconnected)
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

    /// Two updates of the new time are no less telling than one, and less than a run.
    @Test(arguments: 1...5) func idsThatWentBackAreFollowed(_ count: Int) {
        var h = EngineHarness()
        h.goLive()
        h.update(11, atMs: 1)
        for id in 1..<1 + count { h.update(id, atMs: 1 + Int64(id)) }
        #expect(h.status().reason == .gap)
        for _ in 0..<40 where h.status().state != .live {
            h.tick(afterNs: second / 4)
            for _ in h.askedFor() { h.snapshot(count, bids: ["7.0:1.0"], asks: ["7.5:1.0"]) }
        }
        #expect(h.status().state == .live && h.book(.bid) == ["7.0:1.0"])
    }

    /// A late duplicate says that its stream is late, at once.
    @Test func aLateDuplicateIsLate() {
        var h = EngineHarness()
        h.goLive()
        h.update(11, atMs: 1)
        h.nowNs += 20 * second
        h.update(11, atMs: 1)
        #expect(h.status().reason == .lagging)
    }

    // MARK: - What settles a doubt

    /// A snapshot requested right after a loss may be older than what was lost, whoever requested it.
    @Test(arguments: ["silence", "reconnect"]) func aHastySnapshotSettlesNoLoss(_ why: String) {
        var h = EngineHarness()
        h.goLive()
        switch why {
        case "silence":
            h.tick()
            h.tick(afterNs: 31 * second)
            #expect(h.askedFor() == [btc])
            h.nowNs += 9 * second / 10
        default:
            h.reconnect()
            h.tick(afterNs: 2 * second)
        }
        h.frame(.dropped, Array(#"{"stream":"btcusdt@depth@100ms""#.utf8))
        #expect(h.status().state == .stale)
        _ = h.requests()
        h.tick(afterNs: second / 10)
        h.snapshot(10, bids: bids, asks: asks)
        #expect(h.status().state == .stale)
        var count = 0
        for _ in 0..<40 where h.status().state != .live {
            h.tick(afterNs: second / 4)
            for _ in h.askedFor() {
                h.snapshot(10, bids: bids, asks: asks)
                count += 1
            }
        }
        #expect(h.status().state == .live && count <= 3)
    }

    /// Of two late symbols, on a connection that is quiet since: each is checked.
    @Test func quietLateSymbolsAreEachChecked() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.tick(wallNs: h.nowNs, monotonicNs: h.nowNs)
        h.nowNs += second
        h.update(11)
        h.update(11, atMs: h.nowNs / 1_000_000 - 1_001, symbol: "ETHUSDT")
        for _ in 0..<80 { h.tick(wallNs: h.nowNs + second / 4, monotonicNs: h.nowNs + second / 4) }
        h.update(12, lateMs: 19_000)
        h.nowNs += second
        h.update(12, atMs: h.nowNs / 1_000_000 - 1_000 - 18_500, symbol: "ETHUSDT")
        #expect(h.reasons() == [.lagging, .lagging])
        for _ in 0..<160 where h.reasons() != [.none, .none] {
            h.tick(wallNs: h.nowNs + second / 4, monotonicNs: h.nowNs + second / 4)
            for symbol in h.askedFor() { h.snapshot(12, bids: bids, asks: asks, symbol: "\(symbol)") }
        }
        #expect(h.reasons() == [.none, .none])
    }

    // MARK: - A snapshot as old as the connection, and the other books

    /// Proofs that may predate the connection do not vouch for others, and one that fails refutes.
    @Test func earlyProofsVouchForNobody() {
        var h = EngineHarness.market(4)
        h.reconnect()
        for index in 0..<3 { h.snapshot(10, bids: bids, asks: asks, symbol: "S\(index)USDT") }
        #expect(h.states() == [.live, .live, .live, .stale])
        h.update(11, 11, symbol: "S3USDT")
        #expect(h.states().last == .stale)
        // Three updates confirm them; then the fourth is believed.
        for index in 0..<3 { h.update(11, 11, symbol: "S\(index)USDT") }
        #expect(h.states() == [.live, .live, .live, .live])
    }

    /// The same books, none of which goes on.
    @Test func anEarlyProofThatFailsRefutes() {
        var h = EngineHarness.market(5)
        h.reconnect()
        for index in 0..<4 { h.snapshot(10, bids: bids, asks: asks, symbol: "S\(index)USDT") }
        for index in 1..<5 { h.update(11, 11, symbol: "S\(index)USDT") }
        #expect(h.states() == Array(repeating: .live, count: 5))
        h.update(5, atMs: 1, symbol: "S0USDT")
        h.snapshot(5, bids: bids, asks: asks, symbol: "S0USDT")
        #expect(h.states() == [.stale, .live, .live, .live, .stale])
    }

    /// A copy or an image does not tell what it waits for.
    @Test func whatIsToBeConfirmedIsNotHandedOn() {
        var h = EngineHarness()
        h.goLive()
        #expect(h.engine.copy(of: btc) != nil)
        h.reconnect()
        h.snapshot(10, bids: bids, asks: asks)
        #expect(h.status().state == .live && h.engine.copy(of: btc) == nil)
        #expect(h.engine.image(of: btc) == nil)
        h.update(11, 11)
        #expect(h.engine.copy(of: btc) != nil && h.engine.image(of: btc) != nil)
    }

    // MARK: - One odd update

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
