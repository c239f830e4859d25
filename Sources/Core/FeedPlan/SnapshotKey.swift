// Whose snapshot is wanted.

import MarketData

/// A symbol of one market.
public struct SnapshotKey: Hashable, Sendable {
    /// The venue's number of its market; only who makes keys knows what it means.
    public var marketNumber: UInt8
    /// Its name.
    public var symbol: SymbolName

    /// The key of this symbol.
    public init(marketNumber: UInt8, symbol: SymbolName) {
        self.marketNumber = marketNumber
        self.symbol = symbol
    }
}
