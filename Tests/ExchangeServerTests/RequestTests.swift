// REST over real sockets: every endpoint of the three markets, weights, refusals, delays, cut connections.

import BinanceServing
import BinanceVenue
import Foundation
import LobTransport
import MarketData
import SimulatedExchange
import Testing
import VenueSupport

@testable import ExchangeServer

private let badSymbol = #"{"code":-1121,"msg":"Invalid symbol."}"#
private let missing =
    #"{"code":-1102,"msg":"Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."}"#
private let illegal = #"{"code":-1100,"msg":"Illegal characters found in parameter '"#

private typealias Row = (target: String, status: Int, weight: Int, body: String)

private let spotOnly: [Row] = {
    let depth = "{\"lastUpdateId\":"
    return [
        ("depth?symbol=BTCUSDT&limit=5000", 200, 250, depth),
        ("depth?symbol=BTCUSDT&limit=9999", 200, 250, depth),
        ("depth?symbol=BTCUSDT&limit=7", 200, 5, depth),
        ("exchangeInfo?symbol=ETHUSDT", 200, 20, #"{"timezone":"UTC""#),
        ("exchangeInfo?symbols=%5B%22ETHUSDT%22%5D", 200, 20, #"{"timezone":"UTC""#),
        ("exchangeInfo?symbol=NOSUCH", 400, 20, badSymbol),
        ("exchangeInfo?symbol=A&symbols=%5B%22A%22%5D", 400, 1, "{\"code\":-1128,"),
        ("exchangeInfo?symbolStatus=TRADING", 200, 20, #"{"timezone":"UTC""#),
        ("depth?symbol=BTCUSDT&limit=5&symbolStatus=TRADING", 200, 5, depth),
        ("depth?symbol=BTCUSDT&symbolStatus=HALT", 400, 5, "{\"code\":-1220,"),
        ("ticker/bookTicker?symbol=BTCUSDT&symbolStatus=BREAK", 400, 2, "{\"code\":-1220,"),
        ("ticker/bookTicker?symbolStatus=HALT", 200, 4, "[]"),
        ("ticker/bookTicker?symbolStatus=x", 400, 1, "{\"code\":-1122,"),
        ("exchangeInfo?symbols=ETHUSDT", 400, 1, illegal + "symbols'"),
        (
            "ticker/bookTicker?symbols=%5B%22ETHUSDT%22,%22BTCUSDT%22%5D", 200, 4,
            #"[{"symbol":"ETHUSDT""#
        ),
    ]
}()

private let futuresOnly: [Row] = [
    ("depth?symbol=BTCUSDT&limit=7", 400, 2, #"{"code":-4021,"msg":"7 is not valid depth limit"}"#)
]

private let coinmOnly: [Row] = [
    ("ticker/bookTicker?pair=ethusdt", 200, 5, "[{\"lastUpdateId\":"),
    ("ticker/bookTicker?pair=NOSUCH", 400, 5, badSymbol),
    ("ticker/bookTicker?pair=BTCUSDT&symbol=BTCUSDT", 400, 1, "{\"code\":-1128,"),
]

extension ExchangeTests {
    @Suite struct Requests {
        private func json(_ answer: Answer) -> [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(answer.body))) as? [String: Any] ?? [:]
        }

        /// Target, status, weight, and what the body begins with.
        @Test(arguments: Market.allCases) func answers(_ market: Market) throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve(market)
            let base = ["/api/v3/", "/fapi/v1/", "/dapi/v1/"][Market.allCases.firstIndex(of: market)!]
            let isSpot = market == .spot
            let depth = "{\"lastUpdateId\":"
            let ticker = isSpot ? #"{"symbol":"BTCUSDT","bidPrice":"1.27"# : depth
            let unread = #"{"code":-1104,"msg":"Not all sent parameters were read; read '1'"#
            var table: [Row] = [
                ("ping", 200, 1, "{}"), ("time", 200, 1, "{\"serverTime\":17"),
                ("exchangeInfo", 200, isSpot ? 20 : 1, #"{"timezone":"UTC","serverTime":17"#),
                ("depth?symbol=BTCUSDT&limit=5", 200, isSpot ? 5 : 2, depth),
                ("depth?symbol=BTCUSDT&limit=500", 200, isSpot ? 25 : 10, depth),
                ("depth?symbol=BTCUSDT&limit=1000", 200, isSpot ? 50 : 20, depth),
                ("depth?symbol=BTCUSDT", 200, isSpot ? 5 : 1, depth),
                ("depth?symbol=NOSUCH", 400, isSpot ? 5 : 1, badSymbol), ("depth?limit=5", 400, 1, missing),
                ("depth?symbol=", 400, 1, missing),
                ("depth?symbol=BTCUSDT&limit=x", 400, 1, illegal + "limit'"),
                ("ticker/bookTicker?symbol=BTCUSDT", 200, 2, (market == .coinm ? "[" : "") + ticker),
                ("ticker/bookTicker", 200, isSpot ? 4 : 5, "[" + ticker),
                ("ticker/bookTicker?symbol=NOSUCH", 400, 2, badSymbol),
                (
                    "klines?symbol=BTCUSDT", 404, 0,
                    "{\"code\":-5000,\"msg\":\"Path \(base)klines, Method GET is"
                ),
                ("depth?symbol=btcusdt", isSpot ? 400 : 200, 1, isSpot ? illegal + "symbol'" : depth),
                ("depth?symbol=BTCUSDT&x=1", isSpot ? 400 : 200, 1, isSpot ? unread : depth),
            ]
            table += isSpot ? spotOnly : futuresOnly
            if market == .coinm { table += coinmOnly }
            var used = 0
            for row in table {
                let answer = try bench.get(server, base + row.target)
                used += row.weight
                let what = Comment(rawValue: "\(row.target): \(answer.status) \(answer.text.prefix(200))")
                #expect(answer.status == row.status && answer.text.hasPrefix(row.body), what)
                #expect(answer.headers["x-mbx-used-weight-1m"] == "\(used)", what)
                #expect(
                    answer.headers["content-type"] == "application/json;charset=UTF-8"
                        && answer.headers["date"] != nil)
            }
            #expect(server.counters.usedWeight == used && server.counters.requestCount == table.count)
        }

        @Test func snapshotsAreTheVenues() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve()
            for _ in 0..<5 {
                let body = json(try bench.get(server, "/api/v3/depth?symbol=ETHUSDT&limit=1000"))
                let id = UpdateID((body["lastUpdateId"] as! NSNumber).int64Value)
                let truth = server.withVenue { venue in
                    venue.withTruth(of: SymbolName("ETHUSDT"), at: id) { book in
                        Side.allCases.map { side in
                            book[side].levels.reversed().map {
                                [book.scales.text($0.price), book.scales.text($0.quantity)]
                            }
                        }
                    }
                }
                #expect(truth != nil && body["bids"] as? [[String]] == truth?[0])
                #expect(body["asks"] as? [[String]] == truth?[1])
                bench.rest(ms: 30)
            }
        }

        @Test func exchangeInfoIsComplete() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let names = ["BTCUSDT", "BTCUSD_PERP", "ETHUSD_261225"]
            let expected: [Market: (path: String, keys: [String], values: [String])] = [
                .spot: ("/api/v3", ["status", "baseAsset", "permissionSets", "orderTypes"], []),
                .usdm: ("/fapi/v1", ["status", "contractType", "marginAsset", "pair", "deliveryDate"], []),
                .coinm: ("/dapi/v1", ["contractStatus", "contractSize", "pair", "deliveryDate"], []),
            ]
            for (market, row) in expected {
                let server = try bench.serve(market, symbols: names)
                let info = json(try bench.get(server, row.path + "/exchangeInfo"))
                let symbols = info["symbols"] as? [[String: Any]] ?? []
                #expect(symbols.map { $0["symbol"] as? String } == names)
                for symbol in symbols {
                    for key in row.keys { #expect(symbol[key] != nil, "\(market.name) \(key)") }
                    let filters = symbol["filters"] as? [[String: Any]] ?? []
                    let price = filters.first { $0["filterType"] as? String == "PRICE_FILTER" }
                    let lot = filters.first { $0["filterType"] as? String == "LOT_SIZE" }
                    #expect(price?["tickSize"] as? String == (market == .spot ? "0.00100000" : "0.0010"))
                    #expect(lot?["stepSize"] as? String == (market == .spot ? "0.01000000" : "1"))
                }
                #expect((info["rateLimits"] as? [Any])?.isEmpty == false)
                if market != .spot {
                    #expect(
                        symbols.map { $0["contractType"] as? String } == [
                            "PERPETUAL", "PERPETUAL", "CURRENT_QUARTER",
                        ])
                    // 25 December 2026, 8:00 UTC.
                    #expect(symbols[2]["deliveryDate"] as? Int64 == 1_798_185_600_000)
                }
            }
        }

        @Test func limitsAndBans() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve()
            for _ in 0..<24 { _ = try bench.get(server, "/api/v3/depth?symbol=BTCUSDT&limit=5000") }
            for _ in 0..<5 {
                let limited = try bench.get(server, "/api/v3/ping")
                #expect(
                    limited.status == 429 && limited.text == #"{"code":-1003,"msg":"Too many requests."}"#)
                #expect(
                    limited.headers["retry-after"].flatMap { Int($0) }.map { (1...60).contains($0) } == true)
            }
            let banned = try bench.get(server, "/api/v3/ping")
            #expect(banned.status == 418 && banned.headers["retry-after"] == "120")
            #expect(banned.text.hasPrefix(#"{"code":-1003,"msg":"Way too many requests; IP banned until 17"#))
        }

        /// USD-M and COIN-M charge one budget, spot another.
        @Test func budgetsAreShared() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let addresses = AddressBook()
            let usdm = try bench.serve(.usdm, addresses: addresses)
            let coinm = try bench.serve(.coinm, addresses: addresses)
            let spot = try bench.serve(.spot, addresses: addresses)
            #expect(
                try bench.get(usdm, "/fapi/v1/depth?symbol=BTCUSDT&limit=1000").headers[
                    "x-mbx-used-weight-1m"] == "20")
            #expect(
                try bench.get(coinm, "/dapi/v1/depth?symbol=BTCUSDT&limit=100").headers[
                    "x-mbx-used-weight-1m"] == "25")
            #expect(try bench.get(spot, "/api/v3/ping").headers["x-mbx-used-weight-1m"] == "1")
        }

        @Test func answersTakeTheirTime() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve { $0.requestLatencyUs = 60_000...60_000 }
            let clock = ContinuousClock()
            let took = try clock.measure { _ = try bench.get(server, "/api/v3/ping") }
            #expect(took >= .milliseconds(60) && took < .milliseconds(400))
        }

        @Test func microseconds() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve()
            let header = HTTPHeader("X-MBX-TIME-UNIT", "MICROSECOND")
            let micro = try bench.get(server, "/api/v3/time", header: header).text
            let milli = try bench.get(server, "/api/v3/time").text
            #expect(micro.count == milli.count + 3)
        }

        /// Failing requests: some are cut without an answer, the others are answered in one way or another.
        @Test func failures() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            var options = ExchangeServer.Options()
            options.speed = 100
            let server = try bench.serve(options: options) { $0.faults[.fail] = FaultPlan.certain }
            var seen = Set<Int>()
            for _ in 0..<24 {
                let answer = try bench.get(server, "/api/v3/depth?symbol=BTCUSDT&limit=5")
                seen.insert(answer.error == nil ? answer.status : 0)
            }
            #expect(seen == [0, 200, 500, 503, 504])
        }
    }
}
