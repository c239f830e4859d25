// The state of a feed.

import BinanceVenue
import LobHandoff
import MarketData

/// The state of a shard's connections.
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
