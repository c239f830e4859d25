// What other threads read of a symbol.

import BinanceVenue
import BookEngine
import DepthBook
import DepthFeed
import LobHandoff
import LobTransport
import MarketData

/// Where the readers of one symbol look.
public struct SymbolReaders: Sendable {
    /// Best levels and trust, after every message.
    public let views: LatestValueReader<BookView>
    /// Status and counters, once a second.
    public let statuses: LatestValueReader<SymbolStatus>
}
