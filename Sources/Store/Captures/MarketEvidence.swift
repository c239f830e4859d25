// The market of a capture, judged by its messages: futures updates carry `pu`, and COIN-M symbols are quoted
// in USD after an underscore.

import BinanceVenue
import MarketData

/// Which markets the messages of a capture show, and where each was first shown.
package struct MarketEvidence: Sendable {
    /// A market shown by an update, and where.
    package struct Sign: Hashable, Sendable {
        /// The market.
        package let market: Market
        /// File and line.
        package let origin: String
    }

    /// Evidence from whole depth updates, one entry per market, in the order of the capture.
    package private(set) var events: [Sign] = []
    /// Evidence from other messages: less certain, used only if there is no update.
    package private(set) var others: [Sign] = []

    /// No evidence.
    package init() {}

    /// Records the evidence of a depth update.
    mutating func note(_ market: Market, _ origin: @autoclosure () -> String) {
        if events.contains(where: { $0.market == market }) { return }
        events.append(Sign(market: market, origin: origin()))
    }

    /// Records the evidence of another message.
    mutating func noteOther(_ market: Market, _ origin: @autoclosure () -> String) {
        if others.contains(where: { $0.market == market }) { return }
        others.append(Sign(market: market, origin: origin()))
    }

    /// The futures market of a symbol.
    static func futures(_ symbol: SymbolName) -> Market {
        let (name, mark) = (symbol.capital.bytes, Array("USD_".utf8))
        let isCoin = name.indices.contains { name[$0...].starts(with: mark) }
        return isCoin ? .coinm : .usdm
    }
}

/// The market of a capture, and whether it is certain.
package struct IdentifiedMarket: Hashable, Sendable {
    /// The market.
    package let market: Market
    /// Whether it is a guess because nothing in the capture tells.
    package let isGuess: Bool
}

/// Why a capture has no single market.
package enum MarketError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Updates of two markets.
    case mixed(MarketEvidence.Sign, MarketEvidence.Sign)
    /// Updates of a market other than the one named.
    case contradicted(MarketEvidence.Sign)

    /// A sentence for display.
    package var description: String {
        switch self {
        case .mixed(let first, let second):
            "\(second.origin): this is a \(second.market.name) event, that of \(first.origin) is "
                + "\(first.market.name)'s; captures are replayed together only if they are of one market."
        case .contradicted(let sign) where sign.market == .spot:
            "\(sign.origin): these are spot updates; use --market spot."
        case .contradicted(let sign):
            "\(sign.origin): these are futures updates; use --market \(sign.market.name)."
        }
    }
}

extension MarketEvidence {
    /// The market: the one named, otherwise the one shown, otherwise spot.
    ///
    /// - Throws: if several are shown, or one other than named.
    package func market(named: Market?) throws(MarketError) -> IdentifiedMarket {
        if let named {
            if let other = events.first(where: { $0.market != named }) { throw .contradicted(other) }
            return IdentifiedMarket(market: named, isGuess: false)
        }
        if events.count > 1 { throw .mixed(events[0], events[1]) }
        if let sign = events.first { return IdentifiedMarket(market: sign.market, isGuess: false) }
        if others.count == 1 {
            return IdentifiedMarket(market: others[0].market, isGuess: others[0].market == .spot)
        }
        return IdentifiedMarket(market: .spot, isGuess: true)
    }
}
