// Metrics of a book server.

import LobMetrics

extension ServerCounters: Measured {
    /// There is only one server.
    package static let instanceLabel: String? = nil

    /// Counters and gauges of a book server.
    package static let metrics: [Metric<ServerCounters>] = [
        .counter("lob_server_requests_total", \.requestCount, key: "requests", help: "REST requests."),
        .counter(
            "lob_server_refusals_total", \.refusalCount, key: "refusals",
            help: "REST requests refused."),
        .gauge(
            "lob_server_open_connections", \.clientCount, key: "openConnections", title: "clients",
            help: "Current WebSocket clients."),
        .gauge(
            "lob_server_streams", \.streamCount, key: "streams",
            help: "Current streams of all clients, silent ones included."),
        .counter(
            "lob_server_connections_total", \.connectedCount, key: "connections",
            help: "WebSocket clients so far."),
        .counter(
            "lob_server_messages_total", \.messageCount, key: "messages",
            help: "Stream messages sent, counted per client."),
        .counter(
            "lob_server_sent_bytes_total", \.messageBytes, key: "messageBytes", unit: .bytes,
            help: "Bytes of those messages."),
        .counter(
            "lob_server_conflated_messages_total", \.conflatedCount, key: "conflated",
            help: "Messages skipped because a later one shows the state, counted per client."),
        .counter(
            "lob_server_slow_clients_total", \.slowCount, key: "tooSlow",
            help: "Clients closed because they read too slowly."),
        .counter(
            "lob_server_passed_updates_total", \.passedCount, key: "passedUpdates",
            help: "Venue updates passed on unchanged."),
        .counter(
            "lob_server_bridges_total", \.bridgeCount, key: "bridges",
            help: "Bridging updates, each taking clients' books across a gap."),
        .counter(
            "lob_server_gaps_total", \.gapCount, key: "gaps",
            help: "Updates passed on although they do not continue the previous one."),
        .counter(
            "lob_server_broken_streams_total", \.brokenCount, key: "brokenStreams",
            help: "Streams that could not be continued, so that their clients were closed."),
        .counter(
            "lob_server_late_total", \.lateCount, key: "late",
            help: "Times a shard lagged the feed too far to be shown."),
        .counter(
            "lob_server_tap_dropped_frames_total", \.tapDroppedCount, key: "tapDropped",
            help: "Frames dropped for lack of room in the server's taps."),
        .gauge(
            "lob_server_tap_lag_seconds", \.tapLagMs, key: "tapLagMs", unit: .milliseconds,
            help: "Lag of what is shown behind what the feed has received."),
        .gauge(
            "lob_server_tap_high_water_bytes", \.tapMostBytes, key: "tapMostBytes", unit: .bytes,
            help: "Highest number of bytes ever waiting in a tap of the server."),
        .gauge(
            "lob_server_queued_bytes", \.queuedBytes, key: "queuedBytes", unit: .bytes,
            help: "Bytes queued for all clients' sockets."),
        .counter(
            "lob_server_lists_total", \.listCount, key: "lists",
            help: "Symbol lists received from the venue."),
    ]
}
