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
            help: "REST requests that were refused."),
        .gauge(
            "lob_server_open_connections", \.clientCount, key: "openConnections", title: "clients",
            help: "WebSocket clients at the moment."),
        .gauge(
            "lob_server_streams", \.streamCount, key: "streams",
            help: "Streams of all clients at the moment, silent ones included."),
        .counter(
            "lob_server_connections_total", \.connectedCount, key: "connections",
            help: "WebSocket clients so far."),
        .counter(
            "lob_server_messages_total", \.messageCount, key: "messages",
            help: "Messages of streams sent, counted for each client."),
        .counter(
            "lob_server_sent_bytes_total", \.messageBytes, key: "messageBytes", unit: .bytes,
            help: "Bytes of these messages."),
        .counter(
            "lob_server_conflated_messages_total", \.conflatedCount, key: "conflated",
            help: "Messages left out because a later one shows the state, counted for each client."),
        .counter(
            "lob_server_slow_clients_total", \.slowCount, key: "tooSlow",
            help: "Clients that read too slowly and were closed."),
        .counter(
            "lob_server_passed_updates_total", \.passedCount, key: "passedUpdates",
            help: "Updates of the venue passed on as they came."),
        .counter(
            "lob_server_bridges_total", \.bridgeCount, key: "bridges",
            help: "Updates made to lead the books of clients over a hole."),
        .counter(
            "lob_server_gaps_total", \.gapCount, key: "gaps",
            help: "Updates passed on although they do not lead on from the one before."),
        .counter(
            "lob_server_broken_streams_total", \.brokenCount, key: "brokenStreams",
            help: "Streams that could not be continued, so that their clients were closed."),
        .counter(
            "lob_server_late_total", \.lateCount, key: "late",
            help: "Times that a shard was too far behind the feed to be shown."),
        .counter(
            "lob_server_tap_dropped_frames_total", \.tapDroppedCount, key: "tapDropped",
            help: "Frames that found no room in the server's taps."),
        .gauge(
            "lob_server_tap_lag_seconds", \.tapLagMs, key: "tapLagMs", unit: .milliseconds,
            help: "What is shown lies so far behind what the feed has received."),
        .gauge(
            "lob_server_tap_high_water_bytes", \.tapMostBytes, key: "tapMostBytes", unit: .bytes,
            help: "Most bytes that ever waited in a tap of the server."),
        .gauge(
            "lob_server_queued_bytes", \.queuedBytes, key: "queuedBytes", unit: .bytes,
            help: "Bytes that wait for the sockets of all clients."),
        .counter(
            "lob_server_lists_total", \.listCount, key: "lists",
            help: "Lists of symbols that the venue has sent."),
    ]
}
