// What a server of the venue's shapes must know about a market: which requests exist, what they cost, and the
// units and headers of the answers. Values in, values out: no venue, no book, no clock.
//
//     path               parameters                                             weight: spot, USD-M, COIN-M
//     -------------------|------------------------------------------------------|--------------------------
//     ping               none                                                   1, 1, 1
//     time               none                                                   1, 1, 1
//     exchangeInfo       symbol or symbols, permissions, … (spot)               20, 1, 1
//     depth              symbol, limit, symbolStatus (spot)                     by limit
//     ticker/bookTicker  symbol, symbols (spot), pair (COIN-M), symbolStatus    2, 4 or 5 for several
//
// The tables of weights and limits are deliberately separate from the client's: where a server and a client
// of this package meet, each is a second opinion on the other.

import BinanceVenue
import MarketData

/// The rules of one market.
package struct ServingRules: Hashable, Sendable {
    /// The market.
    package let market: Market

    /// The rules of a market.
    package init(_ market: Market) { self.market = market }

    /// Request weight allowed to an address per minute; USD-M and COIN-M share one budget.
    package var weightMax: Int { market == .spot ? 6_000 : 2_400 }

    /// Connection attempts allowed to an address in five minutes; nil: no limit is known.
    var attemptCountMax: Int? { market == .spot ? 300 : nil }

    /// The legal depth limits; nil if any from 1 upwards is.
    var depthLimits: [Int]? { market == .spot ? nil : [5, 10, 20, 50, 100, 500, 1_000] }

    /// Levels per side returned for a depth request: its limit, at most 5000, or the market's default.
    package func levelCount(of limit: Int?) -> Int { min(limit ?? (market == .spot ? 100 : 500), 5_000) }

    /// The weight of a request.
    package func weight(of request: RestRequest) -> Int {
        switch request {
        case .ping, .time: 1
        case .exchangeInfo: market == .spot ? 20 : 1
        case .depth(_, let limit?, _): weight(ofLimit: limit)
        case .depth(_, nil, _): market == .spot ? 5 : 1
        case .bookTicker: 2
        case .bookTickers, .bookTickersOfPair: market == .spot ? 4 : 5
        }
    }

    private func weight(ofLimit limit: Int) -> Int {
        switch market {
        case .spot: limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1_000 ? 50 : 250
        case .usdm, .coinm: limit <= 50 ? 2 : limit <= 100 ? 5 : limit <= 500 ? 10 : 20
        }
    }

    /// The request made by a target.
    ///
    /// - Throws: the refusal to answer with; its weight must be charged.
    package func route(_ target: RequestTarget) throws(RestRefusal) -> RestRequest {
        let prefix = market.requestPath + "/"
        guard target.path.hasPrefix(prefix), target.method == "GET" || target.method == "HEAD" else {
            throw .unknownPath(target.path, method: target.method)
        }
        switch target.path.dropFirst(prefix.count) {
        case "ping":
            try allow([], of: target)
            return .ping
        case "time":
            try allow([], of: target)
            return .time
        case "exchangeInfo": return try exchangeInfo(target)
        case "depth": return try depth(target)
        case "ticker/bookTicker": return try bookTicker(target)
        default: throw .unknownPath(target.path, method: target.method)
        }
    }
}
