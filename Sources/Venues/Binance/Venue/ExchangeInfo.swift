// The venue's symbol list, a body of up to 20 MB, parsed once from front to back, symbol by symbol. Only what
// `SymbolInfo` holds is kept, plus the original text if requested; everything else is skipped but must be
// JSON.
//
// It also states the request weight budget, which the venue may change.
//
// Deliberately tolerant: the list gains members and kinds of symbols all the time, and one odd entry must not
// keep the other books from starting. A symbol without a usable name is skipped and counted; a member of an
// unexpected type counts as absent; an unknown status means that the symbol does not trade.
//
// Worst case: O(bytes), about 1 ns each; a handful of short strings per symbol.

import MarketData

/// The content of `exchangeInfo`.
public struct ExchangeInfo: Sendable {
    /// The symbols in body order.
    public var symbols: [SymbolInfo] = []
    /// Entries skipped for lack of a valid name.
    public var unusableCount = 0
    /// Request weight an address may spend per minute; nil if not stated.
    public var requestWeightPerMinute: Int?
    /// The venue's original text of the requested symbols.
    package var texts = ListTexts()

    /// Longest member text kept, in bytes.
    private static let textBytesMax = 64

    /// Parses a body.
    ///
    /// - Throws: what is wrong with it, and where.
    public init(_ body: Span<UInt8>, market: Market) throws(ParseError) {
        self = try ExchangeInfo(body, market: market, keeping: [])
    }

    /// Parses a body and keeps the venue's original text of some symbols, and of what surrounds them if there
    /// are any.
    ///
    /// - Throws: what is wrong with it, and where.
    package init(_ body: Span<UInt8>, market: Market, keeping wanted: Set<SymbolName>) throws(ParseError) {
        self = try JSONCursor.reading(body) { cursor throws(ParseError) in
            var info = ExchangeInfo()
            var isListed = false
            try cursor.forEachMember { name, value throws(ParseError) in
                let start = value.offset
                if value.matches(name, "symbols") {
                    isListed = true
                    try value.forEachElement { element throws(ParseError) in
                        try info.read(&element, market, keeping: wanted)
                    }
                } else if value.matches(name, "rateLimits") && value.byte == UInt8(ascii: "[") {
                    try value.forEachElement { limit throws(ParseError) in
                        guard let stated = try ExchangeInfo.weightPerMinute(&limit) else { return }
                        info.requestWeightPerMinute = min(info.requestWeightPerMinute ?? stated, stated)
                    }
                } else {
                    try value.skipValue()
                }
                let nameBytesMax = ExchangeInfo.textBytesMax
                if !wanted.isEmpty && name.count <= nameBytesMax {
                    info.keep(value.text(name, bytesMax: nameBytesMax), start..<value.offset, of: value)
                }
            }
            if !cursor.isAtEnd { throw cursor.error(.trailingBytes) }
            if !isListed { throw ParseError(code: .fieldMissing, offset: 0) }
            return info
        }
    }

    private init() {}

    private mutating func read(
        _ element: inout JSONCursor, _ market: Market, keeping wanted: Set<SymbolName>
    ) throws(ParseError) {
        let start = element.offset
        guard let facts = try ExchangeInfo.facts(&element, market) else {
            unusableCount += 1
            return
        }
        symbols.append(facts)
        if wanted.contains(facts.symbol) {
            texts.add(facts.symbol, element.copy(start..<element.offset, bytesMax: ListTexts.symbolBytesMax))
        }
    }

    private mutating func keep(_ name: String, _ value: Range<Int>, of cursor: JSONCursor) {
        let isPlace = name == ListTexts.time || name == ListTexts.list
        texts.add(name, isPlace ? [] : cursor.copy(value, bytesMax: ListTexts.memberBytesMax))
    }

    /// The limit in an element of `rateLimits` if it is request weight per minute; otherwise nil.
    private static func weightPerMinute(_ element: inout JSONCursor) throws(ParseError) -> Int? {
        if element.byte != UInt8(ascii: "{") {
            try element.skipValue()
            return nil
        }
        var type: String?
        var interval: String?
        var number: Int? = 1
        var limit: Int?
        try element.forEachMember { name, value throws(ParseError) in
            if value.matches(name, "rateLimitType") {
                type = try value.textIfAny(bytesMax: textBytesMax)
            } else if value.matches(name, "interval") {
                interval = try value.textIfAny(bytesMax: textBytesMax)
            } else if value.matches(name, "intervalNum") {
                number = try countIfAny(&value)
            } else if value.matches(name, "limit") {
                limit = try countIfAny(&value)
            } else {
                try value.skipValue()
            }
        }
        return type == "REQUEST_WEIGHT" && interval == "MINUTE" && number == 1 ? limit : nil
    }

    /// The count at the cursor, nil if the value is not one; moves past it either way.
    private static func countIfAny(_ value: inout JSONCursor) throws(ParseError) -> Int? {
        var ahead = value
        try value.skipValue()
        guard let count = try? ahead.integer(), ahead.offset == value.offset else { return nil }
        return Int(exactly: count)
    }

    private static func facts(_ cursor: inout JSONCursor, _ market: Market) throws(ParseError) -> SymbolInfo?
    {
        if cursor.byte != UInt8(ascii: "{") {
            try cursor.skipValue()
            return nil
        }
        var facts = SymbolInfo(
            symbol: SymbolName(), market: market, status: "", tickSize: nil, stepSize: nil)
        try cursor.forEachMember { name, value throws(ParseError) in
            if value.matches(name, "symbol") {
                facts.symbol = try symbol(&value)
            } else if value.matches(name, "status") || value.matches(name, "contractStatus") {
                facts.status = try value.textIfAny(bytesMax: textBytesMax) ?? ""
            } else if value.matches(name, "baseAsset") {
                facts.baseAsset = try value.textIfAny(bytesMax: textBytesMax) ?? ""
            } else if value.matches(name, "quoteAsset") {
                facts.quoteAsset = try value.textIfAny(bytesMax: textBytesMax) ?? ""
            } else if value.matches(name, "contractType") {
                facts.contractType = try value.textIfAny(bytesMax: textBytesMax)
            } else if value.matches(name, "filters") && value.byte == UInt8(ascii: "[") {
                try value.forEachElement { filter throws(ParseError) in try read(&filter, into: &facts) }
            } else {
                try value.skipValue()
            }
        }
        return facts.symbol.isEmpty ? nil : facts
    }

    /// A name; empty if the value is not a valid one.
    private static func symbol(_ value: inout JSONCursor) throws(ParseError) -> SymbolName {
        if value.byte != 0x22 {
            try value.skipValue()
            return SymbolName()
        }
        let bytes = try value.string()
        for offset in bytes where value[offset] == 0x5C { return SymbolName() }
        do throws(ParseError) { return try value.symbol(bytes) } catch { return SymbolName() }
    }

    private static func read(_ filter: inout JSONCursor, into facts: inout SymbolInfo) throws(ParseError) {
        if filter.byte != UInt8(ascii: "{") { return try filter.skipValue() }
        var isPrice = false
        var isLot = false
        var tick: String?
        var step: String?
        try filter.forEachMember { name, value throws(ParseError) in
            if value.matches(name, "filterType"), value.byte == 0x22 {
                let type = try value.string()
                isPrice = value.matches(type, "PRICE_FILTER")
                isLot = value.matches(type, "LOT_SIZE")
            } else if value.matches(name, "tickSize") {
                tick = try value.textIfAny(bytesMax: textBytesMax)
            } else if value.matches(name, "stepSize") {
                step = try value.textIfAny(bytesMax: textBytesMax)
            } else {
                try value.skipValue()
            }
        }
        if isPrice { facts.tickSize = tick.flatMap(increment) }
        if isLot { facts.stepSize = step.flatMap(increment) }
    }

    /// The text of an increment; nil if it is zero, which disables the rule.
    private static func increment(_ text: String) -> String? {
        text.utf8.contains { $0 >= 0x31 && $0 <= 0x39 } ? text : nil
    }
}
