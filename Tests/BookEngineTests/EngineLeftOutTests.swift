// What a stream has left out, and what proves that it leaves nothing out any more: never what comes without
// it.

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
    fileprivate mutating func ticks(_ count: Int, everyNs: Int64 = second / 4) {
        for _ in 0..<count { tick(afterNs: everyNs) }
    }

    /// The feed says that the venue has accepted a new subscription.
    fileprivate mutating func subscribedAgain(source: UInt16? = nil) {
        frame(.resubscribed, Array("{\"stream\":\"btcusdt@depth@100ms\"".utf8), source: source)
    }

    /// An update without levels that left the venue so long ago.
    fileprivate mutating func update(_ id: Int, ageMs: Int64, source: UInt16? = nil) {
        let sentMs = 1_700_000_000_000 + nowNs / 1_000_000 - ageMs
        message(
            "{\"e\":\"depthUpdate\",\"E\":\(sentMs),\"s\":\"BTCUSDT\",\"U\":\(id),\"u\":\(id),"
                + "\"b\":[],\"a\":[]}", source: source)
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

    /// What the venue answers may overtake what its streams have said: an update that was sent before the
    /// acceptance does not show that nothing came after it.
    @Test func theAnswerMayOvertakeAnUpdate() {
        var h = EngineHarness()
        h.frame(.connected)
        h.update(8, 9)
        h.snapshot(9, bids: bids, asks: asks)
        h.update(10, ageMs: 5)
        for id in 11...14 {
            h.tick(afterNs: second / 4)
            h.update(id, ageMs: 5)
        }
        h.subscribedAgain()
        #expect(h.status().state == .stale && h.status().reason == .behind)
        h.tick(afterNs: second / 10)
        h.update(15, ageMs: 300)
        #expect(h.status().lastUpdateID == UpdateID(15) && h.status().reason == .behind)
        h.tick(afterNs: second / 10)
        h.update(16, ageMs: 5)
        #expect(h.status().state == .live)
    }

    /// The same on the connection that it moves to: what is subscribed again is the newest one, though
    /// another one was meant.
    @Test(arguments: [false, true]) func aNewSubscriptionOnTheNextConnection(_ isTold: Bool) {
        var h = EngineHarness { $0.requestsAreAnnounced = true }
        h.frame(.connected)
        h.frame(.snapshotRequested, SnapshotEnvelope(symbol: btc, limit: 0).bytes)
        h.update(8, 9)
        h.snapshot(9, bids: bids, asks: asks)
        h.update(10, 10)
        h.frame(.connected, source: 2)
        h.fallBehind(15)
        #expect(h.requests().contains(.resubscribe(btc)))
        h.frame(.disconnected, source: 1)
        if isTold { h.subscribedAgain(source: 2) }
        h.frame(.snapshotRequested, SnapshotEnvelope(symbol: btc, limit: 0).bytes)
        // Sent before, and overtaken; 16 was missed.
        h.update(15, ageMs: 0, source: 2)
        h.snapshot(15, bids: bids, asks: asks)
        h.ticker(15, bid: "9.0:1.0", ask: "10.0:1.0")
        #expect(h.status().lastUpdateID == UpdateID(15) && h.status().state == .stale)
        #expect(h.status().reason == .behind)
        _ = h.requests()
        h.ticks(8)
        #expect(h.askedFor() == (isTold ? [btc] : []))
    }

    /// What was remembered speaks of when it came: that it agrees with the answer to an older request says
    /// nothing of what came between the two subscriptions.
    @Test(arguments: [false, true]) func whatIsRememberedSpeaksOfThen(_ isPartial: Bool) {
        var h = EngineHarness()
        h.frame(.connected)
        if isPartial {
            h.message(
                "{\"stream\":\"btcusdt@depth5\",\"data\":{\"lastUpdateId\":9,\"bids\":[[\"9.0\",\"1.0\"]],"
                    + "\"asks\":[[\"10.0\",\"1.0\"]]}}")
        } else {
            h.ticker(9, bid: "9.0:1.0", ask: "10.0:1.0")
        }
        h.subscribedAgain()
        h.ticks(8)
        h.snapshot(9, bids: bids, asks: asks)
        #expect(h.status().lastUpdateID == UpdateID(9) && h.status().reason == .behind)
        h.ticker(9, bid: "9.0:1.0", ask: "10.0:1.0")
        #expect(h.status().state == .live)
    }

    /// A message that is lost while a stream is subscribed again is lost all the same.
    @Test func aLossDuringANewSubscriptionIsALoss() {
        var h = EngineHarness()
        h.goLive()
        h.fallBehind(15)
        h.snapshot(15, bids: bids, asks: asks)
        h.frame(.dropped, Array("{\"stream\":\"btcusdt@depth@100ms\"".utf8))
        #expect(h.status().reason == .dropped && h.status().counters.dropped == 1)
        h.subscribedAgain()
        #expect(h.status().reason == .dropped && h.engine.counters.dropped == 1)
        h.update(16, 16)
        #expect(h.status().state == .live)
    }

    /// Somebody else has asked for it, as the primary of a replica.
    @Test func aNewSubscriptionThatNobodyAskedFor() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.subscribedAgain(source: 7)
        #expect(h.status().state == .live)
        h.frame(.resubscribed, Array("{\"stream\":\"btcusdt@bookTicker\"".utf8))
        #expect(h.status().state == .live)
        h.subscribedAgain()
        #expect(h.status().reason == .behind && h.status("ETHUSDT").state == .live)
        h.ticks(5)
        #expect(h.askedFor() == [btc])
        h.snapshot(10, bids: bids, asks: asks)
        #expect(h.status().state == .live && h.status().counters.dropped == 0)
        h.engine.resubscribed(btc, source: 1, receivedAtNs: h.nowNs)
        #expect(h.status().reason == .behind && h.status("ETHUSDT").state == .live)
        // It may be anybody's.
        h.frame(.resubscribed)
        #expect(h.status().reason == .behind && h.status("ETHUSDT").reason == .behind)
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
