// Form of the answers: headers, time units, and the bodies common to all servers.

import BinanceVenue
import MarketData

extension ServingRules {
    /// The request header, in lower case, with which a spot client requests microseconds.
    package static let timeUnitHeader = "x-mbx-time-unit"

    /// Whether a client requests times in µs instead of ms, by its header or the `timeUnit` in its query.
    package func asksForMicroseconds(_ unit: String?) -> Bool {
        market == .spot && unit?.uppercased() == "MICROSECOND"
    }

    /// Headers by which a client paces itself.
    ///
    /// - Parameters:
    ///   - usedWeight: the address's weight in this minute.
    ///   - retryAfterSeconds: with 429 and 418.
    package static func limitHeaders(
        usedWeight: Int, retryAfterSeconds: Int?
    ) -> [(name: String, value: String)] {
        var headers = [(name: "X-MBX-USED-WEIGHT-1M", value: "\(usedWeight)")]
        if let retryAfterSeconds { headers.append((name: "Retry-After", value: "\(retryAfterSeconds)")) }
        return headers
    }

    /// All headers of an answer except type and length. Parameters as in `limitHeaders`.
    ///
    /// - Parameter timeUs: now, in microseconds since 1970.
    package func headers(
        usedWeight: Int, retryAfterSeconds: Int?, atUs timeUs: Int64
    ) -> [(name: String, value: String)] {
        var headers = ServingRules.limitHeaders(usedWeight: usedWeight, retryAfterSeconds: retryAfterSeconds)
        headers.append((name: "Date", value: httpDate(timeUs)))
        if market == .spot { headers.append((name: "X-MBX-USED-WEIGHT", value: "\(usedWeight)")) }
        return headers
    }

    /// The type of a body; only the proxy in front of the venue ever answers with HTML.
    package static func contentType(of body: [UInt8]) -> String {
        body.first == UInt8(ascii: "<") ? "text/html" : "application/json;charset=UTF-8"
    }

    /// The body of `time`.
    package func timeBody(atUs timeUs: Int64, isMicroseconds: Bool) -> String {
        "{\"serverTime\":\(isMicroseconds ? timeUs : timeUs / 1_000)}"
    }

    /// The body of `exchangeInfo`.
    ///
    /// - Parameters:
    ///   - symbols: one JSON object per symbol.
    ///   - marginAssets: assets in which positions can be held; USD-M only, ignored elsewhere.
    package func exchangeInfoBody(
        symbols: [String], marginAssets: [String], atUs timeUs: Int64, isMicroseconds: Bool
    ) -> String {
        func limit(_ type: String, _ interval: String, _ count: Int, _ limit: Int) -> String {
            "{\"rateLimitType\":\"\(type)\",\"interval\":\"\(interval)\",\"intervalNum\":\(count),"
                + "\"limit\":\(limit)}"
        }
        let weight = limit("REQUEST_WEIGHT", "MINUTE", 1, weightMax)
        let limits =
            market == .spot
            ? [
                weight, limit("ORDERS", "SECOND", 10, 100), limit("ORDERS", "DAY", 1, 200_000),
                limit("RAW_REQUESTS", "MINUTE", 5, 300_000),
            ] : [weight, limit("ORDERS", "MINUTE", 1, 1_200)]
        let assets = marginAssets.map {
            "{\"asset\":\"\($0)\",\"marginAvailable\":true,\"autoAssetExchange\":\"-10000\"}"
        }
        return "{\"timezone\":\"UTC\",\"serverTime\":\(isMicroseconds ? timeUs : timeUs / 1_000),"
            + (market == .usdm
                ? "\"futuresType\":\"U_MARGINED\",\"assets\":[\(assets.joined(separator: ","))]," : "")
            + "\"rateLimits\":[\(limits.joined(separator: ","))],\"exchangeFilters\":[],"
            + "\"symbols\":[\(symbols.joined(separator: ","))]}"
    }

    /// The body of `exchangeInfo` as the venue itself wrote it, with the current time and some of its
    /// symbols.
    ///
    /// - Parameters:
    ///   - texts: the venue's.
    ///   - symbols: one JSON object per symbol.
    ///   - timeUs: now, in microseconds since 1970.
    ///   - isMicroseconds: whether to give the time in microseconds.
    package func exchangeInfoBody(
        as texts: ListTexts, symbols: [[UInt8]], atUs timeUs: Int64, isMicroseconds: Bool
    ) -> [UInt8] {
        var body = [UInt8(ascii: "{")]
        for member in texts.members {
            if body.count > 1 { body.append(UInt8(ascii: ",")) }
            body += "\"\(member.name)\":".utf8
            switch member.name {
            case ListTexts.time: body += "\(isMicroseconds ? timeUs : timeUs / 1_000)".utf8
            case ListTexts.list:
                body.append(UInt8(ascii: "["))
                for (place, symbol) in symbols.enumerated() {
                    if place > 0 { body.append(UInt8(ascii: ",")) }
                    body += symbol
                }
                body.append(UInt8(ascii: "]"))
            default: body += member.value
            }
        }
        body.append(UInt8(ascii: "}"))
        return body
    }

    /// The pair of a futures symbol: the part before the underscore.
    package static func pair(of symbol: SymbolName) -> String { String("\(symbol)".prefix { $0 != "_" }) }

    /// The body of `ticker/bookTicker` for one symbol: its object, on COIN-M in a list.
    package func bookTickerBody(_ object: String) -> String { market == .coinm ? "[\(object)]" : object }

    /// The `ticker/bookTicker` object of a state; a side without levels shows zeros.
    package func bestPrices(of snapshot: borrowing DepthSnapshot) -> String {
        let scales = snapshot.scales ?? SymbolScales(priceDecimals: 8, quantityDecimals: 8)
        let bid = snapshot.bids.count > 0 ? snapshot.bids[0] : PriceLevel(0, 0)
        let ask = snapshot.asks.count > 0 ? snapshot.asks[0] : PriceLevel(0, 0)
        let symbol = "\(snapshot.symbol)"
        let prices =
            "\"bidPrice\":\"\(scales.text(bid.price))\",\"bidQty\":\"\(scales.text(bid.quantity))\","
            + "\"askPrice\":\"\(scales.text(ask.price))\",\"askQty\":\"\(scales.text(ask.quantity))\""
        switch market {
        case .spot: return "{\"symbol\":\"\(symbol)\",\(prices)}"
        case .usdm, .coinm:
            let pair = market == .coinm ? "\"pair\":\"\(ServingRules.pair(of: snapshot.symbol))\"," : ""
            return "{\"lastUpdateId\":\(snapshot.lastUpdateID),\"symbol\":\"\(symbol)\",\(pair)\(prices),"
                + "\"time\":\(snapshot.transactionTimeUs / 1_000)}"
        }
    }
}
