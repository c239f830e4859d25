// Keys of this venue's snapshots.

import FeedPlan
import MarketData

extension SnapshotKey {
    /// The key of this symbol.
    public init(market: Market, symbol: SymbolName) {
        self.init(marketNumber: market.rawValue, symbol: symbol)
    }

    /// Its market.
    /// - Precondition: the key was made with a market.
    public var market: Market { Market(rawValue: marketNumber)! }
}
