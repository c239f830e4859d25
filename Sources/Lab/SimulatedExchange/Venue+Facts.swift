// The answers about the whole market: `ping`, `time`, `exchangeInfo`.

import BinanceServing
import MarketData

extension VenueSymbol {
    /// What `exchangeInfo` says about the symbol.
    package var facts: ListedSymbol {
        ListedSymbol(
            name: name, market: profile.market, scales: profile.scales, tick: profile.tick,
            quantityStep: profile.quantityStep)
    }
}

extension Venue {
    /// Answers `ping`, `time` or `exchangeInfo` of a market with these symbols.
    ///
    /// - Precondition: the request is one of the three.
    package mutating func answerFacts(
        _ request: RestRequest, _ symbols: [ListedSymbol], isMicroseconds: Bool,
        _ response: inout VenueResponse
    ) {
        switch request {
        case .ping: response.body = Array("{}".utf8)
        case .time: response.body = Array(rules.timeBody(atUs: nowUs, isMicroseconds: isMicroseconds).utf8)
        case .exchangeInfo(nil, let status):
            let listed = Venue.have(status) ? symbols : []
            response.body = exchangeInfo(listed, isMicroseconds: isMicroseconds)
        case .exchangeInfo(let names?, _):
            var found: [ListedSymbol] = []
            for name in names {
                guard let symbol = symbols.first(where: { $0.name == name }) else {
                    return refuse(&response, .badSymbol)
                }
                found.append(symbol)
            }
            response.body = exchangeInfo(found, isMicroseconds: isMicroseconds)
        case .depth, .bookTicker, .bookTickers, .bookTickersOfPair:
            preconditionFailure("no request for facts")
        }
    }

    /// Whether the symbols here have a status: all of them are always trading.
    package static func have(_ status: TradingStatus?) -> Bool { status == nil || status == .trading }

    private func exchangeInfo(_ symbols: [ListedSymbol], isMicroseconds: Bool) -> [UInt8] {
        let body = rules.exchangeInfoBody(
            symbols: symbols.map(\.json), marginAssets: Set(symbols.map(\.assets.quote)).sorted(),
            atUs: nowUs, isMicroseconds: isMicroseconds)
        return Array(body.utf8)
    }
}
