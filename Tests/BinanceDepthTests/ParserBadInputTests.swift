// Bytes that are no message: a typed error at a byte of the message, and the next good message parses.

import Foundation
import MarketData
import TestSupport
import Testing

@testable import BinanceVenue

/// Parses the bad bytes and then a good message with the same parser; returns the error of the first.
private func refusal(_ bytes: [UInt8], _ parser: inout MessageParser) -> ParseError? {
    let answer = parser.answer(bytes, .usdm)
    if let error = answer.error {
        #expect(error.offset >= 0 && error.offset <= bytes.count)
        #expect(!error.description.isEmpty)
        #expect(parser.update.bids.count + parser.update.asks.count + parser.snapshot.bids.count == 0)
        #expect(parser.update.symbol.isEmpty && parser.snapshot.symbol.isEmpty && parser.stream == nil)
    }
    let good = SampleFrame.updates[2]
    let wanted = try? BookContents.naive(good.bytes, good.market)
    #expect(wanted != nil && parser.answer(good.bytes, good.market).book == wanted)
    return answer.error
}

private func refusal(_ text: String) -> ParseError? {
    var parser = MessageParser(levelCapacity: 4)
    return refusal(Array(text.utf8), &parser)
}

@Test("Nothing, and next to nothing")
func emptyMessages() {
    var parser = MessageParser(levelCapacity: 0)
    #expect(refusal([], &parser) == ParseError(code: .empty, offset: 0))
    #expect(throws: ParseError(code: .empty, offset: 0)) {
        try parser.parse(UnsafeBufferPointer(start: nil, count: 0), market: .spot)
    }
    for blank in [" ", "\n", "\r\n", " \t \n"] {
        #expect(refusal(Array(blank.utf8), &parser)?.code == .empty)
    }
    for byte in UInt8.min ... .max where ![0x20, 0x09, 0x0A, 0x0D].contains(byte) {
        let isOpening = byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[")
        let error = refusal([byte], &parser)
        #expect(error?.code == (isOpening ? .unexpectedEnd : .notJSON))
    }
    for text in ["null", "true", "12", "\"x\"", "}{", "][", "{]", "[}", "\u{FEFF}{}"] {
        #expect(refusal(Array(text.utf8), &parser) != nil, "\(text)")
    }
    for text in [
        "{}{}", "{} x}", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}", "{\"a\":1]}",
    ] {
        #expect(refusal(Array(text.utf8), &parser) != nil, "\(text)")
    }
}

@Test("Random bytes, bare and between brackets")
func randomBytes() {
    let seed: UInt64 = isStress ? UInt64.random(in: 0 ... .max) : 0xBAD
    print("seed \(seed)")
    var random = SeededRandom(seed: seed)
    var parser = MessageParser(levelCapacity: 4)
    let room = GuardedRoom(capacity: 4096)
    let alphabet = Array("{}[]\",:.0123456789eEuUsbapu \\".utf8)
    for round in 0..<(isStress ? 200_000 : 4000) {
        let count = random.below(round % 100 == 0 ? 4000 : 60)
        var bytes = (0..<count).map { _ in
            round % 2 == 0 ? UInt8(random.below(256)) : alphabet[random.below(alphabet.count)]
        }
        if round % 4 < 2 { bytes = Array("{".utf8) + bytes + Array("}".utf8) }
        let answer = parser.answer(room.place(bytes), .spot)
        #expect(answer.book == nil && (answer.error == nil) == (answer.kind == .other))
        if let error = answer.error, error.offset > bytes.count { Issue.record("\(error): \(bytes)") }
    }
    _ = refusal([0x7B], &parser)
}

@Test("A megabyte of openings, nesting at the limit, and messages too long")
func deepAndLong() {
    let megabyte = 1 << 20
    var parser = MessageParser(levelCapacity: 4)
    func refusal(_ text: String) -> ParseError? { BinanceDepthTests.refusal(Array(text.utf8), &parser) }
    #expect(
        refusal(String(repeating: "[", count: megabyte)) == ParseError(code: .unexpectedEnd, offset: megabyte)
    )
    #expect(refusal(String(repeating: "{\"a\":", count: megabyte / 5))?.code == .unexpectedEnd)
    #expect(refusal(String(repeating: "{\"a\":", count: megabyte / 5) + "}")?.code == .nestedTooDeep)
    #expect(refusal("{\"a\":" + String(repeating: "[", count: megabyte) + "}")?.code == .nestedTooDeep)
    #expect(refusal("{\"b\":" + String(repeating: "[", count: megabyte) + "}")?.code == .nestedTooDeep)
    #expect(refusal("{\"a" + String(repeating: "x", count: megabyte) + "}")?.code == .unexpectedEnd)
    #expect(
        refusal("{\"E\":" + String(repeating: "9", count: megabyte) + "}") == nil, "a number nobody asked for"
    )
    for depth in [30, 31, 32, 33, 34, 63, 64, 65, 66] {
        let nested =
            "{\"x\":" + String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)
            + "}"
        #expect(
            refusal(nested)?.code == (depth > JSONCursor.depthMax ? .nestedTooDeep : nil), "depth \(depth)")
    }
    let long = "{\"x\":\"" + String(repeating: "y", count: 20 * megabyte) + "\"}"
    #expect(refusal(long) == ParseError(code: .messageTooLong, offset: 0))
    let longest = "{\"x\":\"" + String(repeating: "y", count: MessageParser.messageBytesMax - 8) + "\"}"
    #expect(refusal(longest) == nil)
    #expect(refusal(longest + " ")?.code == .messageTooLong)
    let levels = "[" + String(repeating: #"["1","0"],"#, count: 400_000) + #"["1","0"]]"#
    #expect(
        refusal(#"{"lastUpdateId":1,"bids":\#(levels),"asks":[]}"#) == nil, "the most levels there can be")
}

@Test("Numbers that are none, as price and as quantity, in levels and tickers")
func badNumbers() throws {
    let numbers: [(String, ParseError.Code)] = [
        ("NaN", .digitExpected), ("nan", .digitExpected), ("Infinity", .digitExpected),
        ("-1.00", .digitExpected),
        ("+1.00", .digitExpected), ("1e2", .digitExpected), ("1.0E5", .digitExpected),
        ("01.00", .leadingZero),
        ("00", .leadingZero), (".50", .digitExpected), ("50.", .digitExpected), (".", .digitExpected),
        ("", .digitExpected), (" 1.00", .digitExpected), ("1.00 ", .digitExpected), ("1 0", .digitExpected),
        ("1,00", .digitExpected), ("1_000", .digitExpected), ("0x10", .digitExpected),
        ("1.0.0", .digitExpected),
        (String(repeating: "9", count: 40), .numberTooLarge),
        ("0." + String(repeating: "1", count: 40), .numberTooLarge),
        ("9223372036854775808", .numberTooLarge), ("99999999999999999999", .numberTooLarge),
        ("١", .digitExpected),
        ("\\u0031", .digitExpected), ("1\0", .unexpectedByte),
    ]
    for (number, code) in numbers {
        for row in [#"["\#(number)","1.00"]"#, #"["1.00","\#(number)"]"#] {
            for before in ["", #"["1.00","1.00"],["1.00","1.00"],"#] {
                let text = #"{"lastUpdateId":1,"bids":[\#(before)\#(row),["1.00","1.00"]],"asks":[]}"#
                let error = refusal(text)
                #expect(error?.code == code, "\(text)")
                let place = try #require(error?.offset)
                let first = text.utf8.count - #"],["1.00","1.00"]],"asks":[]}"#.utf8.count - row.utf8.count
                #expect(place >= first && place <= first + row.utf8.count, "\(text) at \(place)")
            }
        }
        for field in ["b", "B", "a", "A"] {
            var text = #"{"u":1,"s":"A","b":"1.00","B":"1.00","a":"1.00","A":"1.00"}"#
            text = text.replacing("\"\(field)\":\"1.00\"", with: "\"\(field)\":\"\(number)\"")
            #expect(refusal(text)?.code == code, "\(text)")
        }
    }
    #expect(
        refusal(#"{"lastUpdateId":1,"bids":[["1000000000000000000","1"]],"asks":[]}"#)?.code
            == .numberTooLarge)
    #expect(
        refusal(#"{"lastUpdateId":1,"bids":[["999999999999999999","9223372036854775807"]],"asks":[]}"#) == nil
    )
}

@Test("Levels that are none")
func badLevels() {
    let rows: [(String, ParseError.Code)] = [
        ("[]", .levelShape), (#"["1"]"#, .levelShape), (#"["1","2","3"]"#, .levelShape),
        (#"["1","2",[],[]]"#, .levelShape),
        (#"["1","2",[1]]"#, .levelShape), (#"["1","2",null]"#, .levelShape), (#"["1","2",]"#, .levelShape),
        ("[1,2]", .levelShape), (#"["1",2]"#, .levelShape), (#"[1,"2"]"#, .levelShape),
        (#"["1" "2"]"#, .levelShape),
        ("null", .levelShape), (#""1""#, .levelShape), (#"{"1":"2"}"#, .levelShape), ("1", .levelShape),
        (#"[["1","2"]]"#, .levelShape), (#"["1",null]"#, .levelShape), (#"["1",["2"]]"#, .levelShape),
    ]
    for (row, code) in rows {
        for side in ["[\(row)]", #"[["1","2"],\#(row)]"#, #"[\#(row),["1","2"]]"#] {
            for text in [
                #"{"lastUpdateId":1,"bids":\#(side),"asks":[]}"#,
                #"{"lastUpdateId":1,"bids":[],"asks":\#(side)}"#,
            ] {
                let found = refusal(text)?.code
                #expect(found == code || found == .unexpectedByte, "\(text): \(String(describing: found))")
            }
        }
    }
    for side in [
        #"["1","2"]"#, #"[["1","2"],]"#, #"[["1","2"]["1","2"]]"#, "{}", "null", "\"\"", "1", "true", "[,]",
    ] {
        #expect(refusal(#"{"lastUpdateId":1,"bids":\#(side),"asks":[]}"#) != nil, "\(side)")
        #expect(
            refusal(#"{"e":"depthUpdate","s":"A","U":1,"u":1,"pu":1,"b":[],"a":\#(side)}"#) != nil, "\(side)")
    }
}
