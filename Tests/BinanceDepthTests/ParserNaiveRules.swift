// The rules of the messages over the naive tree: which kind a message is, and what it must have.

import BinanceVenue
import Foundation
import MarketData
import TestSupport

extension BookContents {
    /// What the message delivers; nil if it is no message about a book. Throws where it must be refused.
    static func naive(_ text: [UInt8], _ market: Market) throws -> BookContents? {
        let outer = try NaiveObject(try NaiveJSON.tree(text), text)
        if outer["stream"] != nil {
            let stream = try outer.name("stream")
            guard let data = outer["data"] else { throw NaiveRefusal("no data") }
            guard case .object = data else { return nil }
            return try payload(try NaiveObject(data, text), stream, market)
        }
        if let event = outer["event"] {
            guard case .object = event else { return nil }
            return try payload(try NaiveObject(event, text), nil, market)
        }
        if outer["e"] == nil, outer["lastUpdateId"] == nil, outer["u"] == nil || !hasTickerQuantity(outer),
            case .object? = outer["result"]
        {
            let isRefused = if case .object? = outer["error"] { true } else { false }
            let inner = try NaiveObject(outer["result"], text)
            return isRefused || inner["lastUpdateId"] == nil ? nil : try snapshot(inner, nil)
        }
        return try payload(outer, nil, market)
    }

    private static func hasTickerQuantity(_ object: NaiveObject) -> Bool {
        object["B"] != nil || object["A"] != nil
    }

    private static func payload(
        _ object: NaiveObject, _ stream: [UInt8]?, _ market: Market
    ) throws -> BookContents? {
        if let event = object["e"] {
            guard case .string(let range) = event else { return nil }
            switch String(decoding: object.text[range], as: UTF8.self) {
            case "depthUpdate": return try update(object, stream, market)
            case "bookTicker" where !carriesUpdates(stream): return try ticker(object, stream)
            default: return nil
            }
        }
        if carriesUpdates(stream) { throw NaiveRefusal("no update on a stream of them") }
        if object["lastUpdateId"] != nil { return try snapshot(object, stream) }
        return object["u"] != nil && hasTickerQuantity(object) ? try ticker(object, stream) : nil
    }

    /// Whether a stream carries updates and nothing else.
    private static func carriesUpdates(_ stream: [UInt8]?) -> Bool {
        guard let stream, let at = stream.firstIndex(of: 0x40) else { return false }
        let channel = String(decoding: stream[at...], as: UTF8.self)
        return channel == "@depth" || (0...9).contains { channel.hasPrefix("@depth@\($0)") }
    }

    /// Of updates, or of the best levels.
    private nonisolated(unsafe) static let depthChannel = /@depth([1-9][0-9]*)?(@[0-9]+ms)?/

    private static func update(
        _ object: NaiveObject, _ stream: [UInt8]?, _ market: Market
    ) throws -> BookContents? {
        let channel = stream.flatMap { name in name.firstIndex(of: 0x40).map { Array(name[$0...]) } } ?? []
        if channel.starts(with: "@rpiDepth".utf8) { return nil }
        if stream != nil, String(decoding: channel, as: UTF8.self).wholeMatch(of: depthChannel) == nil {
            throw NaiveRefusal("a stream that carries no depth")
        }
        let isPartial = channel.count > 6 && channel[6] != 0x40
        var found = BookContents(kind: isPartial ? .partialDepth : .depthUpdate, stream: stream)
        found.symbol = try object.symbol("s")
        found.first = try object.integer("U")
        found.last = try object.integer("u")
        if market != .spot { found.previousLast = try object.integer("pu") }
        found.eventTimeUs = try object.timeUs("E")
        found.transactionTimeUs = try object.timeUs("T")
        if found.last < found.first { throw NaiveRefusal("ids decrease") }
        try found.fillLevels(object["b"], object["a"], object.text)
        found.extras = try extras(object)
        if isPartial { (found.first, found.previousLast, found.extras) = (0, nil, nil) }
        return found
    }

    /// Both ranges in the decimals of the longer price.
    private static func extras(_ object: NaiveObject) throws -> UpdateExtras? {
        let names = ["lobBidsProvenTo", "lobAsksProvenTo"]
        let prices = try names.map { name -> NaiveDecimal? in
            if object[name] == nil { return nil }
            if try object.string(name) == Array("nothing".utf8) { return nil }
            let price = try NaiveDecimal(object[name], object.text)
            if price.mantissa > Price.mantissaMax { throw NaiveRefusal("price too large") }
            return price
        }
        if names.allSatisfy({ object[$0] == nil }) { return nil }
        var found = UpdateExtras()
        let decimals = prices.compactMap { $0?.decimals }.max() ?? 0
        let ranges = zip(names, prices).map { name, price -> ProvenRange in
            guard let price else { return object[name] == nil ? .unbounded : .nothing }
            // What has no room with these decimals proves nothing.
            guard let mantissa = try? price.mantissa(withDecimals: decimals), mantissa <= Price.mantissaMax
            else { return .nothing }
            return .to(Price(mantissa))
        }
        (found.provenBids, found.provenAsks) = (ranges[0], ranges[1])
        found.priceDecimals = UInt8(decimals)
        return found
    }

    private static func snapshot(_ object: NaiveObject, _ stream: [UInt8]?) throws -> BookContents {
        var found = BookContents(kind: stream == nil ? .depthSnapshot : .partialDepth, stream: stream)
        found.last = try object.integer("lastUpdateId")
        found.eventTimeUs = try object.timeUs("E")
        found.transactionTimeUs = try object.timeUs("T")
        if object["symbol"] != nil {
            found.symbol = try object.symbol("symbol")
        } else if let stream {
            let capitals = stream.prefix { $0 != 0x40 }.map { $0 >= 0x61 && $0 <= 0x7A ? $0 - 32 : $0 }
            found.symbol = try NaiveObject.symbol(capitals)
        }
        try found.fillLevels(object["bids"], object["asks"], object.text)
        return found
    }

    private static func ticker(_ object: NaiveObject, _ stream: [UInt8]?) throws -> BookContents {
        var found = BookContents(kind: .bookTicker, stream: stream)
        found.symbol = try object.symbol("s")
        found.last = try object.integer("u")
        found.eventTimeUs = try object.timeUs("E")
        found.transactionTimeUs = try object.timeUs("T")
        let bid = try (NaiveDecimal(object["b"], object.text), NaiveDecimal(object["B"], object.text))
        let ask = try (NaiveDecimal(object["a"], object.text), NaiveDecimal(object["A"], object.text))
        if max(bid.0.mantissa, ask.0.mantissa) > Price.mantissaMax { throw NaiveRefusal("price too large") }
        found.priceDecimals = shared(bid.0, ask.0)
        found.quantityDecimals = shared(bid.1, ask.1)
        found.bids = [try found.level(bid.0, bid.1)]
        found.asks = [try found.level(ask.0, ask.1)]
        return found
    }

    private static func shared(_ a: NaiveDecimal, _ b: NaiveDecimal) -> Int {
        if b.mantissa == 0 { return a.decimals }
        return a.mantissa == 0 ? b.decimals : max(a.decimals, b.decimals)
    }

    /// A level in the decimals of the message.
    private func level(_ price: NaiveDecimal, _ quantity: NaiveDecimal) throws -> PriceLevel {
        let level = PriceLevel(
            try price.mantissa(withDecimals: priceDecimals),
            try quantity.mantissa(withDecimals: quantityDecimals))
        if level.price.mantissa > Price.mantissaMax { throw NaiveRefusal("price too large") }
        return level
    }

    private mutating func fillLevels(_ bidRows: RawJSON?, _ askRows: RawJSON?, _ text: [UInt8]) throws {
        var rows: [(price: NaiveDecimal, quantity: NaiveDecimal)] = []
        let bidCount = try BookContents.read(bidRows, text, into: &rows)
        _ = try BookContents.read(askRows, text, into: &rows)
        guard let top = rows.first else { return }
        let counted = rows.filter { $0.quantity.mantissa != 0 }.map(\.quantity.decimals)
        priceDecimals = rows.map(\.price.decimals).max() ?? 0
        quantityDecimals = counted.max() ?? top.quantity.decimals
        let levels = try rows.map { try level($0.price, $0.quantity) }
        bids = Array(levels[..<bidCount])
        asks = Array(levels[bidCount...])
    }

    private static func read(
        _ value: RawJSON?, _ text: [UInt8], into rows: inout [(price: NaiveDecimal, quantity: NaiveDecimal)]
    ) throws -> Int {
        guard case .array(let items) = value else { throw NaiveRefusal("no array of levels") }
        for item in items {
            guard case .array(let parts) = item, parts.count == 2 || parts.count == 3 else {
                throw NaiveRefusal("no level")
            }
            if parts.count == 3 {
                guard case .array(let nothing) = parts[2], nothing.isEmpty else {
                    throw NaiveRefusal("third part")
                }
            }
            let row = (price: try NaiveDecimal(parts[0], text), quantity: try NaiveDecimal(parts[1], text))
            if row.price.mantissa > Price.mantissaMax { throw NaiveRefusal("price too large") }
            rows.append(row)
        }
        return items.count
    }

    /// Whether Foundation reads the same ids and levels out of the same bytes.
    func foundationAgrees(_ text: [UInt8]) throws -> Bool {
        let json = try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any]
        let inner = json?["data"] ?? json?["event"] ?? json?["result"]
        guard let fields = inner as? [String: Any] ?? json else { return false }
        let id = ((fields["lastUpdateId"] ?? fields["u"]) as? NSNumber)?.int64Value
        if kind != .bookTicker {
            return id == last && naiveLevels(fields["b"] ?? fields["bids"]) == bids
                && naiveLevels(fields["a"] ?? fields["asks"]) == asks
        }
        return id == last && naiveLevels([[fields["b"], fields["B"]]]) == bids
            && naiveLevels([[fields["a"], fields["A"]]]) == asks
    }
}
