// The general path: members in any order, blanks, unknown members, escapes in strings that do not matter.
// Only this path rejects messages, so it defines the rules.
import MarketData

/// The values of `e` with a meaning here.
enum EventType {
    case depthUpdate, bookTicker, serverShutdown

    init?(_ name: Range<Int>, _ cursor: JSONCursor) {
        if cursor.matches(name, "depthUpdate") {
            self = .depthUpdate
        } else if cursor.matches(name, "bookTicker") {
            self = .bookTicker
        } else if cursor.matches(name, "serverShutdown") {
            self = .serverShutdown
        } else {
            return nil
        }
    }

    /// Whether it is that of a frequent message without a meaning here.
    static func isOfOthers(_ name: Range<Int>, _ cursor: JSONCursor) -> Bool {
        cursor.matches(name, "trade") || cursor.matches(name, "aggTrade") || cursor.matches(name, "kline")
            || cursor.matches(name, "24hrTicker") || cursor.matches(name, "24hrMiniTicker")
            || cursor.matches(name, "markPriceUpdate")
    }
}

extension MessageParser {
    /// The kind of any message; throws what is wrong with it.
    mutating func general(_ start: JSONCursor, _ isLinked: Bool) throws(ParseError) -> MessageKind {
        stream = nil
        var cursor = start
        let outer = try JSONMembers(&cursor)
        if !cursor.isAtEnd { throw cursor.error(.trailingBytes) }
        if var name = outer.find(.stream, cursor) {
            stream = try name.name()
            return try payload(try outer.need(.data, cursor), isLinked)
        }
        if let event = outer.find(.event, cursor) { return try payload(event, isLinked) }
        if let wrapped = outer.find(.data, cursor), wrapped.byte == UInt8(ascii: "{"), !outer.has(.e) {
            // The name of its stream is missing. An update must not be missed; anything else may be.
            if try payload(wrapped, isLinked) == .depthUpdate { throw cursor.error(.fieldMissing) }
            return .other
        }
        return try content(outer, cursor, isLinked)
    }

    /// Parses a body that must be a snapshot into `snapshot`.
    mutating func generalSnapshot(_ start: JSONCursor) throws(ParseError) {
        var cursor = start
        let members = try JSONMembers(&cursor)
        if !cursor.isAtEnd { throw cursor.error(.trailingBytes) }
        try fillSnapshot(members, cursor)
    }

    private mutating func payload(_ start: JSONCursor, _ isLinked: Bool) throws(ParseError) -> MessageKind {
        if start.byte != UInt8(ascii: "{") {
            if DepthStream.carriesUpdates(stream, start) { throw start.error(.notAnUpdate) }
            return .other
        }
        var cursor = start
        return try content(try JSONMembers(&cursor), cursor, isLinked)
    }

    private mutating func content(
        _ members: JSONMembers, _ cursor: JSONCursor, _ isLinked: Bool
    ) throws(ParseError) -> MessageKind {
        if var value = members.find(.e, cursor) {
            if value.byte != 0x22 { return try other(members, cursor) }
            switch EventType(try value.string(), cursor) {
            case .depthUpdate: return try fillUpdate(members, cursor, isLinked)
            case .bookTicker:
                try refuseOnDepthStream(members, cursor)
                return try fillTicker(members, cursor)
            case .serverShutdown: return .serverShutdown
            case nil: return try other(members, cursor)
            }
        }
        if members.has(.lastUpdateId) {
            try refuseOnDepthStream(members, cursor)
            try fillSnapshot(members, cursor)
            if stream == nil { return .depthSnapshot }
            if snapshot.symbol.isEmpty { snapshot.symbol = try symbolOfStream(cursor) }
            return .partialDepth
        }
        if members.has(.u) && (members.has(.B) || members.has(.A)) {
            try refuseOnDepthStream(members, cursor)
            return try fillTicker(members, cursor)
        }
        return try fillResult(members, cursor)
    }

    /// A message without a meaning here, unless it may be an update in a form that is not known: then the
    /// book must not go on as if nothing had come.
    private func other(_ members: JSONMembers, _ cursor: JSONCursor) throws(ParseError) -> MessageKind {
        try refuseOnDepthStream(members, cursor)
        let hasLevels =
            members.find(.b, cursor)?.byte == UInt8(ascii: "[")
            || members.find(.a, cursor)?.byte == UInt8(ascii: "[")
        if hasLevels && members.has(.U) && members.has(.u) { throw notAnUpdate(members, cursor) }
        if stream == nil && members.isForeignWrapper {
            throw ParseError(code: .fieldMissing, offset: members.offset)
        }
        return .other
    }

    /// A stream of updates carries nothing else.
    private func refuseOnDepthStream(_ members: JSONMembers, _ cursor: JSONCursor) throws(ParseError) {
        if DepthStream.carriesUpdates(stream, cursor) { throw notAnUpdate(members, cursor) }
    }

    private func notAnUpdate(_ members: JSONMembers, _ cursor: JSONCursor) -> ParseError {
        members.find(.e, cursor)?.error(.notAnUpdate)
            ?? ParseError(code: .notAnUpdate, offset: members.offset)
    }

    private mutating func fillUpdate(
        _ members: JSONMembers, _ cursor: JSONCursor, _ isLinked: Bool
    ) throws(ParseError) -> MessageKind {
        let depthStream = DepthStream(stream, cursor)
        if depthStream == .retail { return .other }
        if depthStream == .unknown {
            throw ParseError(code: .badName, offset: stream?.lowerBound ?? members.offset)
        }
        update.symbol = try members.symbol(.s, cursor)
        update.first = UpdateID(try members.integer(.U, cursor))
        update.last = UpdateID(try members.integer(.u, cursor))
        update.previousLast = !isLinked ? nil : UpdateID(try members.integer(.pu, cursor))
        update.eventTimeUs = try members.time(.E, cursor)
        update.transactionTimeUs = try members.time(.T, cursor)
        update.extras = try members.extras(cursor)
        if update.last < update.first { throw try members.need(.u, cursor).error(.idsDecrease) }
        levels.begin()
        var bids = try members.array(.b, cursor)
        try levels.read(&bids, into: &update.bids)
        var asks = try members.array(.a, cursor)
        try levels.read(&asks, into: &update.asks)
        update.scales = levels.scales
        if depthStream == .diff { return .depthUpdate }
        moveUpdateToSnapshot()
        return .partialDepth
    }

    /// Futures partial depth looks like a depth update; what was parsed as one is the state at its last id.
    mutating func moveUpdateToSnapshot() {
        snapshot.symbol = update.symbol
        snapshot.lastUpdateID = update.last
        snapshot.eventTimeUs = update.eventTimeUs
        snapshot.transactionTimeUs = update.transactionTimeUs
        snapshot.scales = update.scales
        swap(&snapshot.bids, &update.bids)
        swap(&snapshot.asks, &update.asks)
        update.reset()
    }

    private mutating func fillSnapshot(_ members: JSONMembers, _ cursor: JSONCursor) throws(ParseError) {
        snapshot.lastUpdateID = UpdateID(try members.integer(.lastUpdateId, cursor))
        snapshot.eventTimeUs = try members.time(.E, cursor)
        snapshot.transactionTimeUs = try members.time(.T, cursor)
        snapshot.symbol = members.has(.symbol) ? try members.symbol(.symbol, cursor) : SymbolName()
        levels.begin()
        var bids = try members.array(.bids, cursor)
        try levels.read(&bids, into: &snapshot.bids)
        var asks = try members.array(.asks, cursor)
        try levels.read(&asks, into: &snapshot.asks)
        snapshot.scales = levels.scales
    }

    /// The symbol at the beginning of a stream name, its ASCII letters uppercased.
    func symbolOfStream(_ cursor: JSONCursor) throws(ParseError) -> SymbolName {
        guard let stream else { return SymbolName() }
        return try cursor.capitalSymbol(stream.lowerBound..<cursor.first(UInt8(ascii: "@"), in: stream))
    }

    private mutating func fillTicker(
        _ members: JSONMembers, _ cursor: JSONCursor
    ) throws(ParseError) -> MessageKind {
        ticker.symbol = try members.symbol(.s, cursor)
        ticker.updateID = UpdateID(try members.integer(.u, cursor))
        ticker.eventTimeUs = try members.time(.E, cursor)
        ticker.transactionTimeUs = try members.time(.T, cursor)
        var numbers = TickerNumbers()
        try numbers.bidPrice.read(try members.need(.b, cursor))
        try numbers.bidQuantity.read(try members.need(.B, cursor))
        try numbers.askPrice.read(try members.need(.a, cursor))
        try numbers.askQuantity.read(try members.need(.A, cursor))
        try numbers.fill(&ticker, try members.need(.b, cursor))
        return .bookTicker
    }

    /// A depth body as the result of a WebSocket API request; any other reply is irrelevant here.
    private mutating func fillResult(
        _ members: JSONMembers, _ cursor: JSONCursor
    ) throws(ParseError) -> MessageKind {
        if let refusal = members.find(.error, cursor), refusal.byte != UInt8(ascii: "n") {
            return try other(members, cursor)
        }
        guard var result = members.find(.result, cursor), result.byte == UInt8(ascii: "{") else {
            return try other(members, cursor)
        }
        try refuseOnDepthStream(members, cursor)
        let inner = try JSONMembers(&result)
        if !inner.has(.lastUpdateId) { return .other }
        try fillSnapshot(inner, cursor)
        return .depthSnapshot
    }
}

extension JSONMembers {
    fileprivate func integer(_ key: Key, _ cursor: JSONCursor) throws(ParseError) -> Int64 {
        var value = try need(key, cursor)
        return try value.integer()
    }

    /// A checksum as added by converters of another venue's traffic; this venue sends none.
    fileprivate func checksum(_ cursor: JSONCursor) throws(ParseError) -> UInt32? {
        guard var value = find(.checksum, cursor) else { return nil }
        guard let sum = UInt32(exactly: try value.integer()) else { throw value.error(.numberTooLarge) }
        return sum
    }

    /// What is not the venue's own in a depth update; nil if nothing is.
    fileprivate func extras(_ cursor: JSONCursor) throws(ParseError) -> UpdateExtras? {
        if !has(.checksum) && !has(.lobBidsProvenTo) && !has(.lobAsksProvenTo) { return nil }
        var extras = UpdateExtras()
        extras.checksum = try checksum(cursor)
        let bids = try provenRange(.lobBidsProvenTo, cursor)
        let asks = try provenRange(.lobAsksProvenTo, cursor)
        extras.priceDecimals = max(bids.decimals, asks.decimals)
        extras.provenBids = bids.range.fitted(from: bids.decimals, to: extras.priceDecimals, on: .bid)
        extras.provenAsks = asks.range.fitted(from: asks.decimals, to: extras.priceDecimals, on: .ask)
        return extras
    }

    /// A price in quotes or `"nothing"`; unbounded if absent.
    private func provenRange(
        _ key: Key, _ cursor: JSONCursor
    ) throws(ParseError) -> (range: ProvenRange, decimals: UInt8) {
        guard var value = find(key, cursor) else { return (.unbounded, 0) }
        var text = value
        if cursor.matches(try text.string(), "nothing") { return (.nothing, 0) }
        let before = value
        var decimals = 0
        let mantissa = try value.quotedDecimal(&decimals, else: .fieldType)
        if mantissa > Price.mantissaMax { throw before.error(.numberTooLarge) }
        return (.to(Price(mantissa)), UInt8(decimals))
    }

    /// A time in microseconds, 0 if absent.
    fileprivate func time(_ key: Key, _ cursor: JSONCursor) throws(ParseError) -> Int64 {
        guard var value = find(key, cursor) else { return 0 }
        return microseconds(try value.integer())
    }

    fileprivate func symbol(_ key: Key, _ cursor: JSONCursor) throws(ParseError) -> SymbolName {
        var value = try need(key, cursor)
        return try cursor.symbol(try value.name())
    }

    /// A cursor after the opening bracket of an array.
    fileprivate func array(_ key: Key, _ cursor: JSONCursor) throws(ParseError) -> JSONCursor {
        var value = try need(key, cursor)
        try value.expect(UInt8(ascii: "["), else: .fieldType)
        return value
    }
}
