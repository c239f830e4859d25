// The content of a REST request.

import MarketData

/// A REST request that the venue understands. Of one symbol the answer is a refusal if its status is another
/// than the one asked for; of several, those with another status are left out.
package enum RestRequest: Hashable, Sendable {
    /// No content.
    case ping
    /// The venue's time.
    case time
    /// Properties of these symbols; nil: of all.
    case exchangeInfo([SymbolName]?, status: TradingStatus? = nil)
    /// The best levels of a symbol; nil: the market's default depth.
    case depth(SymbolName, limit: Int?, status: TradingStatus? = nil)
    /// The best prices of one symbol.
    case bookTicker(SymbolName, status: TradingStatus? = nil)
    /// The best prices of several symbols; nil: of all.
    case bookTickers([SymbolName]?, status: TradingStatus? = nil)
    /// The best prices of the symbols of a pair, in upper case; COIN-M only.
    case bookTickersOfPair(String)
}
