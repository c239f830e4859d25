// REST requests as a server reads them: every path, every parameter, every refusal, and what each costs.

import BinanceVenue
import MarketData
import Testing

@testable import BinanceServing

private let markets = Market.allCases.map(ServingRules.init)
private let spot = ServingRules(.spot)
private let futures = [ServingRules(.usdm), ServingRules(.coinm)]

/// The target of a path behind the market's prefix, with parameters as `name=value`.
private func target(_ rules: ServingRules, _ path: String, _ query: [String], method: String = "GET")
    -> RequestTarget
{
    RequestTarget(
        method: method, path: "\(rules.market.requestPath)/\(path)",
        parameters: query.map { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return .init(String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        })
}

private func route(
    _ rules: ServingRules, _ path: String, _ query: [String], method: String = "GET"
) -> Result<RestRequest, RestRefusal> {
    do throws(RestRefusal) {
        return .success(try rules.route(target(rules, path, query, method: method)))
    } catch {
        return .failure(error)
    }
}

@Test func requestsAreRouted() {
    for rules in markets {
        let isSpot = rules.market == .spot
        let table: [(path: String, query: [String], request: RestRequest, weight: Int)] = [
            ("ping", [], .ping, 1), ("time", [], .time, 1),
            ("exchangeInfo", [], .exchangeInfo(nil), isSpot ? 20 : 1),
            ("depth", ["symbol=BTCUSDT"], .depth("BTCUSDT", limit: nil), isSpot ? 5 : 1),
            ("depth", ["symbol=BTCUSDT", "limit=50"], .depth("BTCUSDT", limit: 50), isSpot ? 5 : 2),
            ("depth", ["limit=1000", "symbol=BTCUSDT"], .depth("BTCUSDT", limit: 1_000), isSpot ? 50 : 20),
            (
                "depth", ["symbol=BTCUSDT", "symbolStatus=TRADING"],
                .depth("BTCUSDT", limit: nil, status: isSpot ? TradingStatus.trading : nil), isSpot ? 5 : 1
            ),
            ("ticker/bookTicker", ["symbol=BTCUSDT"], .bookTicker("BTCUSDT"), 2),
            ("ticker/bookTicker", [], .bookTickers(nil), isSpot ? 4 : 5),
        ]
        for row in table {
            #expect(route(rules, row.path, row.query) == .success(row.request), "\(rules.market) \(row.path)")
            #expect(route(rules, row.path, row.query, method: "HEAD") == .success(row.request))
            #expect(rules.weight(of: row.request) == row.weight, "\(rules.market) \(row.path)")
        }
    }
    let names = [SymbolName("ETHUSDT"), SymbolName("BTCUSDT")]
    #expect(route(spot, "exchangeInfo", ["symbol=ETHUSDT"]) == .success(.exchangeInfo(["ETHUSDT"])))
    #expect(
        route(spot, "exchangeInfo", [#"symbols=["ETHUSDT","BTCUSDT"]"#]) == .success(.exchangeInfo(names)))
    #expect(
        route(spot, "ticker/bookTicker", [#"symbols=["ETHUSDT","BTCUSDT"]"#]) == .success(.bookTickers(names))
    )
    #expect(route(spot, "exchangeInfo", ["permissions=SPOT"]) == .success(.exchangeInfo(nil)))
    #expect(route(spot, "depth", ["symbol=币安人生"]) == .success(.depth("币安人生", limit: nil)))
    for rules in futures {
        #expect(route(rules, "depth", ["symbol=btcusdt"]) == .success(.depth("BTCUSDT", limit: nil)))
        #expect(route(rules, "depth", ["symbol=BTCUSDT", "x=1"]) == .success(.depth("BTCUSDT", limit: nil)))
        #expect(route(rules, "exchangeInfo", ["symbol=NO SUCH"]) == .success(.exchangeInfo(nil)))
    }
}

/// A status is carried as far as it is known; only spot has it.
@Test func statusesAreRead() {
    for (text, status) in [("TRADING", TradingStatus.trading), ("HALT", .halted), ("BREAK", .pausing)] {
        let query = "symbolStatus=" + text
        let table: [(path: String, query: [String], request: RestRequest)] = [
            ("depth", ["symbol=A", "limit=5", query], .depth("A", limit: 5, status: status)),
            ("depth", ["symbol=A", query], .depth("A", limit: nil, status: status)),
            ("ticker/bookTicker", ["symbol=A", query], .bookTicker("A", status: status)),
            ("ticker/bookTicker", [#"symbols=["A"]"#, query], .bookTickers(["A"], status: status)),
            ("ticker/bookTicker", [query], .bookTickers(nil, status: status)),
            ("exchangeInfo", [query], .exchangeInfo(nil, status: status)),
        ]
        for row in table { #expect(route(spot, row.path, row.query) == .success(row.request), "\(row)") }
    }
    let both = RestRefusal(400, -1128, "Combination of optional parameters invalid.")
    #expect(route(spot, "exchangeInfo", ["symbol=A", "symbolStatus=HALT"]) == .failure(both))
    let wrong = RestRefusal(400, -1122, "Invalid symbolStatus.")
    for path in ["depth", "ticker/bookTicker", "exchangeInfo"] {
        for text in ["", "halt", "END_OF_DAY"] {
            #expect(route(spot, path, ["symbol=A", "symbolStatus=" + text]) == .failure(wrong), "\(path)")
        }
    }
    for rules in futures {
        #expect(route(rules, "depth", ["symbol=A", "symbolStatus=x"]) == .success(.depth("A", limit: nil)))
    }
}

/// Only COIN-M has pairs of several symbols here; they are written like symbols.
@Test func pairsAreRead() {
    let (usdm, coinm) = (futures[0], futures[1])
    let path = "ticker/bookTicker"
    #expect(route(usdm, path, ["pair=BTCUSD"]) == .success(.bookTickers(nil)))
    for text in ["BTCUSD", "btcusd"] {
        #expect(route(coinm, path, ["pair=" + text]) == .success(.bookTickersOfPair("BTCUSD")))
    }
    #expect(coinm.weight(of: .bookTickersOfPair("BTCUSD")) == 5)
    let both = RestRefusal(400, -1128, "Combination of optional parameters invalid.")
    #expect(route(coinm, path, ["pair=BTCUSD", "symbol=BTCUSD_PERP"]) == .failure(both))
    let empty = RestRefusal(
        400, -1102, "Mandatory parameter 'pair' was not sent, was empty/null, or malformed.")
    #expect(route(coinm, path, ["pair="]) == .failure(empty))
    #expect(ServingRules.pair(of: "BTCUSD_PERP") == "BTCUSD" && ServingRules.pair(of: "BTCUSDT") == "BTCUSDT")
}

/// A refusal: its status, code and text, and what it costs.
private typealias Row = (path: String, query: [String], status: Int, code: Int, text: String, weight: Int)

private let missing = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
private let badLimitText = "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'."
private let badListText =
    #"Illegal characters found in parameter 'symbols'; legal range is '^\[("[\w\-._&&[^a-z]]{1,50}"(,"#
    + #""[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$'."#
private let badSymbolText =
    #"Illegal characters found in parameter 'symbol'; legal range is '^[\w\-._&&[^a-z]]{1,50}$'."#

private let refusedByAll: [Row] = [
    ("depth", [], 400, -1102, missing, 1), ("depth", ["symbol"], 400, -1102, missing, 1),
    ("depth", ["symbol=", "limit=5"], 400, -1102, missing, 1),
    ("depth", ["symbol=BTCUSDT", "limit="], 400, -1100, badLimitText, 1),
    ("depth", ["symbol=BTCUSDT", "limit=x"], 400, -1100, badLimitText, 1),
    ("depth", ["symbol=BTCUSDT", "limit=-5"], 400, -1100, badLimitText, 1),
    ("depth", ["symbol=BTCUSDT", "limit=100000000000000000000"], 400, -1100, badLimitText, 1),
    ("depth", ["symbol=" + String(repeating: "A", count: 48)], 400, -1121, "Invalid symbol.", 1),
    ("ticker/bookTicker", ["symbol="], 400, -1102, missing, 1),
]

private let refusedBySpot: [Row] = [
    ("depth", ["symbol=BTCUSDT", "limit=0"], 400, -4021, "0 is not valid depth limit", 5),
    ("depth", ["symbol=btcusdt"], 400, -1100, badSymbolText, 1),
    ("depth", ["symbol=BTC USDT"], 400, -1100, badSymbolText, 1),
    (
        "depth", ["symbol=BTCUSDT", "x=1", "y"], 400, -1104,
        "Not all sent parameters were read; read '1' parameter(s) but was sent '3'.", 1
    ),
    (
        "ping", ["x=1"], 400, -1104,
        "Not all sent parameters were read; read '0' parameter(s) but was sent '1'.", 1
    ),
    (
        "exchangeInfo", ["symbol=A", #"symbols=["A"]"#], 400, -1128,
        "Combination of optional parameters invalid.", 1
    ),
    ("exchangeInfo", ["symbols=ETHUSDT"], 400, -1100, badListText, 1),
    ("exchangeInfo", ["symbols=[]"], 400, -1100, badListText, 1),
    ("ticker/bookTicker", ["symbols=[1]"], 400, -1100, badListText, 1),
    ("ticker/bookTicker", [#"symbols=["a"]"#], 400, -1100, badSymbolText, 1),
]

private let refusedByFutures: [Row] = [
    ("depth", ["symbol=BTCUSDT", "limit=7"], 400, -4021, "7 is not valid depth limit", 2),
    ("depth", ["symbol=BTCUSDT", "limit=0"], 400, -4021, "0 is not valid depth limit", 2),
    ("depth", ["symbol=BTCUSDT", "limit=5000"], 400, -4021, "5000 is not valid depth limit", 20),
    (
        "depth", ["symbol=BTCUSDT", "limit=99999999999999999999"], 400, -4021,
        "9223372036854775807 is not valid depth limit", 20
    ),
]

@Test func restRequestsAreRefused() {
    for rules in markets {
        let table = refusedByAll + (rules.market == .spot ? refusedBySpot : refusedByFutures)
        for row in table {
            let refusal = RestRefusal(row.status, row.code, row.text, weight: row.weight)
            #expect(
                route(rules, row.path, row.query) == .failure(refusal),
                "\(rules.market) \(row.path) \(row.query)")
        }
        for (path, method) in [("klines", "GET"), ("depth", "POST"), ("", "GET"), ("depth/x", "GET")] {
            let text = "Path \(rules.market.requestPath)/\(path), Method \(method) is invalid"
            let refusal = RestRefusal(404, -5000, text, weight: 0)
            #expect(route(rules, path, ["symbol=BTCUSDT"], method: method) == .failure(refusal))
        }
        for other in markets where other != rules {
            #expect(throws: RestRefusal.self) { try other.route(target(rules, "ping", [])) }
        }
    }
}

@Test func refusalsAreBodies() {
    let table: [(refusal: RestRefusal, status: Int, body: String)] = [
        (.badSymbol, 400, #"{"code":-1121,"msg":"Invalid symbol."}"#),
        (.noBook, 503, #"{"code":-1008,"msg":"Server is currently overloaded with other requests."}"#),
        (.failure, 500, #"{"code":-1000,"msg":"An unknown error occurred."}"#),
        (.timeout, 504, #"{"code":-1007,"msg":"Timeout waiting for response from backend server."}"#),
        (.tooManyRequests, 429, #"{"code":-1003,"msg":"Too many requests."}"#),
        (
            .banned(untilMs: 1_790_000_000_000), 418,
            #"{"code":-1003,"msg":"Way too many requests; IP banned until 1790000000000."}"#
        ),
        (
            .unknownPath("/\"", method: "GET"), 404,
            #"{"code":-5000,"msg":"Path /\", Method GET is invalid"}"#
        ),
    ]
    for row in table {
        #expect(row.refusal.status == row.status)
        #expect(String(decoding: row.refusal.body, as: UTF8.self) == row.body)
    }
}

@Test func limitsAndWeights() {
    let spotWeights = [
        (1, 5), (100, 5), (101, 25), (500, 25), (501, 50), (1_000, 50), (1_001, 250), (5_000, 250),
        (.max, 250),
    ]
    for (limit, weight) in spotWeights {
        #expect(spot.weight(of: .depth("A", limit: limit)) == weight)
        #expect(route(spot, "depth", ["symbol=A", "limit=\(limit)"]) == .success(.depth("A", limit: limit)))
    }
    #expect([nil, 7, 5_000, 5_001, .max].map(spot.levelCount) == [100, 7, 5_000, 5_000, 5_000])
    for rules in futures {
        for (limit, weight) in [(5, 2), (10, 2), (20, 2), (50, 2), (100, 5), (500, 10), (1_000, 20)] {
            #expect(rules.weight(of: .depth("A", limit: limit)) == weight)
            #expect(
                route(rules, "depth", ["symbol=A", "limit=\(limit)"]) == .success(.depth("A", limit: limit)))
        }
        #expect(rules.levelCount(of: nil) == 500)
    }
    // Where a client of this package asks, both sides agree.
    for rules in markets {
        for limit in rules.market.snapshotLimits {
            #expect(rules.weight(of: .depth("A", limit: limit.levelCount)) == limit.weight)
        }
        #expect(rules.weight(of: .exchangeInfo(nil)) == rules.market.exchangeInfoWeight)
        #expect(rules.weightMax == rules.market.weightPool.weightPerMinute)
    }
}
