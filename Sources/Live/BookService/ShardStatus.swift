// How a shard is doing.

import BinanceVenue
import BookEngine
import DepthBook
import DepthFeed
import LobHandoff
import LobTransport
import MarketData

/// The status of a shard: every part is of the last second, not all of one instant.
public struct ShardStatus: Sendable {
    /// Symbols of the shard.
    public var symbolCount: Int
    /// Its connections.
    public var feed = FeedStatus()
    /// Its engine.
    public var engine = EngineCounters()
    /// Its ring, as of now. Messages dropped because a frame waited for room are in none of the ring's
    /// numbers: all that were lost are in `feed.droppedMessages`.
    public var ring: FrameRingGauges

    init(_ shard: BookShard) {
        symbolCount = shard.symbols.count
        feed = shard.feedStatus.latest(FeedStatus())
        engine = shard.counters.latest(EngineCounters())
        ring = shard.gauges
    }
}
