// What the process has in hand about a symbol does not vanish when its book is given up: how far the venue
// had come, that its stream was refused, that a message was not what its stream carries.

import BinanceVenue
import BookEngine
import BookSync
import DepthBook
import LobHandoff
import MarketData
import Testing

private let second: Int64 = 1_000_000_000
private let btc = SymbolName("BTCUSDT")
private let bids = ["9.0:1.0", "8.0:2.0"]
private let asks = ["10.0:1.0", "11.0:2.0"]
private let stream = Array("{\"stream\":\"btcusdt@depth@100ms\"".utf8)

@Suite struct EngineForgottenTests {
    /// A book that was contradicted is not replaced by an older one that it has already left.
    @Test func aContradictedBookIsNotReplacedByAnOlderOne() {
        var h = EngineHarness.live()
        h.update(11, 12, bids: ["9.0:0.0"])
        h.ticker(12, bid: "8.0:3.0", ask: "10.0:1.0")
        #expect(h.status().reason == .mismatch)
        h.serve(10, forSeconds: 30)
        #expect(h.status().state == .stale)
        h.serve(12, ["8.0:3.0"], forSeconds: 30)
        #expect(h.status().state == .live && h.book(.bid) == ["8.0:3.0"])
    }

    /// Nor is one that an audit contradicted; one late answer costs no resubscription.
    @Test func anAuditedBookIsNotReplacedByAnOlderOne() {
        var h = EngineHarness.live { $0.auditEveryNs = 10 * second }
        for _ in 0..<60 where h.requests().isEmpty { h.tick(afterNs: second / 4) }
        h.frame(.snapshotRequested, SnapshotEnvelope(symbol: btc, limit: 1000).bytes)
        h.update(11, 12, bids: ["7.0:5.0"])
        h.snapshot(12, bids: ["9.0:1.5", "8.0:2.0", "7.0:5.0"], asks: asks)
        #expect(h.status().reason == .audit)
        h.serve(10)
        #expect(h.status().state == .stale)
        h.serve(12, ["9.0:1.0", "8.0:2.0", "7.0:5.0"], forSeconds: 10)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(12))
        #expect(h.status().counters.behind == 0 && h.status().counters.resubscriptions == 0)
    }

    /// Nor does a snapshot replace it that has not come as far as what showed it to be behind.
    @Test func aBookThatIsBehindIsNotReplacedByOneThatIsToo() {
        var h = EngineHarness.live()
        h.ticker(15, bid: "8.0:2.0", ask: "10.0:1.0")
        for _ in 0..<100 {
            h.serve(10)
            if h.nowNs > 6 * second { #expect(h.status().state == .stale) }
        }
        h.serve(15, ["8.0:2.0"], forSeconds: 30)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(15))
    }

    /// A stream that stays dead is resubscribed when that is allowed, also while a check waits for it.
    @Test func aWaitingCheckKeepsNoDeadStreamFromBeingResubscribed() {
        var h = EngineHarness.live {
            ($0.silenceNsMin, $0.firstEventNsMax) = (3 * second / 2, 3 * second / 2)
        }
        h.ticker(15, bid: "8.0:2.0", ask: "10.0:1.0")
        var requestedNs: [Int64] = []
        for step in 0..<80 {
            let count = h.status().counters.resubscriptions
            h.serve(20 + step, ["8.0:\(step).0"])
            if step < 12 { h.ticker(16 + step, bid: "8.0:\(step).5", ask: "10.0:1.0") }
            if h.status().counters.resubscriptions > count { requestedNs.append(h.nowNs) }
        }
        #expect(requestedNs.count == 2)
        #expect(zip(requestedNs, requestedNs.dropFirst()).allSatisfy { $1 - $0 <= 11 * second })
    }

    /// Updates that were kept for a snapshot and thrown away with it count as well.
    @Test func whatWasKeptForARefutedBookIsNotForgotten() {
        var h = EngineHarness.live()
        h.update(12, 12)
        #expect(h.status().reason == .gap)
        for id in 13...20 { h.update(id, id) }
        h.ticker(14, bid: "9.0:7.0", ask: "10.0:1.0")
        h.serve(13)
        h.serve(14, forSeconds: 30)
        #expect(h.status().state == .stale)
        h.serve(20, forSeconds: 10)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(20))
    }

    /// Nor does a lost connection make the process forget them.
    @Test(arguments: [true, false]) func aLostConnectionMakesNothingForgotten(_ isKept: Bool) {
        var h = EngineHarness.live()
        if isKept {
            h.update(12, 12)
        } else {
            h.update(11, 12, bids: ["9.0:0.0"])
            h.ticker(12, bid: "8.0:3.0", ask: "10.0:1.0")
        }
        #expect(h.status().state == .stale)
        h.frame(.disconnected)
        h.source = 2
        h.frame(.connected)
        h.serve(10, forSeconds: 30)
        #expect(h.status().state == .stale)
        h.serve(12, forSeconds: 10)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(12))
    }

    /// What contradicts every book at once is asked for more and more slowly, though each is live for a
    /// moment, and though each takes long to come.
    @Test func aLastingContradictionCostsFewerAndFewerRequests() {
        var h = EngineHarness.live()
        var id = 10
        var attempts: [Int] = []
        var waitNs: Int64 = 0
        for step in 0..<4_000 {
            id += 1
            h.update(id, id)
            if step % 2 == 1 { h.ticker(id, bid: "9.0:7.0", ask: "10.0:1.0") }
            h.tick(afterNs: second / 4)
            waitNs -= second / 4
            if waitNs > 0 { continue }
            attempts += h.serve(id).attempts
            // As the planner waits.
            waitNs = min(second / 2 << min(attempts.last ?? 0, 7), 60 * second)
        }
        #expect(attempts.count > 8 && attempts == Array(0..<attempts.count))
    }

    // MARK: - Streams that the venue refuses

    /// The venue refused the stream: nothing will come, so nothing is live, until it is accepted.
    @Test(arguments: [true, false]) func aRefusedStreamIsNotQuiet(_ isNamed: Bool) {
        var h = EngineHarness { $0.requestsAreAnnounced = true }
        let refused = isNamed ? RefusedStreams([SymbolName("ETHUSDT"), btc]).bytes : Array("*".utf8)
        h.frame(.connected, refused)
        for _ in 0..<400 {
            h.serve(10, accepts: false)
            #expect(h.status().state != .live)
        }
        // Asked for again and again, less and less often.
        #expect((4...8).contains(h.status().counters.resubscriptions))
        h.frame(.resubscribed, stream)
        h.serve(10, forSeconds: 10)
        #expect(h.status().state == .live)
    }

    /// Of another symbol, it is nobody's business.
    @Test func aRefusedStreamOfAnotherSymbol() {
        var h = EngineHarness { $0.requestsAreAnnounced = true }
        h.frame(.connected, RefusedStreams([SymbolName("ETHUSDT")]).bytes)
        h.serve(10, forSeconds: 10)
        #expect(h.status().state == .live)
    }

    /// A renewal that leads to a connection without the stream hands nothing over.
    @Test func aRenewalWithoutTheStream() {
        var h = EngineHarness.live()
        h.frame(.connected, RefusedStreams([btc]).bytes, source: 2)
        #expect(h.status().state == .live)
        h.frame(.retired, source: 1)
        for _ in 0..<40 {
            h.serve(10, accepts: false)
            #expect(h.status().state == .stale)
        }
    }

    /// A resubscription that nobody accepts proves nothing, however long it takes.
    @Test func aResubscriptionThatIsNotAcceptedProvesNothing() {
        var h = EngineHarness.live()
        h.ticker(11, bid: "9.0:1.0", ask: "10.0:1.0")
        h.tick(afterNs: 20 * second)
        for _ in 0..<400 {
            h.serve(11, accepts: false)
            #expect(h.status().state == .stale)
        }
        #expect(h.status().counters.resubscriptions > 2)
    }

    /// A replica's requests are carried out by nobody, and nobody accepts them: they must not wait for ever.
    @Test(arguments: [true, false]) func aReplicaDoesNotWaitForAcceptances(_ isCarriedOut: Bool) {
        var h = EngineHarness {
            $0.requestsAreAnnounced = true
            $0.resubscribes = isCarriedOut
        }
        h.frame(.connected)
        for _ in 0..<33 { h.tick(afterNs: second) }
        #expect(h.requests().contains(.resubscribe(btc)))
        h.serve(10, accepts: false)
        h.frame(.snapshotRequested, SnapshotEnvelope(symbol: btc, limit: 1000).bytes)
        h.snapshot(10, bids: bids, asks: asks)
        for id in 11...40 {
            h.tick(afterNs: second)
            h.update(id, id)
        }
        #expect(h.status().lastUpdateID == UpdateID(40))
        #expect(h.status().state == (isCarriedOut ? .stale : .live))
    }

    // MARK: - Messages that are no updates

    /// On a stream of updates, or with an update's ids and levels, there is nothing else.
    @Test(
        arguments: [
            #"{"e":"depthUpdateV2","E":1,"s":"BTCUSDT","U":11,"u":11,"b":[["9.0","0.0"]],"a":[]}"#,
            #"{"e":7,"E":1,"s":"BTCUSDT","U":11,"u":11,"b":[["9.0","0.0"]],"a":[]}"#,
            #"{"E":1,"s":"BTCUSDT","U":11,"u":11,"b":[["9.0","0.0"]],"a":[]}"#,
            #"{"E":1,"s":"BTCUSDT","U":11,"u":11,"b":[],"a":[["9.0","0.0"]],"e":"new"}"#,
        ], [true, false])
    func anUpdateInAFormThatNobodyKnows(_ body: String, _ isWrapped: Bool) {
        var h = EngineHarness.live()
        h.message(isWrapped ? #"{"stream":"btcusdt@depth@100ms","data":\#(body)}"# : body)
        #expect(h.status().state == .stale && h.status().reason == .unreadable)
        #expect(h.engine.counters.malformed == 1)
    }

    /// A wrapper that has lost the name of its stream, or both its keys in one piece of rubbish.
    @Test(arguments: [#""strexm":"btcusdt@depth","data""#, #""strxxxxxxxxxta""#])
    func anUpdateWithoutItsStream(_ keys: String) {
        var h = EngineHarness.live()
        let update = #"{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":11,"u":11,"b":[],"a":[]}"#
        h.message("{\(keys):\(update)}")
        #expect(h.status().state == .stale && h.status().reason == .unreadable)
    }

    @Test(
        arguments: [
            "[1]", "null", "7", #"{"result":null,"id":1}"#, #"{"lastUpdateId":12,"bids":[],"asks":[]}"#,
            #"{"u":12,"s":"BTCUSDT","b":"9.0","B":"1.0","a":"10.0","A":"1.0"}"#, "{}",
            #"{"e":"trade","s":"BTCUSDT"}"#,
        ])
    func anythingElseOnAStreamOfUpdates(_ body: String) {
        var h = EngineHarness.live()
        h.message(#"{"stream":"btcusdt@depth","data":\#(body)}"#)
        #expect(h.status().state == .stale && h.status().reason == .unreadable)
        // Elsewhere it is nobody's business.
        var other = EngineHarness.live()
        other.message(#"{"stream":"btcusdt@kline_1m","data":{"e":"kline","s":"BTCUSDT","U":1,"u":2}}"#)
        other.message(#"{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","b":7,"a":8}}"#)
        other.message(#"{"result":null,"id":1}"#)
        #expect(other.status().state == .live && other.engine.counters.malformed == 0)
    }

    // MARK: - Tickers that differ, where ids prove nothing

    /// Futures: the stream of updates dies, and tickers say for as long as an update never takes that the
    /// best prices are others.
    @Test(arguments: [1, 5, 20]) func futuresTickersThatDiffer(_ everySeconds: Int) {
        var h = EngineHarness.live(.usdm) { $0.auditEveryNs = 0 }
        var id = 10
        for _ in 0..<40 {
            h.futuresUpdate(id, id + 1, id + 5)
            id += 5
            h.serve(id, forSeconds: Double(everySeconds))
        }
        #expect(h.status().state == .live)
        var liveSeconds = 0.0
        for step in 1..<400 {
            h.ticker(id + step, bid: "20.0:1.0", ask: "21.0:1.0")
            h.serve(id + step, ["20.0:1.0"], ["21.0:1.0"], forSeconds: 0.25)
            if h.status().state == .live && h.status().lastUpdateID.value <= id { liveSeconds += 0.25 }
        }
        #expect(liveSeconds <= Double(3 * everySeconds) + 1)
        #expect(h.status().counters.behind > 0)
    }

    /// A node of REST that stands still agrees with the book again and again, which says nothing.
    @Test func futuresTickersThatDifferBesideAFrozenNode() {
        var h = EngineHarness.live(.usdm) { $0.auditEveryNs = second }
        for step in 1..<80 {
            h.ticker(10 + step, bid: "20.0:1.0", ask: "21.0:1.0")
            h.serve(10)
        }
        #expect(h.status().state == .stale && h.status().counters.behind > 0)
    }

    /// They say nothing while they agree, or once a change is undone.
    @Test func futuresTickersThatAgree() {
        var h = EngineHarness.live(.usdm) { $0.auditEveryNs = 0 }
        for step in 1..<200 {
            h.ticker(10 + 2 * step, bid: "20.0:1.0", ask: "21.0:1.0")
            h.tick(afterNs: second / 8)
            h.ticker(11 + 2 * step, bid: "9.0:1.0", ask: "10.0:1.0")
            h.serve(10)
        }
        #expect(h.status().state == .live && h.status().counters.behind == 0)
    }
}
