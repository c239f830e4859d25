// What a stream has left out, and what proves that it leaves nothing out any more: never what comes without
// it.

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
    fileprivate mutating func ticks(_ count: Int, everyNs: Int64 = second / 4) {
        for _ in 0..<count { tick(afterNs: everyNs) }
    }

    /// The feed says that the venue has accepted a new subscription.
    fileprivate mutating func subscribedAgain() {
        frame(.dropped, Array("{\"stream\":\"btcusdt@depth@100ms\"".utf8))
    }

    /// Live at 10; then tickers say that the venue is at `id`, and the stream says nothing.
    fileprivate mutating func fallBehind(_ id: Int) {
        ticker(id, bid: "9.0:1.0", ask: "10.0:1.0")
        ticks(12)
    }
}

@Suite struct EngineLeftOutTests {
    /// The depth stream is dead, and tickers come.
    @Test func tickersDoNotSpeakForADeadStream() {
        var h = EngineHarness()
        h.goLive()
        h.fallBehind(15)
        #expect(h.status().reason == .behind)
        #expect(h.requests().contains(.resubscribe(btc)))
        h.snapshot(15, bids: bids, asks: asks)
        h.ticker(15, bid: "9.0:1.0", ask: "10.0:1.0")
        #expect(h.status().state == .stale && h.status().reason == .behind)
        // Behind the new subscription they do: the stream has nothing to say.
        h.ticks(16)
        h.ticker(15, bid: "9.0:1.0", ask: "10.0:1.0")
        #expect(h.status().state == .live)
    }

    /// A snapshot that was requested before the stream was subscribed again says nothing of the stream.
    @Test func anAnswerFromBeforeTheNewSubscriptionSettlesNothing() {
        var h = EngineHarness()
        h.goLive()
        h.fallBehind(15)
        _ = h.requests()
        h.snapshot(15, bids: bids, asks: asks)
        var asked = 0
        for _ in 0..<40 where h.status().state != .live {
            h.tick(afterNs: second / 4)
            for _ in h.askedFor() {
                asked += 1
                h.snapshot(15, bids: bids, asks: asks)
            }
        }
        // One is enough, since none is requested before it can tell.
        #expect(h.status().state == .live && asked == 1)
        // An update of the stream tells at once, if it came behind the new subscription.
        var g = EngineHarness()
        g.goLive()
        g.fallBehind(15)
        g.snapshot(15, bids: bids, asks: asks)
        g.update(9, 9)
        #expect(g.status().state == .stale)
        g.update(16, 16)
        #expect(g.status().state == .stale)
        g.subscribedAgain()
        #expect(g.status().state == .stale)
        g.update(17, 17)
        #expect(g.status().state == .live)
    }

    /// It cannot be subscribed again at once, and is as soon as that is allowed.
    @Test func aStreamThatLeavesOutAgainIsSubscribedAgain() {
        var h = EngineHarness()
        h.goLive()
        h.fallBehind(15)
        #expect(h.requests().contains(.resubscribe(btc)))
        h.snapshot(15, bids: bids, asks: asks)
        h.subscribedAgain()
        h.update(16, 16)
        #expect(h.status().state == .live)
        h.fallBehind(30)
        h.snapshot(30, bids: bids, asks: asks)
        h.ticks(60)
        #expect(h.status().counters.resubscriptions == 2)
    }

    /// On spot every id is of an update: equal levels at a later id show that one did not come.
    @Test(arguments: [Market.spot, .usdm]) func equalLevelsAtALaterID(_ market: Market) {
        var h = EngineHarness(market) { $0.silenceNsMin = 1000 * second }
        h.frame(.connected)
        if market == .spot { h.update(8, 9) } else { h.futuresUpdate(8, 9, 9) }
        h.snapshot(9, bids: bids, asks: asks)
        if market == .spot { h.update(10, 10) } else { h.futuresUpdate(9, 10, 10) }
        #expect(h.status().state == .live)
        _ = h.requests()
        h.engine.audit(btc, atNs: h.nowNs)
        _ = h.requests()
        h.snapshot(20, bids: ["9.0:1.0"], asks: ["10.0:1.0"], limit: 1)
        h.ticks(16)
        if market == .spot {
            #expect(h.status().reason == .behind && h.status().lastUpdateID == UpdateID(20))
            #expect(h.status().counters.quietChecks == 0 && h.status().counters.behind == 1)
            #expect(h.requests().contains(.resubscribe(btc)))
        } else {
            #expect(h.status().state == .live && h.status().counters.quietChecks == 1)
            #expect(!h.requests().contains(.resubscribe(btc)))
        }
    }

    /// Where a lost message explains what is missing, no stream is blamed.
    @Test func whatALostMessageExplainsBlamesNoStream() {
        var h = EngineHarness()
        h.goLive()
        h.frame(.dropped)
        h.ticks(5)
        _ = h.requests()
        h.snapshot(11, bids: bids, asks: asks)
        h.ticks(12)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(11))
        #expect(h.status().counters.resubscriptions == 0)
    }

    /// A quiet stream that nobody can check is subscribed again. What the venue sends between the two
    /// subscriptions is not believed unseen: nor is it where an update was on its way meanwhile.
    @Test(arguments: [false, true]) func whatComesBetweenTwoSubscriptions(_ isTold: Bool) {
        func harness() -> EngineHarness {
            var h = EngineHarness()
            h.goLive()
            for _ in 0..<240 where h.status().counters.resubscriptions == 0 {
                h.tick(afterNs: second / 4)
                for symbol in h.askedFor() { h.snapshotFailed("\(symbol)") }
            }
            #expect(h.status().counters.resubscriptions == 1)
            #expect(h.status().state == .stale && h.status().reason == .behind)
            h.update(11, 11)
            #expect(h.status().state == .stale)
            if isTold { h.subscribedAgain() } else { h.ticks(13) }
            #expect(h.status().state == .stale && h.status().reason == .behind)
            return h
        }
        // It goes on.
        var h = harness()
        h.update(12, 12)
        #expect(h.status().state == .live)
        // Something is missing.
        h = harness()
        h.update(13, 13)
        #expect(h.status().state == .stale && h.status().reason == .gap)
        // Nothing comes, and nothing has.
        h = harness()
        h.ticks(16)
        #expect(h.askedFor() == [btc])
        h.snapshot(11, bids: bids, asks: asks)
        #expect(h.status().state == .live)
        // Nothing comes, and something was missed.
        h = harness()
        h.ticks(16)
        h.snapshot(12, bids: bids, asks: asks)
        h.ticks(16)
        #expect(h.status().state == .stale && h.status().lastUpdateID == UpdateID(12))
    }

    /// A planned renewal hands over no book whose stream has left something out.
    @Test func whatLeftSomethingOutIsNotHandedOver() {
        var h = EngineHarness()
        h.goLive()
        h.fallBehind(15)
        h.snapshot(15, bids: bids, asks: asks)
        h.ticker(15, bid: "9.0:1.0", ask: "10.0:1.0")
        h.frame(.connected, source: 2)
        h.frame(.retired, source: 1)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
    }

    /// All streams die, and tickers come: each of many symbols is known to be behind within two seconds.
    @Test func manyAreKnownToBeBehindInTime() {
        var h = EngineHarness.market(512)
        for symbol in h.engine.symbols {
            for id in 11...14 {
                h.nowNs += second / 500
                h.update(id, id, symbol: "\(symbol)")
            }
        }
        h.ticks(4, everyNs: second / 10)
        for symbol in h.engine.symbols {
            h.ticker(15, bid: "9.0:1.0", ask: "10.0:1.0", symbol: "\(symbol)")
        }
        h.ticks(20, everyNs: second / 10)
        #expect(h.engine.symbols.allSatisfy { h.status("\($0)").reason == .behind })
    }
}
