// Metrics of an event loop.

import LobMetrics

extension TransportCounters: Measured {
    /// One set per loop.
    package static let instanceLabel: String? = "loop"

    /// Counters and gauges of a loop.
    package static let metrics: [Metric<TransportCounters>] = [
        .counter(
            "lob_transport_attempts_total", \.attempts, key: "attempts",
            help: "Connection attempts of clients."),
        .gauge(
            "lob_transport_open_connections", \.open, key: "open",
            help: "Connections currently open."),
        .counter(
            "lob_transport_failures_total", \.failures, key: "failures",
            help: "Connections that failed before opening, or before their body was complete."),
        .counter(
            "lob_transport_received_bytes_total", \.receivedBytes, key: "receivedBytes", unit: .bytes,
            help: "Payload bytes received, without TLS."),
        .counter(
            "lob_transport_sent_bytes_total", \.sentBytes, key: "sentBytes", unit: .bytes,
            help: "Payload bytes sent, without TLS."),
        .counter(
            "lob_transport_received_frames_total", \.receivedFrames, key: "receivedFrames",
            help: "Frames received on the native backend, control frames included."),
        .counter(
            "lob_transport_received_messages_total", \.receivedMessages, key: "receivedMessages",
            help: "Messages received by WebSocket clients."),
        .counter(
            "lob_transport_received_pings_total", \.receivedPings, key: "receivedPings",
            help: "Pings received on the native backend."),
        .counter(
            "lob_transport_sent_frames_total", \.sentFrames, key: "sentFrames",
            help: "Frames sent, pongs of the native backend included."),
        .counter(
            "lob_transport_violations_total", \.violations, key: "violations",
            help: "Connections ended because the peer broke the framing rules."),
        .counter(
            "lob_transport_lengths_out_of_bounds_total", \.lengthsOutOfBounds, key: "lengthsOutOfBounds",
            help: "Connections ended because the peer stated an impossible length."),
        .counter(
            "lob_transport_refused_sends_total", \.refusedSends, key: "refusedSends",
            help: "Frames refused because a send queue was full or its connection not open."),
        .counter(
            "lob_transport_turned_away_total", \.turnedAway, key: "turnedAway",
            help: "Connections a server closed unread because it was at its limit."),
    ]
}
