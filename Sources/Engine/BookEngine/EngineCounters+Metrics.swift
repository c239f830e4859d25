// Metrics of an engine.

import LobMetrics

extension EngineCounters: Measured {
    /// One set per shard.
    public static let instanceLabel: String? = "shard"

    /// Counters and gauges of an engine.
    package static let metrics: [Metric<EngineCounters>] = [
        .counter(
            "lob_engine_frames_total", \.frames, key: "frames",
            help: "Frames processed."),
        .counter(
            "lob_engine_malformed_messages_total", \.malformed, key: "malformed", title: "unreadable",
            help: "Messages that could not be parsed."),
        .counter(
            "lob_engine_dropped_messages_total", \.dropped, key: "dropped",
            help: "Losses before the ring, reported by the feed."),
        .counter(
            "lob_engine_other_messages_total", \.other, key: "other",
            help: "Irrelevant messages: trades, klines and the like."),
        .counter(
            "lob_engine_unknown_symbol_messages_total", \.unknownSymbol, key: "unknownSymbol",
            help: "Messages of symbols the engine does not hold."),
        .counter(
            "lob_engine_shutdown_notices_total", \.shutdowns, key: "shutdowns",
            help: "Announcements of an imminent disconnect."),
        .counter(
            "lob_engine_depth_updates_total", \.depthUpdates, key: "depthUpdates", title: "depth updates",
            help: "Depth updates parsed."),
        .counter(
            "lob_engine_tickers_total", \.tickers, key: "tickers",
            help: "Tickers parsed."),
        .counter(
            "lob_engine_partial_depths_total", \.partialDepths, key: "partialDepths",
            help: "Partial depths parsed."),
        .counter(
            "lob_engine_levels_total", \.levels, key: "levels",
            help: "Levels in the depth updates."),
    ]
}
