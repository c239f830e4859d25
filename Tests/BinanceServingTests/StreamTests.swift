// Streams as a server reads them: their names, the targets that name them, and the wrapper.

import BinanceVenue
import MarketData
import Testing

@testable import BinanceServing

private let markets = Market.allCases.map(ServingRules.init)

@Test func streamNames() {
    let table: [(text: String, name: StreamName, markets: Set<Market>)] = [
        ("btcusdt@depth", StreamName(symbol: "btcusdt", .depth), [.spot, .usdm, .coinm]),
        (
            "btcusdt@depth@100ms", StreamName(symbol: "btcusdt", .depth, intervalMs: 100),
            [.spot, .usdm, .coinm]
        ),
        ("btcusdt@depth@1000ms", StreamName(symbol: "btcusdt", .depth, intervalMs: 1_000), [.spot]),
        ("btcusdt@depth@250ms", StreamName(symbol: "btcusdt", .depth, intervalMs: 250), [.usdm, .coinm]),
        ("btcusdt@depth@500ms", StreamName(symbol: "btcusdt", .depth, intervalMs: 500), [.usdm, .coinm]),
        ("btcusdt@depth@0ms", StreamName(symbol: "btcusdt", .depth, intervalMs: 0), [.usdm, .coinm]),
        ("btcusdt@depth@7ms", StreamName(symbol: "btcusdt", .depth, intervalMs: 7), []),
        ("a_1@depth5", StreamName(symbol: "a_1", .partialDepth(levelCount: 5)), [.spot, .usdm, .coinm]),
        (
            "a@depth20@500ms", StreamName(symbol: "a", .partialDepth(levelCount: 20), intervalMs: 500),
            [.usdm, .coinm]
        ),
        ("a@depth7", StreamName(symbol: "a", .partialDepth(levelCount: 7)), []),
        ("币安@bookTicker", StreamName(symbol: "币安", .bookTicker), [.spot, .usdm, .coinm]),
        ("BTCUSDT@depth", StreamName(symbol: "BTCUSDT", .depth), []),
        ("@bookTicker", StreamName(symbol: "", .bookTicker), []),
    ]
    for row in table {
        #expect(StreamName(row.text) == row.name && row.name.text == row.text, "\(row.text)")
        for rules in markets {
            #expect(
                rules.serves(row.name) == row.markets.contains(rules.market), "\(rules.market) \(row.text)")
        }
    }
    let others = [
        "", "btcusdt", "depth", "a@trade", "a@depths", "a@depth05", "a@depth0", "a@depth5x", "a@depth@",
        "a@depth@100",
        "a@depth@0100ms", "a@depth@ms", "a@depth@-1ms", "a@depth@100ms@100ms", "a@bookTicker@100ms",
        "!bookTicker",
        "a@rpiDepth@500ms", "a@depth@123456ms", "a@bookticker",
    ]
    for text in others { #expect(StreamName(text) == nil, "\(text)") }
}

/// The names that a client of this package subscribes to are served, and mean what they meant.
@Test func clientsNamesAreServed() throws {
    for rules in markets {
        let endpoints = try #require(Endpoints(market: rules.market))
        for interval in DepthInterval.allCases {
            guard let depth = endpoints.depthStream("BTCUSDT", every: interval) else { continue }
            let name = try #require(StreamName(depth))
            #expect(rules.serves(name) && name.content == .depth)
            #expect((name.intervalMs ?? rules.intervalsMs[0]) == interval.rawValue)
            let partial = endpoints.partialDepthStream("BTCUSDT", levels: 20, every: interval)
            #expect(StreamName(try #require(partial))?.content == .partialDepth(levelCount: 20))
        }
        #expect(StreamName(endpoints.bookTickerStream("BTCUSDT"))?.content == .bookTicker)
    }
}

@Test func streamTargets() {
    func read(_ path: String, _ query: [(String, String)], _ market: Market) -> StreamTarget? {
        let parameters = query.map { RequestTarget.Parameter($0.0, $0.1) }
        return StreamTarget(RequestTarget(path: path, parameters: parameters), ServingRules(market))
    }
    for market in Market.allCases {
        let raw = read("/ws/a@depth/b", [], market)
        #expect(raw?.names == ["a@depth", "b"] && raw?.isCombined == false && raw?.isDeaf == false)
        let combined = read("/stream", [("streams", "a/b"), ("timeUnit", "microsecond")], market)
        #expect(combined?.names == ["a", "b"] && combined?.isCombined == true)
        #expect(combined?.isMicroseconds == (market == .spot))
        #expect(read("/ws", [("timeUnit", "MILLISECOND")], market)?.isMicroseconds == false)
        #expect(read("/stream", [], market)?.names == [])
        for path in ["/", "/x", "/stream/a", "/wss", "/public"] { #expect(read(path, [], market) == nil) }
        let isSplit = market == .usdm
        #expect(read("/public/ws/a", [], market)?.isDeaf == (isSplit ? false : nil))
        for path in ["/market/ws/a", "/private/stream"] {
            #expect(read(path, [], market)?.isDeaf == (isSplit ? true : nil), "\(path)")
        }
    }
}

/// What the targets of a client of this package ask for.
@Test func clientsTargetsAreServed() throws {
    for rules in markets {
        let endpoints = try #require(Endpoints(market: rules.market))
        let path = endpoints.rawStreamTarget(["a", "b"], isMicroseconds: true).split(separator: "?")[0]
        let target = StreamTarget(RequestTarget(path: String(path)), rules)
        #expect(target?.names == ["a", "b"] && target?.isDeaf == false)
    }
}

@Test func wrappers() {
    func wrap(_ name: String) -> String {
        String(
            decoding: StreamWrapper.opening(name) + Array("1".utf8) + [StreamWrapper.closing], as: UTF8.self)
    }
    #expect(wrap("btcusdt@depth@100ms") == #"{"stream":"btcusdt@depth@100ms","data":1}"#)
    #expect(wrap("币安@depth") == #"{"stream":"币安@depth","data":1}"#)
    #expect(wrap("a\"b\\\n") == #"{"stream":"a\"b\\\u000a","data":1}"#)
}
