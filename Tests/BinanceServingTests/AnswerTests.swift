// What a server answers besides books: headers, dates, bodies, refusals of connections and control messages.

import BinanceVenue
import FeedPlan
import MarketData
import Testing

@testable import BinanceServing

@Test func headers() {
    func lines(_ market: Market, _ retryAfterSeconds: Int?) -> [String] {
        ServingRules(market).headers(
            usedWeight: 25, retryAfterSeconds: retryAfterSeconds, atUs: 784_111_777_000_000
        ).map { "\($0.name): \($0.value)" }
    }
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT"
    #expect(lines(.spot, nil) == ["X-MBX-USED-WEIGHT-1M: 25", date, "X-MBX-USED-WEIGHT: 25"])
    #expect(lines(.usdm, 7) == ["X-MBX-USED-WEIGHT-1M: 25", "Retry-After: 7", date])
    #expect(lines(.coinm, nil) == ["X-MBX-USED-WEIGHT-1M: 25", date])
    #expect(ServingRules.contentType(of: Array("{}".utf8)) == "application/json;charset=UTF-8")
    #expect(ServingRules.contentType(of: []) == "application/json;charset=UTF-8")
    #expect(ServingRules.contentType(of: Array("<html>".utf8)) == "text/html")
}

@Test func timeUnits() {
    for market in Market.allCases {
        let rules = ServingRules(market)
        for unit in ["MICROSECOND", "microsecond"] {
            #expect(rules.asksForMicroseconds(unit) == (market == .spot))
        }
        for unit in [nil, "", "MILLISECOND", "us"] { #expect(!rules.asksForMicroseconds(unit)) }
    }
}

@Test func dates() {
    #expect(httpDate(784_111_777_000_000) == "Sun, 06 Nov 1994 08:49:37 GMT")
    #expect(httpDate(951_782_400_000_000) == "Tue, 29 Feb 2000 00:00:00 GMT")
    #expect(httpDate(1_798_761_599_000_000) == "Thu, 31 Dec 2026 23:59:59 GMT")
}

@Test func bodies() {
    let spot = ServingRules(.spot)
    #expect(
        spot.timeBody(atUs: 1_790_000_000_123_456, isMicroseconds: false) == #"{"serverTime":1790000000123}"#)
    #expect(
        spot.timeBody(atUs: 1_790_000_000_123_456, isMicroseconds: true)
            == #"{"serverTime":1790000000123456}"#)
    func info(_ market: Market) -> String {
        ServingRules(market).exchangeInfoBody(
            symbols: ["{}", "{}"], marginAssets: ["USDT"], atUs: 5_000, isMicroseconds: false)
    }
    #expect(
        info(.spot)
            == #"{"timezone":"UTC","serverTime":5,"rateLimits":["#
            + #"{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000},"#
            + #"{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":100},"#
            + #"{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":200000},"#
            + #"{"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":300000}],"#
            + #""exchangeFilters":[],"symbols":[{},{}]}"#)
    #expect(
        info(.usdm)
            == #"{"timezone":"UTC","serverTime":5,"futuresType":"U_MARGINED","assets":["#
            + #"{"asset":"USDT","marginAvailable":true,"autoAssetExchange":"-10000"}],"rateLimits":["#
            + #"{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":2400},"#
            + #"{"rateLimitType":"ORDERS","interval":"MINUTE","intervalNum":1,"limit":1200}],"#
            + #""exchangeFilters":[],"symbols":[{},{}]}"#)
    #expect(info(.coinm).hasPrefix(#"{"timezone":"UTC","serverTime":5,"rateLimits":["#))
    // The client of this package reads the weight there.
    for market in Market.allCases {
        let read = try? ExchangeInfo(Array(info(market).utf8).span, market: market)
        #expect(read?.requestWeightPerMinute == ServingRules(market).weightMax)
    }
}

@Test func bestPrices() throws {
    var snapshot = DepthSnapshot()
    snapshot.symbol = "BTCUSD_PERP"
    snapshot.lastUpdateID = UpdateID(7)
    snapshot.transactionTimeUs = 9_000
    snapshot.scales = SymbolScales(priceDecimals: 1, quantityDecimals: 0)
    snapshot.bids.append(PriceLevel(618_046, 3))
    let prices = #""bidPrice":"61804.6","bidQty":"3","askPrice":"0.0","askQty":"0""#
    #expect(ServingRules(.spot).bestPrices(of: snapshot) == #"{"symbol":"BTCUSD_PERP",\#(prices)}"#)
    #expect(
        ServingRules(.usdm).bestPrices(of: snapshot)
            == #"{"lastUpdateId":7,"symbol":"BTCUSD_PERP",\#(prices),"time":9}"#)
    #expect(
        ServingRules(.coinm).bestPrices(of: snapshot)
            == #"{"lastUpdateId":7,"symbol":"BTCUSD_PERP","pair":"BTCUSD",\#(prices),"time":9}"#)
}

@Test func connectionsAreRefused() {
    let table: [(refusal: ConnectionRefusal, status: Int, headers: [String], json: String)] = [
        (
            .tooManyAttempts(retryAtUs: 10_500_000), 429, ["Retry-After: 11"],
            #"{"code":-1003,"msg":"Too many connection attempts."}"#
        ),
        (.tooManyStreams, 400, [], #"{"code":4,"msg":"Too many subscriptions"}"#),
        (.tooManyConnections, 503, [], "{}"), (.notConnected, 503, [], "{}"),
    ]
    for row in table {
        let answer = row.refusal.answer(atUs: 0)
        #expect(answer.status == row.status && answer.json == row.json)
        #expect(answer.headers.map { "\($0.name): \($0.value)" } == row.headers)
    }
    #expect(ServingAnswer.noService.status == 404 && ServingAnswer.overloaded.status == 503)
}

/// An id comes back as it came, whatever is in it.
@Test(arguments: ["d", "a\"b\\c", "\"\u{301}", "\\\u{200d}x", "\n\u{1}\u{1f}", "€", ""])
func idsAreEchoed(_ id: String) throws {
    let reply = ServingRules(.spot).queryReply(
        to: .text(id), status: 200, body: Array("{}".utf8), usedWeight: 1)
    guard case .object(let members) = try JSONTree(reply) else {
        Issue.record("no object")
        return
    }
    let echo = members.first { $0.name == "id" }?.value
    #expect(echo.map { "\($0)" } == "\(JSONTree.text(id))")
}

/// Over the WebSocket API a refusal itself says when to come back, as a time, and an object takes one more
/// member.
@Test func bodiesTakeMembers() {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    let refusal = ServingRules.body(
        of: RestRefusal.tooManyRequests.body, retryAfterSeconds: 60, atUs: 1_790_000_000_000_999)
    let times = #"{"serverTime":1790000000000,"retryAfter":1790000060000}"#
    #expect(text(refusal) == #"{"code":-1003,"msg":"Too many requests.","data":\#(times)}"#)
    for (body, wanted) in [("{}", #"{"a":1}"#), (#"{"b":2}"#, #"{"b":2,"a":1}"#), ("", ""), ("[]", "[]")] {
        #expect(text(ServingRules.adding("a", "1", to: Array(body.utf8))) == wanted)
    }
}

@Test func controlReplies() throws {
    func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
    #expect(text(ControlResult.done.reply(to: .integer(1))) == #"{"result":null,"id":1}"#)
    #expect(text(ControlResult.flag(true).reply(to: .null)) == #"{"result":true,"id":null}"#)
    #expect(
        text(ControlResult.streams(["a@depth", "b"]).reply(to: .text("x")))
            == #"{"result":["a@depth","b"],"id":"x"}"#)
    let refusal = ControlRefusal.tooManyStreams(.integer(2))
    #expect(text(refusal.reply(.flat)) == #"{"code":4,"msg":"Too many subscriptions","id":2}"#)
    #expect(text(refusal.reply(.nested)) == #"{"error":{"code":4,"msg":"Too many subscriptions"},"id":2}"#)
    // The client of this package reads them.
    let reply = try #require(refusal.reply(.nested))
    #expect(
        try ControlMessage(reply.span)
            == .reply(id: .integer(2), .refused(code: 4, text: "Too many subscriptions")))
    let huge = String(repeating: "x", count: 1 << 24)
    #expect(ControlResult.streams([huge]).reply(to: .null) == nil)
    #expect(ControlRefusal(code: 2, message: huge, id: .null).reply(.flat) == nil)
}
