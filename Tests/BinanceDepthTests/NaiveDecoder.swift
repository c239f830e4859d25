// The messages of the venue as Foundation reads them, by rules written a second time and without any speed.
//
// Strict where the parser is: levels, decimals, ids. It knows nothing of field order, of duplicate fields or of
// escapes in names, so it may accept what the parser refuses; never may it refuse or read otherwise what the
// parser accepts. Bytes beyond ASCII are widened one by one first, for Foundation would refuse broken UTF-8.

import Foundation
import MarketData

@testable import BinanceDepth

enum NaiveDecoder {
    /// What the message says; nil if it is none that the parser may accept.
    static func decode(_ message: [UInt8], _ market: Market) -> Parsed? {
        let text = String(String.UnicodeScalarView(message.map { Unicode.Scalar($0) }))
        guard let json = try? JSONSerialization.jsonObject(with: Data(text.utf8)) else { return nil }
        guard let outer = json as? [String: Any] else { return Parsed(kind: .other) }
        if let stream = outer["stream"] {
            guard let name = stream as? String, let data = outer["data"] else { return nil }
            guard let inner = data as? [String: Any] else { return other(name) }
            return content(inner, market, narrow(name))
        }
        if let event = outer["event"] {
            guard let inner = event as? [String: Any] else { return Parsed(kind: .other) }
            return content(inner, market, nil)
        }
        return content(outer, market, nil)
    }

    private static func other(_ stream: String?) -> Parsed {
        Parsed(kind: .other, stream: stream.map(narrow))
    }

    /// Undoes the widening.
    private static func narrow(_ text: String) -> String {
        String(decoding: text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }, as: UTF8.self)
    }

    private static func content(_ fields: [String: Any], _ market: Market, _ stream: String?) -> Parsed? {
        if let event = fields["e"] {
            switch event as? String {
            case "depthUpdate": return update(fields, market, stream)
            case "bookTicker": return ticker(fields, stream)
            case "serverShutdown": return Parsed(kind: .serverShutdown, stream: stream)
            default: return Parsed(kind: .other, stream: stream)
            }
        }
        if fields["lastUpdateId"] != nil {
            return snapshot(fields, stream == nil ? .depthSnapshot : .partialDepth, stream)
        }
        if fields["u"] != nil && (fields["B"] != nil || fields["A"] != nil) { return ticker(fields, stream) }
        return reply(fields, stream)
    }

    private static func update(_ fields: [String: Any], _ market: Market, _ stream: String?) -> Parsed? {
        let kind = stream?.drop { $0 != "@" }.dropFirst() ?? ""
        if kind.hasPrefix("rpiDepth") { return Parsed(kind: .other, stream: stream) }
        let isPartial = kind.hasPrefix("depth") && "123456789".contains(kind.dropFirst(5).first ?? "@")
        var parsed = Parsed(kind: isPartial ? .partialDepth : .depthUpdate, stream: stream)
        guard let symbol = symbol(fields["s"]), let first = integer(fields["U"]),
            let last = integer(fields["u"]),
            first <= last, times(fields, &parsed), levels(fields["b"], fields["a"], &parsed)
        else { return nil }
        parsed.symbol = symbol
        parsed.ids = isPartial ? [last] : [first, last]
        if market != .spot {
            guard let previous = integer(fields["pu"]) else { return nil }
            if !isPartial { parsed.ids.append(previous) }
        }
        return parsed
    }

    private static func snapshot(_ fields: [String: Any], _ kind: MessageKind, _ stream: String?) -> Parsed? {
        var parsed = Parsed(kind: kind, stream: stream)
        guard let id = integer(fields["lastUpdateId"]), times(fields, &parsed),
            levels(fields["bids"], fields["asks"], &parsed)
        else { return nil }
        parsed.ids = [id]
        if let name = fields["symbol"] {
            guard let symbol = symbol(name) else { return nil }
            parsed.symbol = symbol
        } else if let stream {
            // ASCII only, byte by byte: other scripts have capitals too.
            parsed.symbol = String(
                decoding: stream.utf8.prefix { $0 != 0x40 }.map { $0 >= 0x61 && $0 <= 0x7A ? $0 - 32 : $0 },
                as: UTF8.self)
            if parsed.symbol.isEmpty || parsed.symbol.utf8.count > SymbolName.lengthMax { return nil }
        }
        return parsed
    }

    private static func ticker(_ fields: [String: Any], _ stream: String?) -> Parsed? {
        var parsed = Parsed(kind: .bookTicker, stream: stream)
        guard let symbol = symbol(fields["s"]), let id = integer(fields["u"]), times(fields, &parsed),
            let bid = decimal(fields["b"]), let bidQuantity = decimal(fields["B"]),
            let ask = decimal(fields["a"]), let askQuantity = decimal(fields["A"]),
            max(bid.mantissa, ask.mantissa) <= Price.mantissaMax
        else { return nil }
        let prices = [bid, ask].filter { $0.mantissa != 0 }.map(\.decimals)
        let quantities = [bidQuantity, askQuantity].filter { $0.mantissa != 0 }.map(\.decimals)
        guard Set(prices).count <= 1, Set(quantities).count <= 1 else { return nil }
        parsed.symbol = symbol
        parsed.ids = [id]
        parsed.scales = SymbolScales(
            priceDecimals: prices.first ?? bid.decimals,
            quantityDecimals: quantities.first ?? bidQuantity.decimals)
        parsed.bids = [PriceLevel(bid.mantissa, bidQuantity.mantissa)]
        parsed.asks = [PriceLevel(ask.mantissa, askQuantity.mantissa)]
        return parsed
    }

    private static func reply(_ fields: [String: Any], _ stream: String?) -> Parsed? {
        var reply = ControlReply()
        if let error = fields["error"] as? [String: Any] {
            guard let code = error["code"] as? Int64 else { return nil }
            (reply.isError, reply.code) = (true, code)
        } else if fields["error"] != nil && !(fields["error"] is NSNull) {
            return nil
        } else if let code = fields["code"], fields["msg"] != nil {
            guard let code = code as? Int64 else { return nil }
            (reply.isError, reply.code) = (true, code)
        } else if let result = fields["result"] {
            if let inner = result as? [String: Any], inner["lastUpdateId"] != nil {
                return snapshot(inner, .depthSnapshot, stream)
            }
        } else {
            return Parsed(kind: .other, stream: stream)
        }
        return Parsed(kind: reply.isError ? .errorReply : .controlReply, stream: stream, reply: reply)
    }

    // MARK: - Values

    private static func symbol(_ value: Any?) -> String? {
        guard let text = (value as? String).map(narrow), !text.isEmpty else { return nil }
        return text.utf8.count <= SymbolName.lengthMax || text.contains("\u{FFFD}") ? text : nil
    }

    private static func integer(_ value: Any?) -> Int64? {
        guard let number = value as? Int64, number >= 0 else { return nil }
        return number
    }

    private static func times(_ fields: [String: Any], _ parsed: inout Parsed) -> Bool {
        for (key, path) in [("E", \Parsed.eventTimeUs), ("T", \Parsed.transactionTimeUs)] {
            guard let value = fields[key] else { continue }
            guard let time = integer(value) else { return false }
            parsed[keyPath: path] = time < 100_000_000_000_000 ? time * 1000 : time
        }
        return true
    }

    private static func decimal(_ value: Any?) -> (mantissa: Int64, decimals: Int)? {
        guard let text = value as? String else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let digits = parts.joined()
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }), digits.utf8.count <= 19,
            digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            parts[0].utf8.count == 1 || !parts[0].hasPrefix("0"), let mantissa = Int64(digits)
        else { return nil }
        return (mantissa, parts.count == 2 ? parts[1].utf8.count : 0)
    }

    private static func levels(_ bids: Any?, _ asks: Any?, _ parsed: inout Parsed) -> Bool {
        guard let bids = bids as? [Any], let asks = asks as? [Any] else { return false }
        var prices: [Int] = []
        var quantities: [(mantissa: Int64, decimals: Int)] = []
        func read(_ side: [Any]) -> [PriceLevel]? {
            var levels: [PriceLevel] = []
            for row in side {
                guard let row = row as? [Any],
                    row.count == 2 || (row.count == 3 && (row[2] as? [Any])?.isEmpty == true),
                    let price = decimal(row[0]), let quantity = decimal(row[1]),
                    price.mantissa <= Price.mantissaMax
                else { return nil }
                prices.append(price.decimals)
                quantities.append(quantity)
                levels.append(PriceLevel(price.mantissa, quantity.mantissa))
            }
            return levels
        }
        guard let bidLevels = read(bids), let askLevels = read(asks) else { return false }
        let shown = quantities.filter { $0.mantissa != 0 }.map(\.decimals)
        guard Set(prices).count <= 1, Set(shown).count <= 1 else { return false }
        parsed.bids = bidLevels
        parsed.asks = askLevels
        if let price = prices.first {
            parsed.scales = SymbolScales(
                priceDecimals: price, quantityDecimals: shown.first ?? quantities[0].decimals)
        }
        return true
    }
}
