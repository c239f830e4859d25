// The counters and gauges of an exchange server under their names, and those of its venue.

import LobMetrics
import SimulatedExchange

extension ExchangeCounters: Measured {
    /// One for each market.
    package static let instanceLabel: String? = "market"

    /// Its counters and gauges.
    package static let metrics: [Metric<ExchangeCounters>] = stored + venues

    private static let stored: [Metric<ExchangeCounters>] = [
        .gauge(
            "lob_exchange_open_connections", \.connectionCount, key: "openConnections", title: "connections",
            help: "Current WebSocket clients."),
        .gauge(
            "lob_exchange_streams", \.streamCount, key: "streams",
            help: "Current streams of all clients, silent ones included."),
        .counter(
            "lob_exchange_connections_total", \.connectedCount, key: "connections",
            help: "WebSocket clients so far."),
        .counter(
            "lob_exchange_refused_upgrades_total", \.refusedCount, key: "refused",
            help: "Upgrades refused."),
        .counter(
            "lob_exchange_slow_clients_total", \.slowCount, key: "tooSlow",
            help: "Clients cut off because their send queue was full."),
        .counter(
            "lob_exchange_messages_total", \.messageCount, key: "messages",
            help: "Text messages passed to the sockets."),
        .counter(
            "lob_exchange_sent_bytes_total", \.messageBytes, key: "messageBytes", unit: .bytes,
            help: "Bytes of the text messages."),
        .counter(
            "lob_exchange_requests_total", \.requestCount, key: "requests",
            help: "REST requests."),
        .counter(
            "lob_exchange_overloads_total", \.overloadCount, key: "overloaded",
            help: "REST requests refused because too many were waiting for their answers."),
        .gauge(
            "lob_exchange_used_weight", \.usedWeight, key: "usedWeight", title: "weight",
            help: "Largest weight used by an address in the current minute."),
        .gauge(
            "lob_exchange_behind_seconds", \.behindUs, key: "behindUs", title: "behind", unit: .microseconds,
            help: "How far virtual time is behind the clock."),
        .counter(
            "lob_exchange_played_messages_total", \.playedCount, key: "played",
            help: "Messages of a capture played so far."),
    ]

    private static let venues: [Metric<ExchangeCounters>] = VenueCounters.metrics.map { $0.within(\.venue) }
}
