// The answers that are text: `time`, `exchangeInfo`, best prices. Rare, so made of strings.

import BinanceVenue
import MarketData

extension Market {
    /// What the paths of the market's requests begin with.
    var requestPath: String {
        switch self {
        case .spot: "/api/v3"
        case .usdm: "/fapi/v1"
        case .coinm: "/dapi/v1"
        }
    }

    /// Levels a side that a depth request gets: what it asks for, at most 5000; what the market gives who
    /// does not say.
    public func levelCount(of limit: Int?) -> Int {
        min(limit ?? (self == .spot ? 100 : 500), 5_000)
    }
}

extension VenueSymbol {
    /// What `exchangeInfo` says of it.
    public var facts: ListedSymbol {
        ListedSymbol(
            name: name, market: profile.market, scales: profile.scales, tick: profile.tick,
            quantityStep: profile.quantityStep)
    }
}

extension Venue {
    /// Answers `ping`, `time` or `exchangeInfo` of a market with these symbols.
    ///
    /// - Precondition: the question is one of the three.
    public mutating func answerFacts(
        _ question: VenueQuestion, _ symbols: [ListedSymbol], isMicroseconds: Bool,
        _ response: inout VenueResponse
    ) {
        let time = isMicroseconds ? nowUs : nowUs / 1_000
        switch question {
        case .ping: response.body = Array("{}".utf8)
        case .time: response.body = Array("{\"serverTime\":\(time)}".utf8)
        case .exchangeInfo(nil): response.body = Array(exchangeInfo(symbols, serverTime: time).utf8)
        case .exchangeInfo(let names?):
            var found: [ListedSymbol] = []
            for name in names {
                guard let symbol = symbols.first(where: { $0.name == name }) else {
                    return refuse(&response, .badSymbol)
                }
                found.append(symbol)
            }
            response.body = Array(exchangeInfo(found, serverTime: time).utf8)
        case .depth, .bookTicker, .bookTickers: preconditionFailure("no question of facts")
        }
    }

    private func exchangeInfo(_ symbols: [ListedSymbol], serverTime: Int64) -> String {
        func limit(_ type: String, _ interval: String, _ count: Int, _ limit: Int) -> String {
            "{\"rateLimitType\":\"\(type)\",\"interval\":\"\(interval)\",\"intervalNum\":\(count),"
                + "\"limit\":\(limit)}"
        }
        let weight = limit("REQUEST_WEIGHT", "MINUTE", 1, configuration.market.weightPool.weightPerMinute)
        let limits =
            configuration.market == .spot
            ? [
                weight, limit("ORDERS", "SECOND", 10, 100), limit("ORDERS", "DAY", 1, 200_000),
                limit("RAW_REQUESTS", "MINUTE", 5, 300_000),
            ] : [weight, limit("ORDERS", "MINUTE", 1, 1_200)]
        var assets: [String] = []
        if configuration.market == .usdm {
            assets = Set(symbols.map(\.assets.quote)).sorted().map {
                "{\"asset\":\"\($0)\",\"marginAvailable\":true,\"autoAssetExchange\":\"-10000\"}"
            }
        }
        let list = symbols.map(\.json).joined(separator: ",")
        return "{\"timezone\":\"UTC\",\"serverTime\":\(serverTime),"
            + (configuration.market == .usdm
                ? "\"futuresType\":\"U_MARGINED\",\"assets\":[\(assets.joined(separator: ","))]," : "")
            + "\"rateLimits\":[\(limits.joined(separator: ","))],\"exchangeFilters\":[],"
            + "\"symbols\":[\(list)]}"
    }

    /// The object of `ticker/bookTicker` of a state; a side without levels shows zeros.
    public func bestPrices(of snapshot: borrowing DepthSnapshot) -> String {
        let scales = snapshot.scales ?? SymbolScales(priceDecimals: 8, quantityDecimals: 8)
        let bid = snapshot.bids.count > 0 ? snapshot.bids[0] : PriceLevel(0, 0)
        let ask = snapshot.asks.count > 0 ? snapshot.asks[0] : PriceLevel(0, 0)
        let symbol = "\(snapshot.symbol)"
        let prices =
            "\"bidPrice\":\"\(scales.text(bid.price))\",\"bidQty\":\"\(scales.text(bid.quantity))\","
            + "\"askPrice\":\"\(scales.text(ask.price))\",\"askQty\":\"\(scales.text(ask.quantity))\""
        switch configuration.market {
        case .spot: return "{\"symbol\":\"\(symbol)\",\(prices)}"
        case .usdm, .coinm:
            let pair = configuration.market == .coinm ? "\"pair\":\"\(symbol.prefix { $0 != "_" })\"," : ""
            return "{\"lastUpdateId\":\(snapshot.lastUpdateID),\"symbol\":\"\(symbol)\",\(pair)\(prices),"
                + "\"time\":\(snapshot.transactionTimeUs / 1_000)}"
        }
    }
}
