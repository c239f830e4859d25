// What a connection delivers before it is up with all its streams: nothing to build a book from, but how far
// the venue has come by then.

import BinanceVenue
import BookEngine
import BookSync
import MarketData
import Testing

private let second: Int64 = 1_000_000_000

@Suite struct EngineEarlyTests {
    private static let bids = ["9.0:1.0", "8.0:2.0"]
    private static let asks = ["10.0:1.0", "11.0:2.0"]

    /// An update, a ticker or a partial depth of id 12 that comes before its connection is up.
    static let early = [
        #"{"e":"depthUpdate","E":1700000000000,"s":"BTCUSDT","U":11,"u":12,"b":[["9.0","0.0"]],"a":[]}"#,
        #"{"u":12,"s":"BTCUSDT","b":"8.0","B":"2.0","a":"10.0","A":"1.0"}"#,
        #"{"stream":"btcusdt@depth5","data":{"lastUpdateId":12,"bids":[["8.0","2.0"]],"asks":[["10.0","1.0"]]}}"#,
    ]

    /// A node of REST that stands still before it makes no first book, however often it is asked.
    @Test(arguments: early) func noFirstBookFromBeforeIt(_ message: String) {
        var h = EngineHarness()
        h.message(message)
        h.frame(.connected)
        for _ in 0..<60 {
            h.serve(10)
            #expect(h.status().state != .live, "\(h.nowNs / second) s")
        }
        h.serve(12, ["8.0:2.0"], forSeconds: 10)
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(12))
    }

    /// Nor does it prove a book that was kept across a reconnect.
    @Test(arguments: early) func noKeptBookFromBeforeIt(_ message: String) {
        var h = EngineHarness.live()
        h.frame(.disconnected)
        h.message(message, source: 2)
        h.frame(.connected, source: 2)
        for _ in 0..<60 {
            h.serve(10)
            #expect(h.status().state != .live, "\(h.nowNs / second) s")
        }
        h.serve(12, ["8.0:2.0"], forSeconds: 10)
        #expect(h.status().state == .live && h.book(.bid) == ["8.0:2.0"])
    }

    /// A renewal does not hand over a book that its new connection has been ahead of since before it was up.
    @Test func noBookIsHandedOverBehindIt() {
        var h = EngineHarness.live()
        h.message(Self.early[0], source: 2)
        h.frame(.connected, source: 2)
        h.frame(.retired, source: 1)
        #expect(h.status().state == .stale)
    }

    /// What an earlier connection showed, or what is no later than the book, changes nothing.
    @Test func whatIsNoNewsIsForgotten() {
        var h = EngineHarness()
        h.message(Self.early[0], source: 7)
        h.frame(.connected)
        h.serve(10, forSeconds: 10)
        #expect(h.status().state == .live)
        var kept = EngineHarness.live()
        kept.frame(.disconnected)
        kept.ticker(10, bid: "9.0:1.0", ask: "10.0:1.0", source: 2)
        kept.frame(.connected, source: 2)
        kept.serve(10, forSeconds: 10)
        #expect(kept.status().state == .live)
    }
}
