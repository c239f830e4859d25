// What is refused, why, and where. Every refusal is the same with and without kernel and readable bytes.

import MarketData
import Testing

@testable import BinanceDepth

@Suite struct ParserRefusalTests {
    private func expect(
        _ text: String, _ code: ParseError.Code, at offset: Int? = nil, _ market: Market = .spot,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let refusal = parseEveryWay(text, market).refusal
        #expect(refusal?.code == code, "\(text.prefix(300))", sourceLocation: location)
        if let offset { #expect(refusal?.offset == offset, "\(text.prefix(300))", sourceLocation: location) }
    }

    /// A spot diff with these levels as bids.
    private func diff(_ bids: String) -> String {
        #"{"e":"depthUpdate","E":1,"s":"X","U":1,"u":2,"b":["# + bids + #"],"a":[["1.5","2.5"]]}"#
    }
    private let levelsAt = #"{"e":"depthUpdate","E":1,"s":"X","U":1,"u":2,"b":["#.utf8.count

    @Test func whatIsNoMessage() {
        expect("", .empty, at: 0)
        expect(" \r\n\t", .empty, at: 0)
        expect("\u{0}\u{1}\u{2}ELF", .notJSON, at: 0)
        expect("NaN", .notJSON, at: 0)
        expect("123", .notJSON, at: 0)
        expect(" \"text\"", .notJSON, at: 1)
        expect("{", .unexpectedEnd, at: 1)
        expect(#"{"e":"trade"]"#, .unexpectedEnd)
        expect("{]}", .unexpectedByte, at: 1)
        expect(#"{"a" 1}"#, .unexpectedByte, at: 5)
        expect(#"{"a":1,}"#, .unexpectedByte, at: 7)
        expect(#"{a:1}"#, .unexpectedByte, at: 1)
        expect(#"{"result":null,"id":1}}"#, .trailingBytes, at: 22)
        expect(#"{"x":nul}"#, .unexpectedByte)
        expect(#"{"x":"\x"}"#, .unexpectedByte)
        expect(#"{"x":"\u12G4"}"#, .unexpectedByte)
        expect("{\"x\":\"a\nb\"}", .unexpectedByte, at: 7)
        expect(#"{"x":01}"#, .unexpectedByte, at: 6)
        expect(#"{"x":1.}"#, .unexpectedByte)
        expect(#"{"x":+1}"#, .unexpectedByte)
    }

    @Test func depthAndLength() {
        var parser = ParserUnderTest(after: 0, byteCount: MessageParser.messageBytesMax + 4096)
        #expect(parser.parse(String(repeating: "[", count: 1 << 20)).refusal?.code == .unexpectedEnd)
        let deep = #"{"x":"# + String(repeating: "[", count: 1 << 20)
        #expect(parser.parse(deep + "}").refusal == ParseError(code: .nestedTooDeep, offset: 5 + 33))
        let objects = String(repeating: #"{"x":"#, count: 100) + "1" + String(repeating: "}", count: 100)
        #expect(parser.parse(objects).refusal?.code == .nestedTooDeep)
        let limit = #"{"x":"# + String(repeating: "[", count: 32) + String(repeating: "]", count: 32) + "}"
        #expect(parser.parse(limit).parsed?.kind == .other)
        let long = #"{"x":""# + String(repeating: "y", count: MessageParser.messageBytesMax) + "\"}"
        #expect(parser.parse(long).refusal == ParseError(code: .messageTooLong, offset: 0))
    }

    @Test(arguments: ["s", "U", "u", "b", "a", "pu"]) func missingFields(key: String) {
        let absent = Frames.usdmDiff.replacing("\"\(key)\":", with: "\"\(key)x\":")
        expect(absent, .fieldMissing, at: key == "s" ? 39 : 39, .usdm)
        // What futures need, spot has not.
        if key == "pu" { #expect(parseEveryWay(absent, .spot).parsed?.kind == .depthUpdate) }
    }

    @Test func missingFieldsOfOthers() {
        expect(#"{"stream":"x@depth"}"#, .fieldMissing, at: 0)
        expect(#"{"lastUpdateId":1,"bids":[]}"#, .fieldMissing, at: 0)
        for key in ["u", "s", "b", "B", "a", "A"] {
            expect(
                Frames.usdmTicker.replacing("\"\(key)\":", with: "\"\(key)x\":"), .fieldMissing, at: 0, .usdm)
        }
        expect(#"{"error":{"msg":"x"},"id":1}"#, .fieldMissing)
    }

    @Test(arguments: ["s", "U", "u", "b", "a", "E", "e"]) func fieldsTwice(key: String) {
        let range = Frames.spotDiff.range(of: "\"\(key)\":")!
        let twice = Frames.spotDiff.replacingCharacters(in: range, with: "\"\(key)\":0,\"\(key)\":")
        expect(twice, .fieldTwice)
    }

    @Test func fieldsOfOtherTypes() {
        expect(Frames.spotDiff.replacing(#""s":"NEXOUSDT""#, with: #""s":5"#), .fieldType)
        expect(Frames.spotDiff.replacing(#""b":["#, with: #""b":{},"c":["#), .fieldType)
        expect(#"{"stream":5,"data":{}}"#, .fieldType)
        expect(Frames.spotTicker.replacing(#""B":"4.67811000""#, with: #""B":4.67811000"#), .fieldType)
    }

    @Test(arguments: [
        ("-1", ParseError.Code.digitExpected), ("1.5", .fieldType), ("1e3", .fieldType),
        ("\"1\"", .digitExpected),
        ("null", .digitExpected), ("9223372036854775808", .numberTooLarge),
        ("99999999999999999999", .numberTooLarge),
    ]) func ids(text: String, code: ParseError.Code) {
        expect(Frames.spotDiff.replacing("134180602", with: text), code)
        expect(Frames.spotTicker.replacing("100530416204", with: text), code)
    }

    @Test func idsOfAllLengths() {
        for digits in 1...19 {
            let last = String("9223372036854775807".prefix(digits))
            let text = Frames.spotDiff.replacing("134180602", with: last).replacing("134180600", with: "0")
            #expect(parseEveryWay(text, .spot).parsed?.ids == [0, Int64(last)!])
        }
        expect(Frames.spotDiff.replacing("134180600", with: "134180603"), .idsDecrease)
        expect(Frames.spotDiff.replacing("134180602", with: "0134180602"), .unexpectedByte)
    }

    @Test func names() {
        let long = String(repeating: "X", count: SymbolName.lengthMax + 1)
        expect(Frames.spotDiff.replacing("NEXOUSDT", with: long), .badName)
        expect(Frames.spotDiff.replacing("NEXOUSDT", with: ""), .badName)
        expect(Frames.spotDiff.replacing("NEXOUSDT", with: #"NEXO\u0055"#), .badName)
        expect(Frames.spotDiff.replacing("nexousdt", with: #"nexo\u0075"#), .badName)
        expect(Frames.spotPartial.replacing("ethusdt@", with: "@"), .badName)
    }

    @Test(arguments: [
        ("", ParseError.Code.digitExpected), ("-1.0", .digitExpected), ("+1.0", .digitExpected),
        (" 1.0", .digitExpected), ("1.0 ", .digitExpected), ("1.", .digitExpected), (".5", .digitExpected),
        ("1.0e1", .digitExpected), ("1,0", .digitExpected), ("NaN", .digitExpected),
        ("Infinity", .digitExpected),
        ("1.0.0", .digitExpected), ("0x10", .digitExpected), ("\\u0031.0", .digitExpected),
        ("01.0", .leadingZero),
        ("00", .leadingZero), ("9223372036854775808", .numberTooLarge),
        ("9223372036854775.808", .numberTooLarge),
        ("1234567890123456789012345678901234567890", .numberTooLarge),
        ("12345678901234567890.5", .numberTooLarge),
        ("1000000000000000000", .numberTooLarge), ("99999999999.99999999", .numberTooLarge),
    ]) func badPrices(price: String, code: ParseError.Code) {
        expect(diff("[\"\(price)\",\"2.0\"]"), code)
        expect(diff("[\"1.0\",\"2.0\"],[\"1.1\",\"2.0\"],[\"\(price)\",\"2.0\"]"), code)
        // A quantity may be larger than a price: up to Int64.max.
        if !["1000000000000000000", "9223372036854775.808"].contains(price) {
            expect(diff("[\"1.0\",\"\(price)\"]"), code)
        }
    }

    @Test(arguments: [
        "[]", "[\"1.0\"]", "[\"1.0\",\"2.0\",\"3.0\"]", "[\"1.0\",\"2.0\",[1]]", "[\"1.0\",\"2.0\",[],[]]",
        "[1.0,\"2.0\"]", "[\"1.0\",2.0]", "\"1.0\",\"2.0\"", "{\"1.0\":\"2.0\"}", "[[\"1.0\",\"2.0\"]]",
        "null",
        "[\"1.0\" \"2.0\"]", "[\"1.0\",\"2.0\"",
    ]) func shapesOfLevels(level: String) {
        let refusal = parseEveryWay(diff(level), .spot).refusal
        let later = parseEveryWay(diff("[\"3.0\",\"1.0\"],[\"2.0\",\"1.0\"]," + level), .spot).refusal
        #expect(refusal != nil && later != nil)
        let shapes: [ParseError.Code] = [.levelShape, .unexpectedByte, .unexpectedEnd]
        #expect(shapes.contains(refusal!.code) && shapes.contains(later!.code), "\(refusal!) \(later!)")
    }

    @Test func offsetsOfLevels() {
        expect(diff(#"["1.0","2.0"],["1.x","2.0"]"#), .digitExpected, at: levelsAt + 18)
        expect(diff(#"["1.0","2.0"],["1.05","2.0"]"#), .decimalsDiffer, at: levelsAt + 14)
        expect(diff(#"["1.0","2.0"],["1.0","2.05"]"#), .decimalsDiffer, at: levelsAt + 14)
        expect(diff(#"["1.0","2.0"],["1","2.0"]"#), .decimalsDiffer, at: levelsAt + 14)
        expect(diff(#"["1.00","2.0"]"#), .decimalsDiffer)
    }

    @Test func aZeroMayBePrintedWithAnyDecimals() {
        let zeros = parseEveryWay(diff(#"["1.0","0"],["1.1","0.000"],["1.2","0.0"]"#), .spot).parsed
        #expect(zeros?.scales == SymbolScales(priceDecimals: 1, quantityDecimals: 1))
        #expect(zeros?.bids.map(\.quantity.mantissa) == [0, 0, 0])
        let late = parseEveryWay(diff(#"["1.0","0"],["1.1","2.5"],["1.2","0"],["1.3","0.00000"]"#), .spot)
            .parsed
        #expect(late?.scales == SymbolScales(priceDecimals: 1, quantityDecimals: 1))
        #expect(late?.bids.map(\.quantity.mantissa) == [0, 25, 0, 0])
        expect(diff(#"["1.0","0.00"],["1.1","2.50"]"#), .decimalsDiffer)
        let only = diff(#"["1.0","0"],["1.1","0"]"#).replacing(#"["1.5","2.5"]"#, with: #"["1.5","0"]"#)
        #expect(
            parseEveryWay(only, .spot).parsed?.scales == SymbolScales(priceDecimals: 1, quantityDecimals: 0))
    }

    @Test func numbersAtTheirLimits() {
        let largest =
            #"["999999999.999999999","9.223372036854775807"],["0.000000001","0.000000000000000000"]"#
        let text = diff(largest).replacing(#"["1.5","2.5"]"#, with: "")
        let parsed = parseEveryWay(text, .spot).parsed
        #expect(parsed?.bids == [PriceLevel(Price.mantissaMax, .max), PriceLevel(1, 0)])
        let saturated = parseEveryWay(diff(#"["1.0","922337203685477580.7"]"#), .spot).parsed
        #expect(saturated?.bids == [PriceLevel(10, .max)])
    }
}
