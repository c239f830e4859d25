// Metrics of a shard: its own and those of its parts.

import BookEngine
import DepthFeed
import LobHandoff
import LobMetrics

extension ShardStatus: Measured {
    /// One set per shard.
    public static let instanceLabel: String? = "shard"

    /// Counters and gauges of a shard.
    package static let metrics: [Metric<ShardStatus>] = stored + parts

    private static let stored: [Metric<ShardStatus>] = [
        .gauge(
            "lob_shard_symbols", \.symbolCount, key: "symbolCount",
            help: "Symbols of the shard.")
    ]

    private static let parts: [Metric<ShardStatus>] =
        FeedStatus.metrics.map { $0.within(\.feed, key: "feed") }
        + EngineCounters.metrics.map { $0.within(\.engine, key: "engine") }
        + FrameRingGauges.metrics.map { $0.within(\.ring, key: "ring") }
}
