// The counters of a simulated venue under their names.

import LobMetrics

extension VenueCounters: Measured {
    /// One for each market.
    package static let instanceLabel: String? = "market"

    /// Its counters and gauges.
    package static let metrics: [Metric<VenueCounters>] = stored + faults

    private static let stored: [Metric<VenueCounters>] = [
        .counter(
            "lob_venue_events_total", \.updateCount, key: "events",
            help: "Updates of all symbols sent on the depth streams."),
        .counter(
            "lob_venue_frames_total", \.frameCount, key: "frames",
            help: "Text frames sent, those lost on the way included."),
        .counter(
            "lob_venue_control_messages_total", \.controlCount, key: "controlMessages",
            help: "Client control messages, refused ones included."),
        .counter(
            "lob_venue_refused_controls_total", \.refusalCount, key: "refusedControls",
            help: "Control messages answered with an error."),
        .counter(
            "lob_venue_floods_total", \.floodCount, key: "tooManyMessages",
            help: "Connections closed because their client sent too many messages a second."),
        .counter(
            "lob_venue_pong_timeouts_total", \.pongTimeoutCount, key: "pongTimeouts",
            help: "Connections closed because their client did not answer pings."),
        .counter(
            "lob_venue_requests_total", \.requestCount, key: "venueRequests",
            help: "Requests."),
        .counter(
            "lob_venue_limited_requests_total", \.limitedCount, key: "answered429",
            help: "Requests answered 429."),
        .counter(
            "lob_venue_banned_requests_total", \.bannedCount, key: "answered418",
            help: "Requests answered 418."),
        .counter(
            "lob_venue_defiant_requests_total", \.defianceCount, key: "defiantRequests",
            help: "Requests during an earlier ban."),
    ]

    private static let faults: [Metric<VenueCounters>] = Fault.allCases.map { fault in
        .counter(
            "lob_venue_faults_total", key: "fault.\(fault.name)", label: MetricLabel("fault", fault.name),
            help: "Times a fault has struck."
        ) { $0[fault] }
    }
}
