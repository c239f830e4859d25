// What a REST request asks.

import MarketData

/// A REST request that the venue understands.
package enum RestRequest: Hashable, Sendable {
    /// Nothing.
    case ping
    /// The venue's time.
    case time
    /// The facts of these symbols; nil: of all.
    case exchangeInfo([SymbolName]?)
    /// The best levels of a symbol; nil: as many as the market gives who does not say.
    case depth(SymbolName, limit: Int?)
    /// The best prices of one symbol.
    case bookTicker(SymbolName)
    /// The best prices of several symbols; nil: of all.
    case bookTickers([SymbolName]?)
}
