// A whole book, copied.

import BinanceVenue
import BookEngine
import DepthBook
import DepthFeed
import LobHandoff
import LobTransport
import MarketData

/// All levels of a book at one update id.
public struct FullBook: Sendable {
    /// Its status: id, decimals, trust, proven ranges.
    public var status: SymbolStatus
    /// All bids, best first.
    public var bids: [PriceLevel]
    /// All asks, best first.
    public var asks: [PriceLevel]
}
