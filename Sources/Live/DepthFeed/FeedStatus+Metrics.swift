// Metrics of a feed.

import LobMetrics

extension FeedStatus: Measured {
    /// One set per shard.
    public static let instanceLabel: String? = "shard"

    /// Counters and gauges of a feed.
    package static let metrics: [Metric<FeedStatus>] = stored + states

    private static let stored: [Metric<FeedStatus>] = [
        .gauge(
            "lob_feed_connection_number", \.connection, key: "connection",
            help: "The connection in service; 0 if there is none."),
        .gauge(
            "lob_feed_connected_timestamp_seconds", \.connectedAtNs, key: "connectedAtNs", unit: .nanoseconds,
            help: "When the connection in service was subscribed; 0 if there is none."),
        .gauge(
            "lob_feed_written_timestamp_seconds", \.writtenAtNs, key: "writtenAtNs", unit: .nanoseconds,
            help: "When the status of the feed was written."),
        .gauge(
            "lob_feed_last_message_timestamp_seconds", \.lastMessageAtNs, key: "lastMessageAtNs",
            unit: .nanoseconds,
            help: "When the last message arrived; 0 if none has."),
        .counter(
            "lob_feed_dials_total", \.attempts, key: "attempts", title: "dialled",
            help: "Connections dialled."),
        .counter(
            "lob_feed_messages_total", \.messages, key: "messages",
            help: "Messages received, control messages included."),
        .counter(
            "lob_feed_received_bytes_total", \.bytes, key: "bytes", unit: .bytes,
            help: "Bytes of the messages received."),
        .counter(
            "lob_feed_dropped_messages_total", \.droppedMessages, key: "droppedMessages", title: "lost",
            help: "Messages dropped for lack of room in the ring."),
        .gauge(
            "lob_feed_waiting_frames", \.waitingFrames, key: "waitingFrames",
            help: "Frames that must arrive and are waiting for room in the ring."),
        .counter(
            "lob_feed_pings_total", \.pings, key: "pings",
            help: "Venue pings answered."),
        .counter(
            "lob_feed_probes_total", \.probes, key: "probes",
            help: "Pings sent to a silent venue."),
        .counter(
            "lob_feed_resubscribed_streams_total", \.resubscribedStreams, key: "resubscribedStreams",
            help: "Streams resubscribed because they were silent."),
        .counter(
            "lob_feed_replacements_total", \.replacements, key: "replacements",
            help: "Connections replaced while in service."),
        .counter(
            "lob_feed_shutdown_notices_total", \.shutdowns, key: "shutdowns",
            help: "Announcements that the venue will close a connection."),
        .counter(
            "lob_feed_losses_total", \.losses, key: "losses",
            help: "Connections that ended unasked or could not be opened."),
        .counter(
            "lob_feed_refusals_total", \.refusals, key: "refusals",
            help: "Requests refused by the venue."),
        .counter(
            "lob_feed_unreadable_messages_total", \.unreadable, key: "unreadable",
            help: "Messages that were neither data nor parsable."),
    ]

    private static let states: [Metric<FeedStatus>] = [
        FeedState.idle, .connecting, .connected, .replacing, .stopped,
    ].map { state in
        .gauge(
            "lob_feed_state", key: "state.\(state)", label: MetricLabel("state", "\(state)"),
            help: "1 for the state of the connections, 0 for the others."
        ) { $0.state == state ? 1 : 0 }
    }
}
