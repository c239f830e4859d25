// The symbol a snapshot is requested for.

import MarketData

/// A symbol of one market.
public struct SnapshotKey: Hashable, Sendable {
    /// The venue's number for its market; only the maker of keys knows what it means.
    public var marketNumber: UInt8
    /// Its name.
    public var symbol: SymbolName

    /// The key of this symbol.
    public init(marketNumber: UInt8, symbol: SymbolName) {
        self.marketNumber = marketNumber
        self.symbol = symbol
    }
}
