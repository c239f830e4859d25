// What a server adds to an update: how far its own book is proven.

import MarketData
import TestSupport
import Testing

@testable import BinanceVenue

/// An update of a market, with levels or without, and with these members behind its own.
private func text(_ market: Market, _ members: String, stream: String? = nil, levels: Bool = true) -> String {
    let ids =
        market == .spot
        ? #""s":"A","U":7,"u":8"# : #""T":5,"s":"A","ps":"A","U":7,"u":8,"pu":6"#
    let sides = levels ? #""b":[["1.50","2.0"]],"a":[["1.51","0.0"]]"# : #""b":[],"a":[]"#
    let type = market == .spot ? "" : #","st":1"#
    let bare = #"{"e":"depthUpdate","E":1722988800123,\#(ids),\#(sides)\#(type)\#(members)}"#
    return stream.map { #"{"stream":"\#($0)","data":\#(bare)}"# } ?? bare
}

private func extras(_ bids: ProvenRange, _ asks: ProvenRange, _ decimals: UInt8) -> UpdateExtras {
    var extras = UpdateExtras()
    (extras.provenBids, extras.provenAsks, extras.priceDecimals) = (bids, asks, decimals)
    return extras
}

@Suite struct ParserExtrasTests {
    @Test(
        "How far a sender's book is proven, in every market, bare and combined",
        arguments: [
            ("", nil),
            (#","lobBidsProvenTo":"1.40""#, extras(.to(Price(140)), .unbounded, 2)),
            (#","lobAsksProvenTo":"1.60""#, extras(.unbounded, .to(Price(160)), 2)),
            (
                #","lobBidsProvenTo":"1.40","lobAsksProvenTo":"1.60""#,
                extras(.to(Price(140)), .to(Price(160)), 2)
            ),
            (
                #","lobAsksProvenTo":"2","lobBidsProvenTo":"0.125""#,
                extras(.to(Price(125)), .to(Price(2_000)), 3)
            ),
            (#","lobBidsProvenTo":"nothing""#, extras(.nothing, .unbounded, 0)),
            (#", "lobAsksProvenTo" : "nothing","lobBidsProvenTo":"0""#, extras(.to(Price(0)), .nothing, 0)),
            (
                #","lobBidsProvenTo":"999999999999999999","lobAsksProvenTo":"0.1""#,
                extras(.nothing, .to(Price(1)), 1)
            ),
            (#","lobbidsProvenTo":"1.4","lobBidsProven":"1.4","lobBidsProvenT\u006f":"1.4""#, nil),
        ] as [(String, UpdateExtras?)])
    func table(members: String, wanted: UpdateExtras?) throws {
        var parser = MessageParser(levelCapacity: 4)
        for market in Market.allCases {
            for stream in [nil, "a@depth", "a@depth@100ms"] as [String?] {
                for hasLevels in [true, false] {
                    let message = text(market, members, stream: stream, levels: hasLevels)
                    let answer = parser.answer(message, market)
                    #expect(answer.kind == .depthUpdate && answer.error == nil, "\(message)")
                    #expect(answer.book?.extras == wanted, "\(message)")
                    #expect(answer.book?.last == 8 && answer.book?.bids.count == (hasLevels ? 1 : 0))
                    // Nothing of it is left for the next message, whichever path that takes.
                    for next in [text(market, "", stream: stream), text(market, #","x":1"#)] {
                        #expect(parser.answer(next, market).book?.extras == nil)
                        _ = parser.answer(message, market)
                    }
                }
            }
        }
    }

    @Test(
        "A malformed one is refused like any other number",
        arguments: [
            ("1.4", ParseError.Code.fieldType), ("null", .fieldType), ("[]", .fieldType), ("{}", .fieldType),
            ("true", .fieldType), ("\"\"", .digitExpected), (#""-1""#, .digitExpected),
            (#""+1""#, .digitExpected), (#""1e5""#, .digitExpected), (#"" 1""#, .digitExpected),
            (#""1 ""#, .digitExpected), (#""NaN""#, .digitExpected), (#""Nothing""#, .digitExpected),
            (#""nothing ""#, .digitExpected), (#"".5""#, .digitExpected), (#""5.""#, .digitExpected),
            (#""01""#, .leadingZero), (#""1000000000000000000""#, .numberTooLarge),
            (#""99999999999999999999""#, .numberTooLarge), (#""0.9999999999999999999""#, .numberTooLarge),
        ])
    func malformed(value: String, code: ParseError.Code) {
        var parser = MessageParser(levelCapacity: 4)
        for market in Market.allCases {
            for name in ["lobBidsProvenTo", "lobAsksProvenTo"] {
                let message = text(market, #","\#(name)":\#(value)"#)
                let answer = parser.answer(message, market)
                #expect(answer.error?.code == code && answer.book == nil, "\(message)")
                #expect(parser.update.extras == nil)
            }
        }
    }

    @Test("They stand once, and a partial depth has none")
    func places() {
        var parser = MessageParser(levelCapacity: 4)
        let one = #","lobBidsProvenTo":"1.40""#
        #expect(parser.answer(text(.spot, one + one), .spot).error?.code == .fieldTwice)
        let partial = parser.answer(text(.usdm, one, stream: "a@depth5"), .usdm)
        #expect(partial.kind == .partialDepth && partial.book?.extras == nil)
        #expect(parser.update.extras == nil)
    }

    @Test("What the encoder writes, the parser reads, in every dialect and both units of time")
    func encoded() throws {
        var parser = MessageParser(levelCapacity: 4)
        for told in [
            extras(.to(Price(140)), .to(Price(160)), 2), extras(.nothing, .unbounded, 2),
            extras(.unbounded, .to(Price(5)), 0), extras(.nothing, .nothing, 3),
        ] {
            for market in Market.allCases {
                var dialects = [WireDialect.classic(market), .current(market)]
                dialects[0].writesMicroseconds = market == .spot
                for dialect in dialects {
                    for stream in [nil, "a@depth@100ms"] as [String?] {
                        _ = try parser.parse(Array(text(market, "").utf8).span, market: market)
                        parser.update.extras = told
                        var encoder = MessageEncoder(dialect)
                        try encoder.append(parser.update, stream: stream)
                        var bytes: [UInt8] = []
                        encoder.append(to: &bytes)
                        let book = parser.answer(bytes, market).book
                        let read = try #require(book?.extras)
                        #expect(read.range(.bid, 3) == told.range(.bid, 3))
                        #expect(read.range(.ask, 3) == told.range(.ask, 3))
                        #expect(book?.eventTimeUs == 1_722_988_800_123_000 && book?.bids.count == 1)
                    }
                }
            }
        }
    }

    @Test("Without anything to tell an update is the venue's own, byte for byte")
    func silent() throws {
        var parser = MessageParser(levelCapacity: 4)
        let message = text(.usdm, "")
        _ = try parser.parse(Array(message.utf8).span, market: .usdm)
        for told in [nil, UpdateExtras()] {
            parser.update.extras = told
            var encoder = MessageEncoder(.current(.usdm))
            try encoder.append(parser.update)
            var bytes: [UInt8] = []
            encoder.append(to: &bytes)
            #expect(String(decoding: bytes, as: UTF8.self) == message)
        }
    }
}
