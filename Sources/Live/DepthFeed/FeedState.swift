// Where a feed stands.

import BinanceVenue
import LobHandoff
import MarketData

/// Where a shard's connections stand.
public enum FeedState: UInt8, Sendable, BitwiseCopyable {
    /// Not started.
    case idle
    /// No connection serves; one is being opened or subscribed, or waits for its time.
    case connecting
    /// A connection serves.
    case connected
    /// A connection serves, and its replacement is on its way or beside it.
    case replacing
    /// Stopped for good.
    case stopped
}
