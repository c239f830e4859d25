// How late a stream may be, and what is not forgotten of it.

import BinanceVenue
import DepthBook
import LobHandoff
import MarketData
import TestSupport
import Testing

@testable import BookEngine

private let second: Int64 = 1_000_000_000
private let bids = ["9.0:1.0", "8.0:2.0"]
private let asks = ["10.0:1.0", "11.0:2.0"]

extension EngineHarness {
    /// An update a second, each so much late, and a feed's ticks of both clocks; our own runs fast by so much
    /// a second.
    fileprivate mutating func updates(
        _ ids: ClosedRange<Int>, lagMs: Int64, everySeconds: Int64 = 1, driftNs: Int64 = 0
    ) {
        for id in ids {
            for _ in 0..<4 * everySeconds {
                tick(wallNs: nowNs, monotonicNs: nowNs)
                nowNs += (second + driftNs) / 4
            }
            let venueNs = (nowNs - second) / (second + driftNs) * second
            update(id, atMs: venueNs / 1_000_000 - lagMs)
            tick(wallNs: nowNs, monotonicNs: nowNs)
        }
    }
}

extension EngineHarness {
    /// Nothing comes for so long: a stream that becomes late is silent first.
    fileprivate mutating func rest(seconds: Int64) {
        for _ in 0..<4 * seconds {
            tick(wallNs: nowNs, monotonicNs: nowNs)
            nowNs += second / 4
        }
    }
}

@Suite struct EngineLagTests {
    /// Frames whose times jump to and fro: time stops before it would overflow, and never goes back.
    @Test(arguments: [false, true]) func anyFrameTime(_ isSteady: Bool) {
        var clock = EngineClock()
        for time: Int64 in [1, 1 << 62, 0, 1 << 62, 0, (1 << 61) + 1, .max, .min, .max, -1] {
            let beforeNs = clock.nowNs
            if isSteady {
                clock.tick(receivedAtNs: time, monotonicNs: time)
            } else {
                clock.advance(receivedAtNs: time)
            }
            #expect(clock.nowNs >= beforeNs && clock.nowNs <= EngineClock.nowNsMax)
        }
    }

    // MARK: - What is usual

    /// A stream that stays late is not in time after ten minutes, nor after an hour.
    @Test func aConstantLatenessIsNotForgotten() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"]) { $0.silenceNsMin = 100_000 * second }
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.tick(wallNs: h.nowNs, monotonicNs: h.nowNs)
        h.updates(11...70, lagMs: 0)
        #expect(h.status().state == .live && h.status().lagNs < second)
        h.rest(seconds: 20)
        h.updates(71...72, lagMs: 20_000)
        #expect(h.status().reason == .lagging && h.status("ETHUSDT").reason == .lagging)
        for minute in 1...60 {
            let id = 72 + 2 * minute
            h.updates(id - 1...id, lagMs: 20_000, everySeconds: 30)
            #expect(h.status().reason == .lagging && h.status("ETHUSDT").reason == .lagging)
        }
        h.updates(193...194, lagMs: 0)
        #expect(h.status().state == .live && h.status("ETHUSDT").state == .live)
    }

    /// Two clocks that drift apart, for four hours.
    @Test(arguments: [500_000, -500_000] as [Int64]) func clocksThatDriftMakeNothingLate(_ driftNs: Int64) {
        var h = EngineHarness()
        h.goLive()
        h.tick(wallNs: h.nowNs, monotonicNs: h.nowNs)
        for id in 11...130 {
            h.updates(id...id, lagMs: 0, everySeconds: 120, driftNs: driftNs)
            #expect(h.status().state == .live && h.status().lagNs < second)
        }
    }

    /// The thread that receives stood still, and takes what has waited before it looks at its own clock.
    @Test func whatCameBeforeTheTickIsNotFast() {
        var h = EngineHarness()
        h.goLive()
        h.tick(wallNs: h.nowNs, monotonicNs: h.nowNs)
        h.updates(11...70, lagMs: 0)
        h.nowNs += 20 * second
        for id in 71...90 { h.update(id, atMs: Int64(id - 10) * 1000) }
        h.updates(91...100, lagMs: 0)
        #expect(h.status().state == .live && h.status().lagNs < second)
    }

    /// The caller's only clock is set: everything seems late, but not for ever.
    @Test func aClockSetForwardIsForgivenAfterTenMinutes() {
        var h = EngineHarness()
        h.goLive()
        h.update(11, atMs: 100)
        h.nowNs += 300 * second
        h.update(12, atMs: 200)
        #expect(h.status().reason == .lagging)
        for id in 13...24 {
            h.nowNs += 60 * second
            h.update(id, atMs: Int64(id - 12) * 60_000)
        }
        #expect(h.status().state == .live && h.status().lagNs < second)
    }

    /// The venue sets its own clock back by two hours: everything is late for eight updates, and then as late
    /// as it was, by the time between two updates at most. A stream that is late stays so.
    @Test(arguments: [0, 20_000] as [Int64]) func aVenueThatSetsItsClockBack(_ lagMs: Int64) {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"]) { $0.silenceNsMin = 100_000 * second }
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.tick(wallNs: h.nowNs, monotonicNs: h.nowNs)
        func expectAsBefore() {
            let lagNs = h.status().lagNs - lagMs * 1_000_000
            #expect(lagNs >= -second / 2 && lagNs <= 3 * second / 2, "\(lagNs)")
            #expect(h.status().reason == (lagMs == 0 ? .none : .lagging))
            #expect(h.status("ETHUSDT").reason == (lagMs == 0 ? .none : .lagging))
        }
        h.updates(11...70, lagMs: 0)
        h.rest(seconds: lagMs / 1000)
        h.updates(71...72, lagMs: lagMs)
        h.updates(73...79, lagMs: lagMs + 7_200_000)
        #expect(h.status().reason == .lagging && h.status("ETHUSDT").reason == .lagging)
        h.updates(80...82, lagMs: lagMs + 7_200_000)
        expectAsBefore()
        // A symbol that was quiet meanwhile finds that the step is known.
        h.update(11, atMs: h.nowNs / 1_000_000 - lagMs - 7_200_000, symbol: "ETHUSDT")
        h.updates(83...300, lagMs: lagMs + 7_200_000)
        expectAsBefore()
        // And forward again.
        h.updates(301...320, lagMs: lagMs)
        expectAsBefore()
    }

    /// Times of one symbol that go back while another's do not are no clock that was set.
    @Test func timesOfOneSymbolAloneSayNothingOfAClock() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.tick(wallNs: h.nowNs, monotonicNs: h.nowNs)
        h.updates(11...70, lagMs: 0)
        for id in 71...120 {
            h.updates(id...id, lagMs: 7_200_000)
            #expect(h.status().reason == .lagging)
            h.update(id - 60, atMs: (h.nowNs - second) / 1_000_000, symbol: "ETHUSDT")
            #expect(h.status("ETHUSDT").lagNs < second)
        }
    }

    // MARK: - What it makes of books

    /// The connection was late when a snapshot showed that the book is behind, and has caught up since.
    @Test func evidenceIsPutOffOnlyAsLongAsTheStreamIsLate() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.update(11, atMs: 0)
        h.update(11, atMs: 0, symbol: "ETHUSDT")
        h.nowNs += 60 * second
        h.update(12, atMs: 1_000, symbol: "ETHUSDT")
        h.tick()
        h.engine.audit("BTCUSDT", atNs: h.nowNs)
        h.snapshot(20, bids: bids, asks: asks)
        h.nowNs += second / 10
        h.update(13, atMs: 60_000, symbol: "ETHUSDT")
        for _ in 0..<12 { h.tick(afterNs: second / 4) }
        #expect(h.status().reason == .behind)
    }

    /// The last update was a quarter of an hour late, and nothing has come since on the whole connection.
    @Test func aQuietConnectionIsNotLateForLong() {
        var h = EngineHarness()
        h.goLive()
        h.tick(wallNs: h.nowNs, monotonicNs: h.nowNs)
        h.update(11, atMs: 100)
        h.tick(wallNs: h.nowNs + 900 * second, monotonicNs: h.nowNs + 900 * second)
        h.update(12, atMs: 101)
        #expect(h.status().reason == .lagging)
        for _ in 0..<160 {
            h.tick(wallNs: h.nowNs + second / 4, monotonicNs: h.nowNs + second / 4)
            for _ in h.askedFor() { h.snapshot(12, bids: bids, asks: asks) }
        }
        #expect(h.status().state == .live)
    }

    /// A new connection brings the last update again, late: what follows on it may be as late.
    @Test func theSameUpdateAgainIsAsLateAsItComes() {
        var h = EngineHarness()
        h.goLive()
        h.update(11, atMs: 100)
        h.frame(.connected, source: 2)
        h.nowNs += 6 * second
        h.update(11, atMs: 100, source: 2)
        h.tick()
        #expect(h.status().state == .stale && h.status().reason == .lagging)
    }

    @Test func eventsThatComeTooLateAreNotBelieved() {
        var h = EngineHarness()
        h.goLive()
        // The clocks differ by years; what counts is how the difference grows.
        for id in 11...20 {
            h.nowNs += second
            h.update(id, atMs: Int64(id) * 1000)
        }
        #expect(h.status().state == .live && h.status().lagNs == 0)
        h.nowNs += 5 * second
        h.update(21, atMs: 21_000)
        #expect(h.status().state == .live && h.status().lagNs == 4 * second)
        h.nowNs += 3 * second
        h.update(22, atMs: 22_000)
        #expect(h.status().reason == .lagging && h.status().lagNs == 6 * second)
        h.update(23, atMs: 28_000)
        #expect(h.status().state == .live)
        // The smallest difference of the last ten minutes counts, not that of an hour ago.
        for minute in 1...11 {
            h.nowNs += 60 * second
            h.update(23 + minute, atMs: 28_000 + Int64(minute) * 60_000 - 4000)
        }
        h.nowNs += second
        h.update(35, atMs: 28_000 + 661_000 - 8000)
        #expect(h.status().state == .live && h.status().lagNs == 4 * second)
    }

    /// A late stream keeps the news of quiet symbols back too; in time again, it does so no more.
    @Test func aLateStreamIsLateForAllItsSymbols() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.update(11, atMs: 0)
        h.nowNs += 10 * second
        h.update(12, atMs: 3_000)  // seven seconds late
        h.tick(afterNs: second / 10)
        #expect(h.status("ETHUSDT").reason == .lagging && h.status().reason == .lagging)
        // A snapshot shows that nothing was on its way, until another update says otherwise.
        h.snapshot(10, bids: bids, asks: asks, symbol: "ETHUSDT")
        #expect(h.status("ETHUSDT").state == .live)
        h.nowNs += second
        h.update(13, atMs: 4_000)
        h.tick(afterNs: second / 10)
        #expect(h.status("ETHUSDT").reason == .lagging)
        // What is ahead of a book is evidence at once where its stream has caught up.
        h.nowNs += second
        h.update(14, atMs: 12_000)
        h.tick(afterNs: second / 10)
        #expect(h.status("ETHUSDT").state == .live && h.status().state == .live)
    }

    /// A snapshot shows that a symbol missed nothing, until the next late update of its connection.
    @Test func whatASnapshotCaughtUpIsLateAgain() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.update(11, atMs: 0, symbol: "BTCUSDT")
        h.update(11, atMs: 0, symbol: "ETHUSDT")
        h.nowNs += 20 * second
        h.update(12, atMs: 1_000, symbol: "ETHUSDT")
        h.tick()
        #expect(h.status().reason == .lagging && h.status("ETHUSDT").reason == .lagging)
        h.tick(afterNs: second)
        h.snapshot(11, bids: bids, asks: asks)
        #expect(h.status().state == .live)
        h.tick(afterNs: second)
        #expect(h.status().state == .live)
        h.update(13, atMs: 2_000, symbol: "ETHUSDT")
        h.tick()
        #expect(h.status().reason == .lagging)
    }

    /// A connection that is late may still bring a former time of the venue: nothing of it is handed over.
    @Test(arguments: [FrameKind.retired, .disconnected]) func aLateConnectionHandsNothingOver(
        _ end: FrameKind
    ) {
        var h = EngineHarness()
        h.goLive()
        h.update(11, atMs: 0, source: 1)
        h.nowNs += 10 * second
        h.update(12, atMs: 3_000, source: 1)
        h.frame(.connected, source: 2)
        h.update(12, atMs: 10_000, source: 2)
        h.update(13, atMs: 10_100, source: 2)
        #expect(h.status().reason == .lagging && h.status().lastUpdateID == UpdateID(12))
        h.frame(end, source: 1)
        h.update(14, atMs: 10_200, source: 2)
        #expect(h.status().state == .stale)
    }

    /// A connection that is nearly in time for a while, and then late again, is late for quiet symbols too.
    @Test func aConnectionThatIsLateAgainIsLateForQuietSymbols() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        func update(_ id: Int, lagMs: Int64) {
            h.nowNs += second
            h.update(id, atMs: (h.nowNs - second) / 1_000_000 - lagMs, symbol: "ETHUSDT")
            h.tick()
        }
        update(11, lagMs: 0)
        update(12, lagMs: 8_000)
        #expect(h.status().reason == .lagging)
        update(13, lagMs: 4_000)
        for _ in 0..<20 { h.tick(afterNs: second / 10) }
        #expect(h.status().state == .live)
        update(14, lagMs: 9_000)
        #expect(h.status().reason == .lagging)
    }
}
