// The state of a feed.

import BinanceVenue
import LobHandoff
import MarketData

/// The state of a shard's connections.
public enum FeedState: UInt8, Sendable, BitwiseCopyable {
    /// Not started.
    case idle
    /// No connection is in service; one is being opened or subscribed, or a delay must pass first.
    case connecting
    /// A connection is in service.
    case connected
    /// A connection is in service, and its replacement is being opened or already beside it.
    case replacing
    /// Stopped for good.
    case stopped
}
