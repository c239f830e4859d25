// A message in a wrapper names its symbol twice. Where the two differ, one is damaged: it is nobody's
// evidence, and every book that it may have belonged to is in doubt, but no other.

import BinanceVenue
import BookEngine
import MarketData
import Testing

private let btc = SymbolName("BTCUSDT")
private let eth = SymbolName("ETHUSDT")

@Suite struct EngineMisnamedTests {
    /// Three books, live at 10.
    private static func live(adjust: (inout EngineConfiguration) -> Void = { _ in }) -> EngineHarness {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT", "XRPUSDT"], adjust: adjust)
        for symbol in ["BTCUSDT", "ETHUSDT", "XRPUSDT"] { h.goLive(symbol: symbol) }
        return h
    }

    private static func update(_ stream: String, _ symbol: String) -> String {
        #"{"stream":"\#(stream)","data":{"e":"depthUpdate","E":1700000000000,"s":"\#(symbol)","U":11,"u":12,"#
            + #""b":[["9.0","0.0"]],"a":[]}}"#
    }

    /// An update of one book under the name of another is applied to neither, and neither stays live.
    @Test(
        arguments: [("btcusdt", "ETHUSDT"), ("ethusdt", "BTCUSDT"), ("BTCUSDT", "ETHUSDT")],
        ["@depth", "@depth@100ms"])
    func anUpdateUnderTwoHeldNames(_ names: (String, String), _ channel: String) {
        var h = Self.live()
        h.message(Self.update(names.0 + channel, names.1))
        for symbol in ["BTCUSDT", "ETHUSDT"] {
            #expect(h.status(symbol).state == .stale && h.status(symbol).reason == .unreadable)
            #expect(h.book(.bid, symbol) == ["9.0:1.0", "8.0:2.0"])
        }
        #expect(h.status("XRPUSDT").state == .live)
        #expect(h.engine.counters.malformed == 1 && h.engine.lastParseError?.code == .badName)
        #expect(h.engine.counters.depthUpdates == 6 && h.engine.counters.unknownSymbol == 0)
        // The next updates show what was lost: nothing of ETHUSDT, one of BTCUSDT.
        h.update(11, 11, symbol: "ETHUSDT")
        h.update(13, 13, symbol: "BTCUSDT")
        #expect(h.status("ETHUSDT").state == .live)
        #expect(h.status("BTCUSDT").state != .live)
    }

    /// If one of the names is nobody's, the other says whose update it was.
    @Test(arguments: [
        ("btcusdt@depth", "BTCUSDX"), ("btcusdx@depth", "BTCUSDT"), ("btcusd@depth", "BTCUSDT"),
        ("btcusdtx@depth", "BTCUSDT"), ("@depth", "BTCUSDT"), ("btcusdt@depth", "BTCUSDTT"),
        ("btcusdt@depth", "BTCUSD"),
    ])
    func anUpdateUnderOneHeldName(_ names: (String, String)) {
        for isOpen in [false, true] {
            var h = Self.live { $0.addsUnknownSymbols = isOpen }
            h.message(Self.update(names.0, names.1))
            #expect(h.status().state == .stale && h.status().reason == .unreadable)
            #expect(h.status("ETHUSDT").state == .live && h.status("XRPUSDT").state == .live)
            #expect(h.engine.counters.malformed == 1 && h.engine.symbols.count == 3)
        }
    }

    /// A name that lost its `@` still costs only the book that the message itself names.
    @Test(arguments: ["btcusdt~depth@100ms", "btcusdt", "btcusdt~depth"])
    func aNameWithoutItsEnd(_ stream: String) {
        var h = Self.live()
        h.message(Self.update(stream, "BTCUSDT"))
        #expect(h.status().state == .stale && h.status().reason == .unreadable)
        #expect(h.status("ETHUSDT").state == .live && h.status("XRPUSDT").state == .live)
    }

    /// The case of letters in a stream name does not matter, and without a wrapper there is one name only.
    @Test func theSameNameTwice() {
        var h = Self.live()
        h.message(Self.update("BtCusdt@depth", "BTCUSDT"))
        #expect(h.status().lastUpdateID == UpdateID(12) && h.status().state == .live)
        h.update(11, 12, symbol: "ETHUSDT")
        #expect(h.status("ETHUSDT").lastUpdateID == UpdateID(12) && h.engine.counters.malformed == 0)
    }

    /// A ticker, or the best levels of futures, under two names speak for nobody, and against nobody.
    @Test func otherEvidenceUnderTwoNames() {
        let ticker = #"{"u":10,"s":"ETHUSDT","b":"7.0","B":"1.0","a":"9.0","A":"1.0"}"#
        var h = Self.live()
        h.message(#"{"stream":"btcusdt@bookTicker","data":\#(ticker)}"#)
        #expect(["BTCUSDT", "ETHUSDT", "XRPUSDT"].allSatisfy { h.status($0).state == .live })
        #expect(h.status("ETHUSDT").counters.tickersCompared == 0 && h.engine.counters.malformed == 1)
        // In a stream of all symbols a ticker is that of the symbol it names.
        h.message(#"{"stream":"!bookTicker","data":\#(ticker)}"#)
        #expect(h.status("ETHUSDT").reason == .mismatch && h.status().state == .live)

        var futures = EngineHarness(.usdm, symbols: ["BTCUSDT", "ETHUSDT"])
        futures.frame(.connected)
        futures.message(
            #"{"stream":"btcusdt@depth5@100ms","data":{"e":"depthUpdate","E":1,"T":1,"s":"ETHUSDT","U":10,"#
                + #""u":10,"pu":9,"b":[["7.0","1.0"]],"a":[["9.0","1.0"]]}}"#)
        #expect(futures.engine.counters.malformed == 1 && futures.engine.counters.partialDepths == 0)
    }

    /// An unreadable message of a stream of all symbols is no loss to a book.
    @Test func anUnreadableMessageOfAllSymbols() {
        var h = Self.live()
        h.message(#"{"stream":"!bookTicker","data":{"u":11,"s":"BTCUSDT","b":-1,"B":-1}}"#)
        h.message(#"{"stream":"!bookTicker","data":{"u":-"#)
        #expect(["BTCUSDT", "ETHUSDT", "XRPUSDT"].allSatisfy { h.status($0).state == .live })
        #expect(h.engine.counters.malformed == 2)
    }
}
