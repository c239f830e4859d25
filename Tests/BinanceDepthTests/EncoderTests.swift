// Every shape of the encoder against text written by hand, its bounds, and its silence: no allocation, no
// half message.

import BinanceVenue
import MarketData
import TestSupport
import Testing

extension MessageEncoder {
    /// All bytes held as text.
    var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

private func diff(_ market: Market) -> DepthUpdate {
    var update = DepthUpdate(levelCapacity: 4)
    update.symbol = SymbolName(market == .coinm ? "BTCUSD_PERP" : "BTCUSDT")!
    update.first = UpdateID(157)
    update.last = UpdateID(160)
    update.previousLast = market == .spot ? nil : UpdateID(149)
    update.eventTimeUs = 1_790_000_000_123_456
    update.transactionTimeUs = 1_790_000_000_120_999
    update.scales = SymbolScales(priceDecimals: 2, quantityDecimals: 3)
    update.bids.append(PriceLevel(6_500_010, 0))
    update.bids.append(PriceLevel(6_500_000, 12_345))
    update.asks.append(PriceLevel(6_500_020, .max))
    return update
}

private let levels =
    #""b":[["65000.10","0.000"],["65000.00","12.345"]],"a":[["65000.20","9223372036854775.807"]]"#

@Test(arguments: [
    (
        Market.spot, true,
        #"{"e":"depthUpdate","E":1790000000123,"s":"BTCUSDT","U":157,"u":160,"# + levels + "}"
    ),
    (
        .usdm, false,
        #"{"e":"depthUpdate","E":1790000000123,"T":1790000000120,"s":"BTCUSDT","U":157,"u":160,"pu":149,"#
            + levels + "}"
    ),
    (
        .usdm, true,
        #"{"e":"depthUpdate","E":1790000000123,"T":1790000000120,"s":"BTCUSDT","ps":"BTCUSDT","U":157,"#
            + #""u":160,"pu":149,"# + levels + #","st":1}"#
    ),
    (
        .coinm, true,
        #"{"e":"depthUpdate","E":1790000000123,"T":1790000000120,"s":"BTCUSD_PERP","ps":"BTCUSD","U":157,"#
            + #""u":160,"pu":149,"# + levels + #","st":2}"#
    ),
])
func encoderWritesDiffs(market: Market, isCurrent: Bool, expected: String) throws {
    var encoder = MessageEncoder(isCurrent ? .current(market) : .classic(market))
    let update = diff(market)
    try encoder.append(update)
    #expect(encoder.text == expected)
    encoder.removeAll()
    try encoder.append(update, stream: "btc@depth@100ms")
    #expect(encoder.text == #"{"stream":"btc@depth@100ms","data":"# + expected + "}")
}

@Test func encoderWritesMicrosecondsAndNoLevels() throws {
    var dialect = WireDialect.current(.spot)
    dialect.writesMicroseconds = true
    var encoder = MessageEncoder(dialect)
    var update = DepthUpdate()
    update.symbol = SymbolName("币安人生USDT")
    update.eventTimeUs = 1_790_000_000_123_456
    try encoder.append(update)
    #expect(
        encoder.text == #"{"e":"depthUpdate","E":1790000000123456,"s":"币安人生USDT","U":0,"u":0,"b":[],"a":[]}"#)
}

@Test(arguments: [
    (Market.spot, #"{"lastUpdateId":7010,"bids":[["812.1","3.41"]],"asks":[]}"#),
    (
        .usdm,
        #"{"lastUpdateId":7010,"E":1790000000110,"T":1790000000098,"bids":[["812.1","3.41"]],"asks":[]}"#
    ),
    (
        .coinm,
        #"{"lastUpdateId":7010,"E":1790000000110,"T":1790000000098,"symbol":"BTCUSD_PERP","pair":"BTCUSD","#
            + #""bids":[["812.1","3.41"]],"asks":[]}"#
    ),
])
func encoderWritesSnapshots(market: Market, expected: String) throws {
    var encoder = MessageEncoder(.current(market))
    var snapshot = DepthSnapshot(levelCapacity: 1)
    snapshot.symbol = SymbolName("BTCUSD_PERP")
    snapshot.lastUpdateID = UpdateID(7010)
    snapshot.eventTimeUs = 1_790_000_000_110_000
    snapshot.transactionTimeUs = 1_790_000_000_098_000
    snapshot.scales = SymbolScales(priceDecimals: 1, quantityDecimals: 2)
    snapshot.bids.append(PriceLevel(8121, 341))
    try encoder.append(snapshot)
    #expect(encoder.text == expected)
}

@Test(arguments: [
    (Market.spot, #"{"u":7012,"s":"BNBUSDT","b":"812.1","B":"3","a":"812.2","A":"1"}"#),
    (
        .usdm,
        #"{"e":"bookTicker","u":7012,"s":"BNBUSDT","ps":"BNBUSDT","b":"812.1","B":"3","a":"812.2","A":"1","#
            + #""T":2,"E":3,"st":1}"#
    ),
    (
        .coinm,
        #"{"u":7012,"e":"bookTicker","s":"BNBUSDT","ps":"BNBUSDT","b":"812.1","B":"3","a":"812.2","A":"1","#
            + #""T":2,"E":3,"st":2}"#
    ),
])
func encoderWritesTickers(market: Market, expected: String) throws {
    var encoder = MessageEncoder(.current(market))
    var ticker = BookTicker()
    ticker.symbol = SymbolName("BNBUSDT")
    ticker.updateID = UpdateID(7012)
    ticker.transactionTimeUs = 2_999
    ticker.eventTimeUs = 3_000
    ticker.scales = SymbolScales(priceDecimals: 1, quantityDecimals: 0)
    ticker.bid = PriceLevel(8121, 3)
    ticker.ask = PriceLevel(8122, 1)
    try encoder.append(ticker)
    #expect(encoder.text == expected)
}

@Test func encoderWritesReplies() throws {
    var encoder = MessageEncoder(.current(.spot))
    func written(
        _ body: (inout MessageEncoder) throws(EncoderError) -> Void
    ) throws -> String {
        encoder.removeAll()
        try body(&encoder)
        return encoder.text
    }
    #expect(
        try written { e throws(EncoderError) in try e.append(.done, id: .integer(-1)) }
            == #"{"result":null,"id":-1}"#)
    #expect(
        try written { e throws(EncoderError) in try e.append(.flag(true), id: .text("a\"b\n")) }
            == #"{"result":true,"id":"a\"b\u000a"}"#)
    #expect(
        try written { e throws(EncoderError) in try e.append(.streams(["x@depth", "y"]), id: .null) }
            == #"{"result":["x@depth","y"],"id":null}"#)
    #expect(
        try written { e throws(EncoderError) in
            try e.append(errorCode: 2, message: "Invalid request", id: .integer(.min), shape: .flat)
        } == #"{"code":2,"msg":"Invalid request","id":-9223372036854775808}"#)
    #expect(
        try written { e throws(EncoderError) in
            try e.append(errorCode: 2, message: "m", id: .integer(1), shape: .nested, data: "x@trade")
        } == #"{"error":{"code":2,"msg":"m","data":"x@trade"},"id":1}"#)
    #expect(
        try written { e throws(EncoderError) in try e.append(errorCode: -1121, message: "Invalid symbol.") }
            == #"{"code":-1121,"msg":"Invalid symbol."}"#)
    #expect(
        try written { e throws(EncoderError) in
            try e.appendServerShutdown(atUs: 1_790_000_000_000_000, isCombined: true)
        } == #"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1790000000000}}"#)
}

@Test func encoderRefusesWholeMessages() throws {
    var small = MessageEncoder(.current(.spot), capacity: 16, capacityMax: 1024)
    try small.append(.done, id: .null)
    let before = small.text
    var update = diff(.spot)
    for index in 0..<20 { update.bids.append(PriceLevel(Int64(index), 1)) }
    #expect(throws: EncoderError.tooLong) { try small.append(update) }
    update.scales = nil
    #expect(throws: EncoderError.missingScales) { try small.append(update) }
    #expect(small.text == before)
    var futures = MessageEncoder(.current(.usdm))
    #expect(throws: EncoderError.missingPreviousLast) { try futures.append(diff(.spot)) }
    #expect(futures.count == 0)
}

@Test func encoderAllocatesNothingOnceItHasGrown() throws {
    var encoder = MessageEncoder(.current(.usdm), capacity: 16)
    var update = diff(.usdm)
    for index in 0..<500 { update.asks.append(PriceLevel(7_000_000 + Int64(index), 1)) }
    let ticker = BookTicker()
    let stream = "btcusdt@depth@100ms"
    try encoder.append(update, stream: stream)
    try encoder.append(ticker, stream: stream)
    let allocated = try allocatedBytes {
        for _ in 0..<100 {
            encoder.removeAll()
            try encoder.append(update, stream: stream)
            encoder.removeAll()
            try encoder.append(ticker, stream: stream)
        }
    }
    // An unoptimised build boxes closures on the way to the bytes of a name.
    #if !DEBUG
        #expect(allocated == nil || allocated == 0, "\(allocated ?? 0) bytes")
    #endif
}
