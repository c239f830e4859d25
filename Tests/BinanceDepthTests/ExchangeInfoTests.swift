// The list of symbols: what is taken of it, what is passed over, and what is refused.

import MarketData
import TestSupport
import Testing

@testable import BinanceVenue

struct ExchangeInfoTests {
    static func read(_ text: String, _ market: Market = .spot) throws(ParseError) -> ExchangeInfo {
        try ExchangeInfo(Array(text.utf8).span, market: market)
    }

    static let spot = """
        {"timezone":"UTC","serverTime":1790000000000,
         "rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000}],
         "exchangeFilters":[],
         "symbols":[{"symbol":"PEPEUSDT","status":"TRADING",
           "baseAsset":"PEPE","baseAssetPrecision":2,"quoteAsset":"USDT","quotePrecision":8,
           "orderTypes":["LIMIT"],"pegInstructionsAllowed":true,
           "filters":[
            {"filterType":"PRICE_FILTER","minPrice":"0.00000001","maxPrice":"0.10000000","tickSize":"0.00000001"},
            {"filterType":"MARKET_LOT_SIZE","minQty":"0.0","stepSize":"7.0"},
            {"stepSize":"1.00","filterType":"LOT_SIZE","minQty":"1.00"}]},
          {"symbol":"这是测试币456","status":"CANCEL_ONLY","baseAsset":"这是测试币","quoteAsset":"456",
           "filters":[{"filterType":"PRICE_FILTER","tickSize":"0.00000000"}]}]}
        """

    @Test func spotFields() throws {
        let info = try Self.read(Self.spot)
        #expect(info.unusableCount == 0 && info.symbols.count == 2)
        #expect(info.requestWeightPerMinute == 6000)
        let pepe = info.symbols[0]
        #expect(pepe.symbol == SymbolName("PEPEUSDT") && pepe.market == .spot && pepe.isTrading)
        #expect(pepe.tickSize == "0.00000001" && pepe.stepSize == "1.00")
        #expect(pepe.baseAsset == "PEPE" && pepe.quoteAsset == "USDT" && pepe.contractType == nil)
        let test = info.symbols[1]
        #expect(test.symbol == SymbolName("这是测试币456") && !test.isTrading && test.baseAsset == "这是测试币")
        #expect(test.tickSize == nil && test.stepSize == nil)
    }

    @Test func futuresFields() throws {
        let usdm = try Self.read(
            #"{"symbols":[{"symbol":"BTCUSDT_261225","status":"TRADING","contractType":"CURRENT_QUARTER"}]}"#,
            .usdm)
        #expect(usdm.symbols[0].contractType == "CURRENT_QUARTER" && usdm.symbols[0].isTrading)
        let coinm = try Self.read(
            #"{"symbols":[{"symbol":"BTCUSD_PERP","contractStatus":"TRADING","contractType":"PERPETUAL"}]}"#,
            .coinm)
        #expect(coinm.symbols[0].isTrading && coinm.symbols[0].market == .coinm)
    }

    /// What is no limit of weight in one minute does not count; of several, the smallest does.
    @Test(
        arguments: [
            (#"{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","limit":2400}"#, 2400),
            (
                #"{"limit":1200,"interval":"MINUTE","new":[{}],"intervalNum":1,"rateLimitType":"REQUEST_WEIGHT"}"#,
                1200
            ),
            (
                #"{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","limit":9},"#
                    + #"{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","limit":7}"#, 7
            ),
            (#"{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":5,"limit":2400}"#, nil),
            (#"{"rateLimitType":"REQUEST_WEIGHT","interval":"SECOND","limit":2400}"#, nil),
            (#"{"rateLimitType":"ORDERS","interval":"MINUTE","limit":2400}"#, nil),
            (#"{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","limit":"2400"}"#, nil),
            (#"{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","limit":-2400}"#, nil),
            (#"{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","limit":2.4}"#, nil),
            (#"{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","limit":99999999999999999999}"#, nil),
            (#"{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":{},"limit":[1]}"#, nil),
            (#"{"rateLimitType":7,"interval":null}"#, nil), (#"7,"x",null,[],{}"#, nil), ("", nil),
        ] as [(String, Int?)])
    func limits(_ elements: String, _ expected: Int?) throws {
        let info = try Self.read("{\"rateLimits\":[\(elements)],\"symbols\":[]}")
        #expect(info.requestWeightPerMinute == expected)
        #expect(try Self.read(#"{"rateLimits":{},"symbols":[]}"#).requestWeightPerMinute == nil)
    }

    @Test func whatIsStrangeIsPassedOver() throws {
        let long = String(repeating: "X", count: 48)
        let info = try Self.read(
            """
            {"symbols":[7,"x",null,[],{},{"symbol":""},{"symbol":9},{"symbol":"\(long)"},{"symbol":"A\\u0042"},
            {"symbol":"GOOD","status":null,"filters":{"a":1},"baseAsset":["x"],"quoteAsset":3,"new":{"a":[{}]}},
            {"symbol":"ALSO","status":"A_NEW_ONE","filters":[1,{},{"filterType":5,"tickSize":"1"},
            {"filterType":"PRICE_FILTER","tickSize":9},{"filterType":"LOT_SIZE"}]}]}
            """)
        #expect(info.unusableCount == 9)
        #expect(info.symbols.map { "\($0.symbol)" } == ["GOOD", "ALSO"])
        #expect(info.symbols.allSatisfy { !$0.isTrading && $0.tickSize == nil && $0.stepSize == nil })
        #expect(info.symbols[1].status == "A_NEW_ONE")
        #expect(try Self.read(#"{"symbols":[]}"#).symbols.isEmpty)
    }

    @Test func whatIsWrongIsRefusedWithItsPlace() {
        #expect(throws: ParseError(code: .empty, offset: 0)) { try Self.read("") }
        #expect(throws: ParseError(code: .notJSON, offset: 0)) { try Self.read("<html>") }
        #expect(throws: ParseError(code: .fieldMissing, offset: 0)) { try Self.read("{}") }
        #expect(throws: ParseError(code: .fieldType, offset: 11)) { try Self.read(#"{"symbols":{}}"#) }
        #expect(throws: ParseError(code: .fieldType, offset: 0)) { try Self.read("[]") }
        #expect(throws: ParseError(code: .unexpectedByte, offset: 13)) { try Self.read(#"{"symbols":[{]}"#) }
        #expect(throws: ParseError(code: .trailingBytes, offset: 14)) { try Self.read(#"{"symbols":[]}}"#) }
    }

    /// Of the symbols that are wanted, and of what stands around them, the words stay as they were.
    @Test func wordsAreKept() throws {
        let info = try ExchangeInfo(Array(Self.spot.utf8).span, market: .spot, keeping: ["PEPEUSDT", "NONE"])
        let plain = try Self.read(Self.spot)
        #expect(info.symbols == plain.symbols && plain.texts == ListTexts())
        #expect(info.texts.symbols.count == 1)
        let words = String(decoding: info.texts.symbols["PEPEUSDT"] ?? [], as: UTF8.self)
        #expect(words.hasPrefix("{\"symbol\":\"PEPEUSDT\"") && words.hasSuffix("\"minQty\":\"1.00\"}]}"))
        #expect(Self.spot.contains(words) && words.contains("\"orderTypes\":[\"LIMIT\"]"))
        let members = info.texts.members.map { "\($0.name)=\(String(decoding: $0.value, as: UTF8.self))" }
        #expect(
            members == [
                "timezone=\"UTC\"", "serverTime=",
                "rateLimits=[{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\","
                    + "\"intervalNum\":1,\"limit\":6000}]", "exchangeFilters=[]", "symbols=",
            ])
    }

    /// What is longer than anything a venue says is left out, and so is what comes twice or never ends.
    @Test func wordsAreBounded() throws {
        let long = String(repeating: "x", count: ListTexts.symbolBytesMax)
        let huge = String(repeating: "y", count: ListTexts.memberBytesMax)
        let many = (0..<100).map { "\"m\($0)\":\($0)," }.joined()
        let name = String(repeating: "n", count: 65)
        let text =
            "{\"a\":1,\"a\":2,\"b\":\"\(huge)\",\"\(name)\":3,\(many)\"symbols\":"
            + "[{\"symbol\":\"LONG\",\"x\":\"\(long)\"},{\"symbol\":\"S\"}]}"
        let info = try ExchangeInfo(Array(text.utf8).span, market: .spot, keeping: ["LONG", "S"])
        #expect(info.texts.symbols == ["S": Array("{\"symbol\":\"S\"}".utf8)])
        #expect(info.texts.members.count == ListTexts.memberCountMax)
        #expect(info.texts.members.prefix(2).map(\.name) == ["a", "m0"])
        #expect(info.texts.members[0].value == [0x31])
    }

    @Test func damage() {
        let bytes = Array(Self.spot.utf8)
        for count in 0..<bytes.count {
            #expect(throws: ParseError.self) {
                try ExchangeInfo(bytes.span.extracting(first: count), market: .spot)
            }
        }
        for place in bytes.indices {
            for value in [0, 0x22, 0x5C, 0x7B, 0x7D, 0x5B, 0x5D, 0x2C, 0x3A, 0x31, 0x80, 0xFF] as [UInt8] {
                var changed = bytes
                changed[place] = value
                _ = try? ExchangeInfo(changed.span, market: .spot)
            }
        }
    }

    /// A body of 20 MB, in the time a start may take.
    @Test func twentyMegabytes() throws {
        let start = Self.spot.firstRange(of: "{\"symbol\"")!.lowerBound
        let end = Self.spot.firstRange(of: ",\n  {\"symbol\":\"这")!.lowerBound
        let entry = String(Self.spot[start..<end])
        let orders = (0..<400).map { "\"ORDER_TYPE_NUMBER_\($0)\"" }.joined(separator: ",")
        let big = entry.replacing("\"LIMIT\"", with: orders)
        let count = 20_000_000 / big.utf8.count + 1
        let body = Array(
            "{\"symbols\":[\([String](repeating: big, count: count).joined(separator: ","))]}".utf8)
        #expect(body.count > 20_000_000)
        let clock = ContinuousClock()
        let begin = clock.now
        let info = try ExchangeInfo(body.span, market: .spot)
        let elapsed = clock.now - begin
        #expect(info.symbols.count == count)
        #if !DEBUG
            #expect(elapsed < .milliseconds(500), "\(elapsed)")
        #else
            #expect(elapsed < .seconds(20), "\(elapsed)")
        #endif
    }
}
