// What an engine does when the venue contradicts itself, or says what cannot be.

import BinanceDepth
import DepthBook
import MarketData
import Testing

@testable import BookEngine

private let btc = SymbolName("BTCUSDT")!

@Suite struct EngineDoubtTests {
    /// A market that stays crossed costs fewer and fewer snapshots.
    @Test func booksThatAreNeverLiveAreAskedForMoreSlowly() {
        var h = EngineHarness()
        h.goLive()
        h.event(11, 11, bids: ["12.0:1.0"])
        #expect(h.status().reason == .crossed)
        #expect(h.wishes() == [.ask(btc, .resync, attempt: 0)])
        for attempt in 1...3 {
            let id = 10 + 2 * attempt
            h.event(id, id)
            h.event(id + 1, id + 1)
            h.snapshot(id, bids: ["12.0:1.0"], asks: ["10.0:1.0"])
            #expect(h.wishes() == [.ask(btc, .resync, attempt: attempt)])
        }
        h.event(18, 18)
        h.snapshot(18, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        h.event(19, 19)
        #expect(h.status().state == .live)
        h.event(21, 21)
        #expect(h.wishes() == [.ask(btc, .resync, attempt: 0)])
    }
}
