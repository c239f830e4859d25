// Status of a shard.

import BinanceVenue
import BookEngine
import DepthBook
import DepthFeed
import LobHandoff
import LobTransport
import MarketData

/// Status of a shard: every part is at most a second old, but they are not of one instant.
public struct ShardStatus: Sendable {
    /// Number of symbols of the shard.
    public var symbolCount: Int
    /// Status of its connections.
    public var feed = FeedStatus()
    /// Counters of its engine.
    public var engine = EngineCounters()
    /// Its ring, current values. Messages dropped because a frame was waiting for room appear in none of the
    /// ring's numbers: `feed.droppedMessages` counts all that were lost.
    public var ring: FrameRingGauges

    init(_ shard: BookShard) {
        symbolCount = shard.symbols.count
        feed = shard.feedStatus.latest(FeedStatus())
        engine = shard.counters.latest(EngineCounters())
        ring = shard.gauges
    }
}
