// What may be believed across an unplanned reconnect.

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

@Suite struct EngineReconnectTests {
    // MARK: - A reconnect is a doubt

    /// Old ids that fall inside a new update join by ids and are wrong all the same.
    @Test func idsThatGoOnByChanceAreNoProof() {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        h.update(8, 12, bids: ["5.0:1.0"])
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
        h.ticker(12, bid: "5.0:1.0", ask: "6.0:1.0")
        #expect(h.status().reason == .mismatch)
    }

    /// Books of two times of a venue may have the same best levels: what shows no more is no proof.
    @Test func bestLevelsAreNoProof() {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        h.update(11, 12, bids: ["9.0:3.0"])
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
        h.update(11, 11, bids: ["8.0:7.0"], symbol: "S19USDT")
        h.reconnect()
        h.update(11, 12, bids: ["9.0:3.0"], symbol: "S19USDT")
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
        #expect(h.requests() == [.ask(btc, .resync, attempt: 0)])
        h.update(11, 12, bids: ["9.0:3.0"])
        switch proof {
        case "snapshot": h.snapshot(12, bids: ["9.0:3.0"], asks: ["10.0:1.0"], limit: 1)
        default:
            h.snapshot(14, bids: ["9.0:4.0"], asks: ["10.0:1.0"], limit: 1)
            #expect(h.status().state == .stale)
            h.update(13, 15, bids: ["9.0:5.0"])
        }
        #expect(h.status().state == .live && h.status().counters.doubtsSettled == 1)
        #expect(h.status().provenBids == .unbounded)
    }

    /// A quiet symbol needs no update to be live again.
    @Test func aQuietSymbolIsLiveAgainAtOnce() {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        h.snapshot(10, bids: ["9.0:1.0"], asks: ["10.0:1.0"], limit: 1)
        #expect(h.status().state == .live)
        h.update(11, 11)
        #expect(h.status().state == .live)
    }

    /// What proved it may be older than its connection, and the update between the two is nobody's: another
    /// snapshot is asked for a second later.
    @Test(arguments: [10, 11]) func anEarlyProofIsConfirmed(_ venueID: Int) {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        h.snapshot(10, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"])
        #expect(h.status().state == .live)
        _ = h.requests()
        for _ in 0..<3 { h.tick(afterNs: second / 4) }
        #expect(h.askedFor().isEmpty)
        for _ in 0..<2 { h.tick(afterNs: second / 4) }
        #expect(h.askedFor() == [btc])
        let bids = venueID == 10 ? ["9.0:1.0", "8.0:2.0"] : ["9.0:7.0", "8.0:2.0"]
        h.snapshot(venueID, bids: bids, asks: ["10.0:1.0", "11.0:2.0"])
        for _ in 0..<12 { h.tick(afterNs: second / 4) }
        #expect((h.status().state == .live) == (venueID == 10))
        if venueID == 10 { #expect(h.askedFor().isEmpty) }
    }

    /// Three books prove themselves; the others that join by ids are believed without a request of their own.
    @Test func fewProveThemselvesForMany() {
        var h = EngineHarness.market(100)
        h.reconnect()
        for _ in 0..<20 { h.tick(afterNs: second / 20) }
        let asked = h.askedFor()
        #expect(asked.count == ReconnectTrial.askedMax)
        for index in 0..<100 { h.update(11, 11, symbol: "S\(index)USDT") }
        #expect(!h.states().contains(.live))
        for symbol in asked.prefix(3) { h.snapshot(11, bids: bids, asks: asks, symbol: "\(symbol)") }
        #expect(h.states().allSatisfy { $0 == .live })
        for _ in 0..<20 { h.tick(afterNs: second / 20) }
        #expect(h.askedFor().isEmpty)
    }

    /// Snapshots that fail keep nobody waiting for ever: not the book itself, and not the others.
    @Test(arguments: [1, 30]) func proofsThatFailAreTriedAgain(_ count: Int) {
        var h = EngineHarness.market(count)
        h.reconnect()
        for index in 0..<count { h.update(11, 11, symbol: "S\(index)USDT") }
        var failures: [SymbolName: Int] = [:]
        for _ in 0..<(60 * 60 * 4) where h.states().contains(.stale) {
            h.tick(afterNs: second / 4)
            for symbol in h.askedFor() {
                failures[symbol, default: 0] += 1
                // Of the first ones nothing can be had for long.
                let isServed = failures.count > 12 || failures[symbol]! > 12
                if isServed {
                    h.snapshot(11, bids: bids, asks: asks, symbol: "\(symbol)")
                } else {
                    h.snapshotFailed("\(symbol)")
                }
            }
        }
        #expect(h.states().allSatisfy { $0 == .live })
        #expect(failures.count < 20)
    }

    /// One book whose ids go back puts all in doubt, those included that were believed already.
    @Test func oneThatGoesBackPutsAllInDoubt() {
        var h = EngineHarness.market(12)
        h.reconnect()
        for _ in 0..<20 { h.tick(afterNs: second / 20) }
        let asked = h.askedFor()
        for symbol in asked.prefix(3) { h.snapshot(10, bids: bids, asks: asks, symbol: "\(symbol)") }
        for symbol in asked.prefix(3) { h.update(11, 11, symbol: "\(symbol)") }
        let believed = h.engine.symbols.filter { !asked.contains($0) }
        for symbol in believed.dropLast() { h.update(11, 11, symbol: "\(symbol)") }
        #expect(h.status("\(believed[0])").state == .live)
        for id in 1...6 {
            h.update(id, id, symbol: "\(believed.last!)")
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
        for id in 11...500 { h.update(id, id) }
        h.reconnect()
        h.tick()
        #expect(h.requests() == [.ask(btc, .resync, attempt: 0)])
        h.update(1, 1, bids: ["5.0:1.0"])
        h.snapshot(1, bids: ["5.0:1.0"], asks: ["6.0:1.0"])
        let begin = h.nowNs
        var id = 2
        while h.status().state != .live && id < 100 {
            h.nowNs += second / 10
            h.update(id, id)
            id += 1
        }
        #expect(h.status().state == .live && h.book(.bid) == ["5.0:1.0"])
        #expect(h.nowNs - begin <= 3 * second + second / 2)
    }
}
