// The venue's book messages, byte for byte.
//
// Field order is that of captured traffic: spot and COIN-M 2021 to 2024, USD-M 2021 to 2024 and, with `ps`
// and `st`, 2026. The official pages show the same fields but promise no order. Levels are written in the
// buffer's order: the venue sorts the bids of a spot update downwards, everything else upwards, and partial
// depth from the best outwards.

import MarketData

/// Which of the venue's dialects to write: market, era and time unit.
package struct WireDialect: Hashable, Sendable {
    /// Market whose shapes are written.
    package var market: Market
    /// Whether futures messages carry the pair, `ps`; COIN-M always has.
    package var writesPair: Bool
    /// Whether futures messages end with the symbol type, `st`: 1 is USD-M, 2 is COIN-M.
    package var writesSymbolType: Bool
    /// Whether times are microseconds, as a spot connection may request; otherwise milliseconds.
    package var writesMicroseconds: Bool

    /// The shapes from before July 2026: those of the captured sessions.
    package static func classic(_ market: Market) -> WireDialect {
        WireDialect(
            market: market, writesPair: market == .coinm, writesSymbolType: false, writesMicroseconds: false)
    }

    /// The shapes since July 2026: futures carry the pair and the symbol type.
    package static func current(_ market: Market) -> WireDialect {
        let isFutures = market != .spot
        return WireDialect(
            market: market, writesPair: isFutures, writesSymbolType: isFutures, writesMicroseconds: false)
    }
}

extension MessageEncoder {
    /// Appends a depth update, or the partial depth of a futures market, which has the same shape.
    ///
    /// - Parameters:
    ///   - update: its ids and levels. How far a side is proven follows the venue's own members, if it is
    ///     told.
    ///   - stream: stream name for the combined wrapper; nil writes the message unwrapped.
    /// - Complexity: O(levels). Allocates nothing once the buffer has grown.
    package mutating func append(
        _ update: borrowing DepthUpdate, stream: String? = nil
    ) throws(EncoderError) {
        let scales = try scalesFor(update.scales, levelCount: update.levelCount)
        if dialect.market != .spot && update.previousLast == nil { throw .missingPreviousLast }
        try reserve(lengthMax(levelCount: update.levelCount, stream: stream))
        openWrapper(stream)
        put("{\"e\":\"depthUpdate\",\"E\":")
        putTime(update.eventTimeUs)
        if dialect.market != .spot {
            put(",\"T\":")
            putTime(update.transactionTimeUs)
        }
        putSymbol(update.symbol)
        put(",\"U\":")
        putInteger(update.first.value)
        put(",\"u\":")
        putInteger(update.last.value)
        if let previousLast = update.previousLast, dialect.market != .spot {
            put(",\"pu\":")
            putInteger(previousLast.value)
        }
        put(",\"b\":")
        putLevels(update.bids, scales)
        put(",\"a\":")
        putLevels(update.asks, scales)
        putSymbolType()
        if let extras = update.extras {
            putProven(",\"lobBidsProvenTo\":", extras.provenBids, extras.priceDecimals)
            putProven(",\"lobAsksProvenTo\":", extras.provenAsks, extras.priceDecimals)
        }
        putByte(0x7D)
        closeWrapper(stream)
    }

    /// Appends a REST depth body, or the partial depth of spot, which has the same shape.
    ///
    /// - Parameters:
    ///   - snapshot: its id and levels.
    ///   - stream: stream name for the combined wrapper; nil writes the message unwrapped.
    /// - Complexity: O(levels). Allocates nothing once the buffer has grown.
    package mutating func append(
        _ snapshot: borrowing DepthSnapshot, stream: String? = nil
    ) throws(EncoderError) {
        let levelCount = snapshot.bids.count + snapshot.asks.count
        let scales = try scalesFor(snapshot.scales, levelCount: levelCount)
        try reserve(lengthMax(levelCount: levelCount, stream: stream))
        openWrapper(stream)
        put("{\"lastUpdateId\":")
        putInteger(snapshot.lastUpdateID.value)
        if dialect.market != .spot {
            put(",\"E\":")
            putTime(snapshot.eventTimeUs)
            put(",\"T\":")
            putTime(snapshot.transactionTimeUs)
        }
        if dialect.market == .coinm {
            put(",\"symbol\":")
            putQuoted(snapshot.symbol, length: snapshot.symbol.length)
            put(",\"pair\":")
            putQuoted(snapshot.symbol, length: pairLength(snapshot.symbol))
        }
        put(",\"bids\":")
        putLevels(snapshot.bids, scales)
        put(",\"asks\":")
        putLevels(snapshot.asks, scales)
        putByte(0x7D)
        closeWrapper(stream)
    }

    /// Appends a best bid and ask.
    ///
    /// - Parameters:
    ///   - ticker: its ids, prices and quantities.
    ///   - stream: stream name for the combined wrapper; nil writes the message unwrapped.
    package mutating func append(_ ticker: BookTicker, stream: String? = nil) throws(EncoderError) {
        try reserve(lengthMax(levelCount: 2, stream: stream))
        openWrapper(stream)
        switch dialect.market {
        case .spot: put("{\"u\":")
        case .usdm: put("{\"e\":\"bookTicker\",\"u\":")
        case .coinm: put("{\"u\":")
        }
        putInteger(ticker.updateID.value)
        if dialect.market == .coinm { put(",\"e\":\"bookTicker\"") }
        putSymbol(ticker.symbol)
        putNumbers(",\"b\":", ",\"B\":", ticker.bid, ticker.scales)
        putNumbers(",\"a\":", ",\"A\":", ticker.ask, ticker.scales)
        if dialect.market != .spot {
            put(",\"T\":")
            putTime(ticker.transactionTimeUs)
            put(",\"E\":")
            putTime(ticker.eventTimeUs)
        }
        putSymbolType()
        putByte(0x7D)
        closeWrapper(stream)
    }
}

extension MessageEncoder {
    private func scalesFor(_ scales: SymbolScales?, levelCount: Int) throws(EncoderError) -> SymbolScales {
        if let scales { return scales }
        if levelCount > 0 { throw .missingScales }
        return SymbolScales(priceDecimals: 0, quantityDecimals: 0)
    }

    /// Most bytes of punctuation, keys, names and ids in any message of this file: at most 512.
    private func lengthMax(levelCount: Int, stream: String?) -> Int {
        512 + 6 * (stream?.utf8.count ?? 0) + levelCount * (2 * MessageEncoder.numberLengthMax + 8)
    }

    mutating func openWrapper(_ stream: String?) {
        guard let stream else { return }
        put("{\"stream\":")
        putQuoted(stream)
        put(",\"data\":")
    }

    mutating func closeWrapper(_ stream: String?) {
        if stream != nil { putByte(0x7D) }
    }

    mutating func putTime(_ timeUs: Int64) { putInteger(dialect.writesMicroseconds ? timeUs : timeUs / 1000) }

    private mutating func putSymbol(_ symbol: SymbolName) {
        put(",\"s\":")
        putQuoted(symbol, length: symbol.length)
        if dialect.writesPair {
            put(",\"ps\":")
            putQuoted(symbol, length: pairLength(symbol))
        }
    }

    private mutating func putNumbers(
        _ priceKey: StaticString, _ quantityKey: StaticString, _ level: PriceLevel, _ scales: SymbolScales
    ) {
        put(priceKey)
        putQuoted(mantissa: level.price.mantissa, decimals: scales.priceDecimals)
        put(quantityKey)
        putQuoted(mantissa: level.quantity.mantissa, decimals: scales.quantityDecimals)
    }

    private mutating func putSymbolType() {
        if dialect.writesSymbolType { put(dialect.market == .coinm ? ",\"st\":2" : ",\"st\":1") }
    }

    /// How far a side is proven: nothing if it is as a whole.
    private mutating func putProven(_ key: StaticString, _ range: ProvenRange, _ decimals: UInt8) {
        switch range {
        case .unbounded: break
        case .nothing:
            put(key)
            put("\"nothing\"")
        case .to(let worst):
            put(key)
            putQuoted(mantissa: worst.mantissa, decimals: decimals)
        }
    }

    /// Length of a futures symbol's pair: what precedes the underscore.
    private func pairLength(_ symbol: SymbolName) -> Int {
        symbol.prefixLength(before: UInt8(ascii: "_"))
    }
}
