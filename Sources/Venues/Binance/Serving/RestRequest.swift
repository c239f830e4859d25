// The content of a REST request.

import MarketData

/// A REST request that the venue understands.
package enum RestRequest: Hashable, Sendable {
    /// No content.
    case ping
    /// The venue's time.
    case time
    /// Properties of these symbols; nil: of all.
    case exchangeInfo([SymbolName]?)
    /// The best levels of a symbol; nil: the market's default depth.
    case depth(SymbolName, limit: Int?)
    /// The best prices of one symbol.
    case bookTicker(SymbolName)
    /// The best prices of several symbols; nil: of all.
    case bookTickers([SymbolName]?)
    /// The best prices of the symbols of a pair, in upper case; COIN-M only.
    case bookTickersOfPair(String)
}
