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
    /// Bytes in its ring.
    public var ringBytes: Int
    /// The most there have been.
    public var ringHighWaterBytes: Int
    /// The most there can be.
    public var ringCapacityBytes: Int
    /// Frames that the ring itself refused, as of now. Messages dropped because a frame waited for room never
    /// got that far: all that were lost are in `feed.droppedMessages`.
    public var droppedFrames: Int

    init(_ shard: BookShard) {
        symbolCount = shard.symbols.count
        feed = shard.feedStatus.latest(FeedStatus())
        engine = shard.counters.latest(EngineCounters())
        ringBytes = shard.gauges.occupancyBytes
        ringHighWaterBytes = shard.gauges.highWaterBytes
        ringCapacityBytes = shard.gauges.capacityBytes
        droppedFrames = shard.gauges.droppedFrames
    }
}
