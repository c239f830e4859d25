// What `lob run --all` takes from the venue's list.

import ArgumentParser
import BinanceVenue
import BookService
import LobTransport
import MarketData
import Testing

@testable import lob

@Suite struct ListedSymbolsTests {
    /// Of two symbols whose streams have one name the second is left out, and named; what looks the same and
    /// is not stays.
    @Test func symbolsThatShareTheirStreams() throws {
        let names = ["BTCUSDT", "CAF\u{c9}", "btcusdt", "CAFE\u{301}", "BTCUSDT", "OLDUSDT"]
        let entries = names.map { name in
            "{\"symbol\":\"\(name)\",\"status\":\"\(name == "OLDUSDT" ? "BREAK" : "TRADING")\"}"
        }
        let body = Array("{\"symbols\":[\(entries.joined(separator: ","))]}".utf8)
        let info = try ExchangeInfo(body.span, market: .spot)
        let (symbols, leftOut) = info.tradingSymbols
        #expect(symbols == [SymbolName("BTCUSDT"), SymbolName("CAF\u{c9}"), SymbolName("CAFE\u{301}")])
        #expect(leftOut.map { $0.symbol } == [SymbolName("btcusdt")])
        #expect(leftOut.map { $0.owner } == [SymbolName("BTCUSDT")])
    }

    /// The limit that the list states is the service's from its first request on.
    @Test func theStatedLimit() throws {
        let limit = #"{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":1200}"#
        let body = Array("{\"symbols\":[],\"rateLimits\":[\(limit)]}".utf8)
        let info = try ExchangeInfo(body.span, market: .spot)
        let command = try RunCommand.parse(["--all"])
        for (list, wanted) in [(info, 1200), (nil, nil)] as [(ExchangeInfo?, Int?)] {
            let service = try command.service(
                command.endpoints(), [SymbolName("BTCUSDT")], EventLoop.Options(), list: list)
            #expect(service.fetcher.statedWeightPerMinute == wanted)
        }
    }
}
