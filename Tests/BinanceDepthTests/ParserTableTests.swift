// Each kind of message in each of its shapes, against values written by hand, and each rule about what is
// refused.

import MarketData
import TestSupport
import Testing

@testable import BinanceVenue

private func parse(_ text: String, _ market: Market) -> ParserAnswer {
    var parser = MessageParser(levelCapacity: 4)
    return parser.answer(text, market)
}

private func wrapped(_ stream: String, _ text: String) -> String {
    #"{"stream":"\#(stream)","data":\#(text)}"#
}

/// Bid 1.50 for 2.000, ask 1.51 for nothing.
private let sides = #""b":[["1.50","2.000"]],"a":[["1.51","0.000"]]"#

private func expected(_ kind: MessageKind, _ symbol: String, stream: String? = nil) -> BookContents {
    BookContents(
        kind: kind, stream: stream.map { Array($0.utf8) }, symbol: Array(symbol.utf8), last: 160,
        priceDecimals: 2,
        quantityDecimals: 3, bids: [PriceLevel(150, 2000)], asks: [PriceLevel(151, 0)])
}

@Test(
    "Depth updates of each market, bare and combined",
    arguments: [
        (
            Market.spot,
            #"{"e":"depthUpdate","E":1722988800123,"s":"A","U":157,"u":160,"# + sides + "}"
        ),
        (.spot, #"{"e":"depthUpdate","E":1722988800123000,"s":"A","U":157,"u":160,"# + sides + "}"),
        (.spot, #"{"u":160,"U":157,"s":"A","E":1722988800123,"# + sides + #","pu":"x","e":"depthUpdate"}"#),
        (
            .usdm,
            #"{"e":"depthUpdate","E":1722988800123,"T":5,"s":"A","U":157,"u":160,"pu":149,"# + sides + "}"
        ),
        (
            .usdm,
            #"{"e":"depthUpdate","E":1722988800123,"T":5,"s":"A","ps":"A","U":157,"u":160,"pu":149,"# + sides
                + #","st":1}"#
        ),
        (
            .coinm,
            #"{"e":"depthUpdate","E":1722988800123,"T":5,"s":"A","ps":"B","U":157,"u":160,"pu":149,"# + sides
                + "}"
        ),
        (
            .coinm,
            #"{"st":1,"x":{"u":[1,2,{"b":null}]},"T":5,"e":"depthUpdate","a":[["1.51","0.000"]],"#
                + #""E":1722988800123,"#
                + #""s":"A","b":[["1.50","2.000"]],"U":157,"u":160,"n":-1.5e+7,"pu":149}"#
        ),
    ])
func depthUpdates(market: Market, text: String) throws {
    for stream in [nil, "a@depth", "a@depth@100ms", "a@depth@500ms"] as [String?] {
        var wanted = expected(.depthUpdate, "A", stream: stream)
        wanted.first = 157
        wanted.eventTimeUs = 1_722_988_800_123_000
        if market != .spot { (wanted.previousLast, wanted.transactionTimeUs) = (149, 5000) }
        #expect(parse(stream.map { wrapped($0, text) } ?? text, market).book == wanted)
    }
    if market != .spot {
        for stream in ["a@depth5", "a@depth10@100ms", "a@depth20@500ms"] {
            var wanted = expected(.partialDepth, "A", stream: stream)
            (wanted.eventTimeUs, wanted.transactionTimeUs) = (1_722_988_800_123_000, 5000)
            #expect(parse(wrapped(stream, text), market).book == wanted)
        }
        #expect(parse(wrapped("a@rpiDepth@500ms", text), market).kind == .other)
    }
    // On futures the name alone tells updates from partial depth: a damaged one tells nothing.
    for stream in [
        "a@d00ms", "a@depth@", "a@depth@ms", "a@depth@100", "a@depth@100mx", "a@depth@@100ms",
        "a@depth@1x0ms",
        "a@depth@100ms5", "a@depthx", "a@depth5@", "a@depth5@10", "a@depth5100ms", "a@depth05", "a@Depth",
        "a@",
        "a", "depth@100ms", "",
    ] {
        let answer = parse(wrapped(stream, text), market)
        #expect(answer.error?.code == .badName && answer.error?.offset == 11, "\(stream) \(answer)")
    }
}

@Test("Snapshots: REST of each market, by WebSocket request, and partial depth of spot")
func snapshots() {
    let levels = sides.replacing("\"b\"", with: "\"bids\"").replacing("\"a\"", with: "\"asks\"")
    let spot = #"{"lastUpdateId":160,"# + levels + "}"
    let usdm = #"{"lastUpdateId":160,"E":1722988800123,"T":1722988800120,"# + levels + "}"
    let coinm =
        #"{"lastUpdateId":160,"E":1722988800123,"T":1722988800120,"symbol":"B_PERP","pair":"B","# + levels
        + "}"
    #expect(parse(spot, .spot).book == expected(.depthSnapshot, ""))
    #expect(
        parse(#"{"id":"7","status":200,"result":"# + spot + #","rateLimits":[]}"#, .spot).book
            == expected(.depthSnapshot, ""))
    var timed = expected(.depthSnapshot, "")
    (timed.eventTimeUs, timed.transactionTimeUs) = (1_722_988_800_123_000, 1_722_988_800_120_000)
    #expect(parse(usdm, .usdm).book == timed)
    timed.symbol = Array("B_PERP".utf8)
    #expect(parse(coinm, .coinm).book == timed)
    #expect(
        parse(" \n" + coinm.replacing(",", with: " ,\t").replacing(":", with: ": ") + "\r\n", .coinm).book
            == timed)
    for (stream, symbol) in [("btcusdt@depth5", "BTCUSDT"), ("中文1a@depth20", "中文1A"), ("x", "X")] {
        #expect(parse(wrapped(stream, spot), .spot).book == expected(.partialDepth, symbol, stream: stream))
    }
    var parser = MessageParser(levelCapacity: 1)
    for text in [spot, usdm, coinm, " " + spot] {
        var bytes = text
        _ = bytes.withUTF8 { body in #expect(throws: Never.self) { try parser.parseSnapshot(body) } }
        #expect(parser.snapshot.bids.array() == [PriceLevel(150, 2000)])
    }
    var refusal = #"{"code":-1121,"msg":"Invalid symbol."}"#
    _ = refusal.withUTF8 { body in
        #expect(throws: ParseError(code: .fieldMissing, offset: 0)) { try parser.parseSnapshot(body) }
    }
    #expect(parser.snapshot.bids.count == 0)
}

@Test(
    "Book tickers of each market, bare and combined",
    arguments: [
        (Market.spot, 0, 0, #"{"u":160,"s":"A","b":"1.50","B":"2.000","a":"1.51","A":"0.000"}"#),
        (.spot, 0, 0, #"{"A":"0","a":"1.51","B":"2.000","b":"1.50","s":"A","u":160}"#),
        (
            .usdm, 8, 7,
            #"{"e":"bookTicker","u":160,"s":"A","b":"1.50","B":"2.000","a":"1.51","A":"0.000","T":7,"E":8}"#
        ),
        (
            .usdm, 8, 7,
            #"{"e":"bookTicker","u":160,"s":"A","ps":"A","b":"1.50","B":"2.000","a":"1.51","A":"0.000","#
                + #""T":7,"E":8,"st":1}"#
        ),
        (
            .coinm, 8, 7,
            #"{"u":160,"e":"bookTicker","s":"A","ps":"B","b":"1.50","B":"2.000","a":"1.51","A":"0.000","#
                + #""T":7,"E":8}"#
        ),
    ])
func bookTickers(market: Market, eventMs: Int64, transactionMs: Int64, text: String) {
    for stream in [nil, "a@bookTicker", "!bookTicker"] as [String?] {
        var wanted = expected(.bookTicker, "A", stream: stream)
        (wanted.eventTimeUs, wanted.transactionTimeUs) = (eventMs * 1000, transactionMs * 1000)
        #expect(parse(stream.map { wrapped($0, text) } ?? text, market).book == wanted)
    }
}

@Test("An empty side of a ticker is zero, however it is printed")
func emptyTickerSide() {
    let book = parse(#"{"u":1,"s":"A","b":"0","B":"0","a":"1.50","A":"2.0"}"#, .spot).book
    #expect(book?.bids == [PriceLevel(0, 0)] && book?.asks == [PriceLevel(150, 20)])
    #expect(book?.priceDecimals == 2 && book?.quantityDecimals == 1)
    let mixed = parse(#"{"u":1,"s":"A","b":"1.5","B":"1","a":"1.50","A":"2"}"#, .spot).book
    #expect(mixed?.bids == [PriceLevel(150, 1)] && mixed?.asks == [PriceLevel(150, 2)])
}

@Test("Levels of mixed decimals are held in the widest of them")
func mixedDecimals() {
    func levels(_ bids: String, _ asks: String) -> (book: BookContents?, error: ParseError?) {
        let found = parse(
            #"{"e":"depthUpdate","E":1,"s":"A","U":1,"u":1,"b":[\#(bids)],"a":[\#(asks)]}"#, .spot)
        return (found.book, found.error)
    }
    let book = levels(#"["9.0","1"],["8.25","2.5"],["7","0.000"]"#, #"["10.125","3"]"#).book
    #expect(book?.bids == [PriceLevel(9000, 10), PriceLevel(8250, 25), PriceLevel(7000, 0)])
    #expect(book?.asks == [PriceLevel(10_125, 30)])
    #expect(book?.priceDecimals == 3 && book?.quantityDecimals == 1)
    // Zeros say nothing of decimals once another quantity is there, before or behind them.
    #expect(levels(#"["1","0.00"],["2","0.0000"]"#, #"["3","5.0"]"#).book?.quantityDecimals == 1)
    #expect(levels(#"["1","0.00"],["2","0.0000"]"#, "").book?.quantityDecimals == 2)
    // A number that does not fit the widest decimals is refused, whichever side of the other it stands on.
    let long = #"["999999999999999999","1"]"#
    #expect(levels(long + #",["1.5","1"]"#, "").error?.code == .numberTooLarge)
    #expect(levels(#"["1.5","1"]"#, long).error?.code == .numberTooLarge)
}

@Test("Times in both units")
func times() {
    for (text, us) in [
        ("1722988800123", 1_722_988_800_123_000 as Int64),
        ("1722988800123456", 1_722_988_800_123_456 as Int64),
    ] {
        let book = parse(#"{"e":"depthUpdate","E":\#(text),"s":"A","U":1,"u":1,"b":[],"a":[]}"#, .spot).book
        #expect(book?.eventTimeUs == us)
        #expect(book?.priceDecimals == -1 && book?.bids == [] && book?.asks == [])
    }
}

@Test("Replies to requests are of no interest, but for a depth body in one")
func replies() {
    var parser = MessageParser(levelCapacity: 1)
    for text in [
        #"{"result":null,"id":312}"#, #"{"result":[],"id":1}"#, #"{"result":["a@depth"],"id":1}"#,
        #"{"result":true,"id":"x"}"#, #"{"result":{"x":1},"id":1}"#, #"{"result":12,"id":null}"#,
        #"{"error":{"code":2,"msg":"Bad \u0041"},"id":"x"}"#, #"{"error":"x","id":1}"#,
        #"{"code":-1121,"msg":"Invalid symbol."}"#, #"{"result":null,"error":null,"id":1}"#,
    ] {
        #expect(parser.answer(text, .spot).kind == .other, "\(text)")
    }
    let body = #"{"id":1,"result":{"lastUpdateId":5,"bids":[["1.0","2.0"]],"asks":[]}}"#
    #expect(parser.answer(body, .spot).kind == .depthSnapshot)
    #expect(parser.snapshot.lastUpdateID == UpdateID(5) && parser.snapshot.bids.count == 1)
}

@Test("Shutdown notices and everything that is nothing of ours")
func others() {
    let shutdown = #"{"e":"serverShutdown","E":1770123456789}"#
    #expect(parse(shutdown, .spot).kind == .serverShutdown)
    #expect(parse(#"{"event":\#(shutdown)}"#, .spot).kind == .serverShutdown)
    #expect(parse(wrapped("x", shutdown), .usdm).kind == .serverShutdown)
    for text in [
        "{}", "[]", "[1]", #"{"e":"trade","p":"1"}"#, #"{"e":"kline","k":{"o":"1"}}"#, #"{"e":null}"#,
        #"{"e":5}"#,
        #"{"p":1,"e":"aggTrade"}"#, #"[{"e":"24hrTicker","b":[["1","2"]]}]"#,
        #"{"stream":"!a@arr","data":[{}]}"#,
        #"{"stream":"a","data":null}"#, #"{"e":"depth\u0055pdate","b":[]}"#, #"{"serverTime":1}"#,
        #"{"u":1,"s":"A"}"#,
    ] {
        let answer = parse(text, .spot)
        #expect(answer.kind == .other && answer.error == nil && answer.book == nil, "\(text)")
    }
}

@Test(
    "Every field a message must have",
    arguments: SampleFrame.updates + SampleFrame.states + SampleFrame.tickers)
func missingFields(frame: SampleFrame) throws {
    let needed = ["U", "u", "s", "b", "a", "B", "A", "lastUpdateId", "bids", "asks"]
    var count = 0
    for field in needed + (frame.market == .spot ? [] : ["pu"]) {
        let name = "\"\(field)\""
        for blank in ["", " "] where frame.text.contains(name) {
            // Under another name it is a field nobody knows.
            let text = frame.text.replacing(name, with: "\(blank)\"\(field)x\"")
            let answer = parse(text, frame.market)
            #expect(
                answer.book == nil && (answer.error != nil || field == "u" || field.contains("lastUp")),
                "\(text)")
            count += 1
        }
    }
    #expect(count >= 4)
    #expect(
        parse(frame.text.replacing("\"u\":", with: "\"u\":\"1\",\"z\":"), frame.market).book == nil
            || !frame.text.contains("\"u\":"))
}

@Test("Known fields may stand once")
func fieldsTwice() {
    for frame in SampleFrame.updates + SampleFrame.states + SampleFrame.tickers {
        for field in [
            "e", "E", "T", "s", "U", "u", "b", "a", "B", "A", "stream", "lastUpdateId", "bids", "asks",
            "lobBidsProvenTo", "lobAsksProvenTo",
        ] {
            guard frame.text.contains("\"\(field)\":") else { continue }
            let twice = frame.text.replacing("\"\(field)\":", with: "\"\(field)\":1,\"\(field)\":")
            #expect(parse(twice, frame.market).error?.code == .fieldTwice, "\(twice)")
        }
    }
    // Unknown ones may stand often, also with names that only begin or unescape like a known one.
    let book = parse(
        #"{"x":1,"x":2,"e":"depthUpdate","uu":3,"uu":4,"\u0062":5,"s":"A","U":1,"u":1,"b":[],"a":[]}"#, .spot)
    #expect(book.kind == .depthUpdate)
}

@Test("Ids at the ends of their range")
func ids() {
    func update(_ first: String, _ last: String) -> ParserAnswer {
        parse(#"{"e":"depthUpdate","E":1,"s":"A","U":\#(first),"u":\#(last),"b":[],"a":[]}"#, .spot)
    }
    #expect(update("0", "0").book?.last == 0)
    #expect(update("9999999999999999", "9999999999999999").book?.first == 9_999_999_999_999_999)
    #expect(update("1", "9223372036854775807").book?.last == .max)
    for (last, code) in [
        ("9223372036854775808", ParseError.Code.numberTooLarge), ("18446744073709551617", .numberTooLarge),
        ("-1", .digitExpected), ("+1", .unexpectedByte), ("01", .unexpectedByte), ("1.0", .fieldType),
        ("1e3", .fieldType),
        ("1E3", .fieldType), ("null", .digitExpected), (#""1""#, .digitExpected), ("0", .idsDecrease),
        ("[1]", .digitExpected), ("0x1", .unexpectedByte), ("1 2", .unexpectedByte), ("", .unexpectedByte),
    ] {
        let error = update("1", last).error
        #expect(error?.code == code, "\(last)")
        let place = #"{"e":"depthUpdate","E":1,"s":"A","U":1,"u":"#.utf8.count
        #expect(error.map { $0.offset >= place && $0.offset <= place + last.utf8.count } == true, "\(last)")
    }
}

@Test("Names: bytes beyond ASCII, lengths 1 to 47, no escapes")
func names() {
    func update(_ symbol: String) -> ParserAnswer {
        parse(#"{"e":"depthUpdate","E":1,"s":"\#(symbol)","U":1,"u":1,"b":[],"a":[]}"#, .spot)
    }
    for symbol in ["币安人生USDT", "A", "ÄÖ"] + (1...47).map({ String(repeating: "x", count: $0) }) {
        #expect(update(symbol).book?.symbol == Array(symbol.utf8))
    }
    for symbol in [
        "", #"A\u0042"#, #"A\/"#, String(repeating: "x", count: 48), String(repeating: "x", count: 5000),
    ] {
        #expect(update(symbol).error?.code == .badName)
    }
    #expect(parse(#"{"stream":"a\u0040depth","data":{}}"#, .spot).error?.code == .badName)
    #expect(
        parse(#"{"stream":"@depth5","data":{"lastUpdateId":1,"bids":[],"asks":[]}}"#, .spot).error?.code
            == .badName)
}

@Test("A symbol inside combined partial depth counts more than the stream's, blanks or not")
func symbolInsidePartialDepth() {
    let text = #"{"stream":"a@depth5","data":{"lastUpdateId":1,"symbol":"B","bids":[],"asks":[]}}"#
    #expect(parse(text, .coinm).book?.symbol == Array("B".utf8))
    #expect(parse(text + " ", .coinm).book?.symbol == Array("B".utf8))
    #expect(parse(text.replacing(":", with: " :"), .coinm).book?.symbol == Array("B".utf8))
}
