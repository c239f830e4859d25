// What each kind of message becomes, on every path and with every kernel.

import MarketData
import Testing

@testable import BinanceDepth

/// The same message read with and without kernel, with and without readable bytes behind it.
func parseEveryWay(_ text: String, _ market: Market) -> Outcome {
    let bytes = Array(text.utf8)
    var reference = ParserUnderTest(after: 0, usesKernel: false)
    let expected = reference.parse(bytes, market)
    for after in [0, 16, 79, 80, 128] {
        for poison in [#"],["1.0","2.0"]]}}"#, "0", "\"", "\u{0}"] {
            var other = ParserUnderTest(after: after, poison: poison)
            let outcome = other.parse(bytes, market)
            #expect(outcome == expected, "\(after) bytes of \(poison) behind \(text)")
        }
    }
    return expected
}

private func expectSame(_ text: String, _ other: String, _ market: Market) {
    let outcome = parseEveryWay(text, market)
    #expect(outcome.parsed != nil, "\(text): \(outcome)")
    let expected = parseEveryWay(other, market)
    var withoutPlace = outcome.parsed
    withoutPlace?.reply = expected.parsed?.reply
    #expect(withoutPlace == expected.parsed, "\(text)")
}

@Suite struct MessageParserTests {
    @Test func spotDiff() {
        let parsed = Parsed(
            kind: .depthUpdate, stream: "nexousdt@depth@100ms", symbol: "NEXOUSDT",
            ids: [134_180_600, 134_180_602],
            eventTimeUs: 1_721_749_183_710_000, scales: SymbolScales(priceDecimals: 8, quantityDecimals: 8),
            bids: [PriceLevel(118_800_000, 16_966_000_000)],
            asks: [PriceLevel(121_600_000, 0), PriceLevel(121_700_000, 385_993_000_000)])
        #expect(parseEveryWay(Frames.spotDiff, .spot) == .parsed(parsed))
    }

    @Test func futuresDiffs() {
        let usdm = Parsed(
            kind: .depthUpdate, stream: "btcusdt@depth@100ms", symbol: "BTCUSDT",
            ids: [429_012_285_135, 429_012_285_724, 429_012_282_643],
            eventTimeUs: 1_789_469_123_020_000, transactionTimeUs: 1_789_469_122_959_000,
            scales: SymbolScales(priceDecimals: 2, quantityDecimals: 4),
            bids: [PriceLevel(7_309_990, 20), PriceLevel(7_694_990, 129)])
        #expect(parseEveryWay(Frames.usdmDiff, .usdm) == .parsed(usdm))
        let coinm = Parsed(
            kind: .depthUpdate, symbol: "BTCUSD_210625",
            ids: [127_531_213_607, 127_531_214_406, 127_531_213_513],
            eventTimeUs: 1_622_368_000_245_000, transactionTimeUs: 1_622_368_000_234_000,
            scales: SymbolScales(priceDecimals: 1, quantityDecimals: 0),
            bids: [PriceLevel(359_438, 60), PriceLevel(359_652, 896)],
            asks: [PriceLevel(360_383, 9), PriceLevel(360_384, 21)])
        #expect(parseEveryWay(Frames.coinmDiff, .coinm) == .parsed(coinm))
    }

    @Test func partialDepth() {
        let spot = Parsed(
            kind: .partialDepth, stream: "ethusdt@depth20", symbol: "ETHUSDT", ids: [17_044_571_457],
            scales: SymbolScales(priceDecimals: 8, quantityDecimals: 8),
            bids: [PriceLevel(178_200_000_000, 648_300_000)],
            asks: [PriceLevel(178_201_000_000, 1_546_080_000)])
        #expect(parseEveryWay(Frames.spotPartial, .spot) == .parsed(spot))
        let usdm = Parsed(
            kind: .partialDepth, stream: "ethusdt_220624@depth20", symbol: "ETHUSDT_220624",
            ids: [1_555_027_698_095],
            eventTimeUs: 1_653_864_801_536_000, transactionTimeUs: 1_653_864_801_453_000,
            scales: SymbolScales(priceDecimals: 2, quantityDecimals: 3),
            bids: [PriceLevel(181_759, 246)], asks: [PriceLevel(181_798, 704)])
        #expect(parseEveryWay(Frames.usdmPartial, .usdm) == .parsed(usdm))
    }

    @Test(arguments: [
        ("depth", MessageKind.depthUpdate), ("depth@100ms", .depthUpdate), ("depth@0ms", .depthUpdate),
        ("depth5", .partialDepth), ("depth10@500ms", .partialDepth), ("depth20", .partialDepth),
        ("rpiDepth@500ms", .other), ("somethingElse", .depthUpdate), ("", .depthUpdate),
    ]) func theStreamNameTellsDiffsFromPartialDepth(suffix: String, kind: MessageKind) {
        let text = Frames.usdmDiff.replacing("@depth@100ms", with: suffix.isEmpty ? "" : "@" + suffix)
        #expect(parseEveryWay(text, .usdm).parsed?.kind == kind)
        #expect(parseEveryWay(text.replacing(",", with: " , "), .usdm).parsed?.kind == kind)
    }

    @Test func aRawPartialDepthOfFuturesIsTakenForADiff() {
        let raw = String(
            Frames.usdmPartial.dropFirst(#"{"stream":"ethusdt_220624@depth20","data":"#.count).dropLast())
        #expect(parseEveryWay(raw, .usdm).parsed?.kind == .depthUpdate)
    }

    @Test func bookTickers() {
        let spot = parseEveryWay(Frames.spotTicker, .spot).parsed
        #expect(
            spot
                == Parsed(
                    kind: .bookTicker, stream: "btcusdt@bookTicker", symbol: "BTCUSDT",
                    ids: [100_530_416_204],
                    scales: SymbolScales(priceDecimals: 8, quantityDecimals: 8),
                    bids: [PriceLevel(8_670_477_000_000, 467_811_000)],
                    asks: [PriceLevel(8_670_478_000_000, 73_337_000)]))
        let usdm = parseEveryWay(Frames.usdmTicker, .usdm).parsed
        #expect(usdm?.kind == .bookTicker && usdm?.symbol == "BTCUSDT" && usdm?.ids == [429_012_292_786])
        #expect(
            usdm?.transactionTimeUs == 1_789_469_123_634_000 && usdm?.eventTimeUs == 1_789_469_123_635_000)
        #expect(
            usdm?.bids == [PriceLevel(7_694_990, 129)] && usdm?.asks == [PriceLevel(7_696_830, 9_940_223)])
        let coinm = parseEveryWay(Frames.coinmTicker, .coinm).parsed
        #expect(coinm?.scales == SymbolScales(priceDecimals: 1, quantityDecimals: 0))
        #expect(coinm?.bids == [PriceLevel(618_047, 35)] && coinm?.asks == [PriceLevel(618_048, 1645)])
    }

    @Test func aTickerWithAnEmptySide() {
        let text = Frames.usdmTicker.replacing(#""76949.90","B":"0.0129""#, with: #""0","B":"0""#)
        let parsed = parseEveryWay(text, .usdm).parsed
        #expect(parsed?.scales == SymbolScales(priceDecimals: 2, quantityDecimals: 4))
        #expect(parsed?.bids == [PriceLevel(0, 0)])
    }

    @Test func snapshots() {
        let parsed = parseEveryWay(Frames.coinmRest, .coinm).parsed
        #expect(
            parsed?.kind == .depthSnapshot && parsed?.symbol == "BTCUSD_PERP"
                && parsed?.ids == [1_007_198_635_033])
        #expect(parsed?.bids == [PriceLevel(618_047, 35), PriceLevel(618_020, 8)])
        var parser = ParserUnderTest()
        #expect(parser.parseSnapshot(Frames.coinmRest).parsed == parsed)
        #expect(
            parser.parseSnapshot("\n" + Frames.coinmRest.replacing(":", with: " : ") + " \r\n").parsed
                == parsed)
        let body = #"{"lastUpdateId": 160, "bids": [], "asks": []}"#
        #expect(parser.parseSnapshot(body).parsed == Parsed(kind: .depthSnapshot, ids: [160]))
        #expect(parser.parse(body).parsed == Parsed(kind: .depthSnapshot, ids: [160]))
        #expect(
            parser.parseSnapshot(#"{"code":-1121,"msg":"Invalid symbol."}"#).refusal?.code == .fieldMissing)
    }

    @Test func aWebSocketAPIResultIsASnapshotWithAnID() {
        var parser = ParserUnderTest()
        let parsed = parser.parse(Frames.apiResult).parsed
        #expect(parsed?.kind == .depthSnapshot && parsed?.ids == [7010])
        #expect(parsed?.bids == [PriceLevel(81210, 34120)] && parsed?.asks == [])
        #expect(parser.parser.reply.id == .text(7..<9) && !parser.parser.reply.isError)
    }

    @Test(arguments: [
        (#"{"result":null,"id":1}"#, ControlReply.ID.integer(1), false, Int64(0)),
        (#"{"result":["a@depth"],"id":null}"#, .null, false, 0),
        (#"{"id":"abc","result":true}"#, .text(7..<10), false, 0),
        (#"{"result":null,"error":null,"id":-9223372036854775807}"#, .integer(-.max), false, 0),
        (#"{"code":2,"msg":"Invalid request: \"x\"","id":3}"#, .integer(3), true, 2),
        (#"{"error":{"code":2,"msg":"bad","data":"x@trade"},"id":1}"#, .integer(1), true, 2),
        (#"{"id":"d1","status":429,"error":{"code":-1003,"msg":"…"}}"#, .text(7..<9), true, -1003),
        (#"{"code":-1121,"msg":"Invalid symbol."}"#, .absent, true, -1121),
    ]) func replies(text: String, id: ControlReply.ID, isError: Bool, code: Int64) {
        let reply = parseEveryWay(text, .spot).parsed
        #expect(reply?.kind == (isError ? .errorReply : .controlReply))
        #expect(reply?.reply?.id == id && reply?.reply?.isError == isError && reply?.reply?.code == code)
        let message = reply?.reply?.text.map { String(decoding: Array(text.utf8)[$0], as: UTF8.self) }
        #expect((message != nil) == isError)
    }

    @Test(arguments: [
        Frames.shutdown, #"{"e":"serverShutdown","E":1790000000000}"#,
        #"{"event":{"e":"serverShutdown","E":1790000000000}}"#,
    ]) func shutdowns(text: String) { #expect(parseEveryWay(text, .spot).parsed?.kind == .serverShutdown) }

    @Test(arguments: [
        Frames.trade, "[]", " [1,2] ", "{}", #"{"serverTime":1790000000000}"#,
        #"{"e":"kline","k":{"t":[{}]}}"#,
        #"{"stream":"!ticker@arr","data":[{"e":"24hrTicker"}]}"#, #"{"E":1,"e":"aggTrade"}"#, #"{"e":5}"#,
        #"{"stream":"btcusdt@trade","data":{"e":"trade","E":1}}"#, #"{"id":1}"#, #"{"u":1,"s":"X"}"#,
        #"[0,{"a":[["58810.30000","2.00000000","1617666423.714230"]]},"book-1000","XBT/USD"]"#,
        #"{"arg":{"channel":"books"},"action":"update","data":[]}"#, #"{"e":"depthUpdatf","u":1}"#,
    ]) func anythingElseIsOther(text: String) { #expect(parseEveryWay(text, .spot).parsed?.kind == .other) }

    // MARK: - Shapes the venue may send

    @Test func fieldsInAnyOrderAndUnknownOnes() {
        for (text, market) in Frames.all where text != Frames.trade {
            expectSame(text.replacing(#"":"#, with: "\" :\t"), text, market)
            expectSame("\r\n" + text + "\n\n", text, market)
        }
        expectSame(
            #"{"data":{"a":[["1.21600000","0.00000000"],["1.21700000","3859.93000000"]],"x":{"u":[1,{"U":"}"}]},"b":[["1.18800000","169.66000000"]],"u":134180602,"st":1,"U":134180600,"s":"NEXOUSDT","E":1721749183710,"e":"depthUpdate"},"stream":"nexousdt@depth@100ms"}"#,
            Frames.spotDiff, .spot)
        expectSame(
            Frames.spotDiff.replacing(
                #""u":134180602"#, with: #""u":134180602,"note":"\u00e9\\\"\/\b","z":-1.5e+3,"pu":7"#),
            Frames.spotDiff, .spot)
        expectSame(
            Frames.usdmTicker.replacing(#""st":1"#, with: #""new":[null,true]"#), Frames.usdmTicker, .usdm)
    }

    @Test(arguments: [
        (Int64(1_790_000_000_100), Int64(1_790_000_000_100_000)),
        (1_790_000_000_100_250, 1_790_000_000_100_250),
    ])
    func timesInBothUnits(onWire: Int64, expectedUs: Int64) {
        let text = Frames.spotDiff.replacing("1721749183710", with: "\(onWire)")
        #expect(parseEveryWay(text, .spot).parsed?.eventTimeUs == expectedUs)
        #expect(parseEveryWay(text.replacing(",", with: ", "), .spot).parsed?.eventTimeUs == expectedUs)
    }

    @Test func symbolsInAnyScript() {
        let text = Frames.spotDiff.replacing("nexousdt", with: "币安人生usdt").replacing(
            "NEXOUSDT", with: "币安人生USDT")
        #expect(parseEveryWay(text, .spot).parsed?.symbol == "币安人生USDT")
        let partial = Frames.spotPartial.replacing("ethusdt", with: "币安é人生usdt_x-1")
        #expect(parseEveryWay(partial, .spot).parsed?.symbol == "币安é人生USDT_X-1")
        let long = String(repeating: "X", count: SymbolName.lengthMax)
        #expect(
            parseEveryWay(Frames.coinmDiff.replacing("BTCUSD_210625", with: long), .coinm).parsed?.symbol
                == long)
    }

    @Test func theThirdElementOfOldLevels() {
        let parsed = parseEveryWay(Frames.oldDiff, .spot).parsed
        #expect(parsed?.bids == [PriceLevel(5_383_600, 0), PriceLevel(5_382_000, 1_010_900_000)])
        expectSame(Frames.oldDiff.replacing(",[]", with: " , [ ] "), Frames.oldDiff, .spot)
    }
}
