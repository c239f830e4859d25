// Metrics of a book: its gauges and counters.

import DepthBook
import LobMetrics

extension SymbolStatus: Measured {
    /// One set per symbol.
    public static let instanceLabel: String? = "symbol"

    /// Counters and gauges of a symbol.
    package static let metrics: [Metric<SymbolStatus>] = stored + states + counters

    private static let stored: [Metric<SymbolStatus>] = [
        .gauge(
            "lob_book_proven_bid_levels", \.provenBidCount, key: "provenLevels.bid", title: "proven",
            help: "Bids inside the proven range."),
        .gauge(
            "lob_book_proven_ask_levels", \.provenAskCount, key: "provenLevels.ask",
            help: "Asks inside the proven range."),
        .gauge(
            "lob_book_buffered_bytes", \.bufferedBytes, key: "bufferedBytes", title: "waiting", unit: .bytes,
            help: "Bytes of messages waiting for a snapshot."),
        .gauge(
            "lob_book_applied_timestamp_seconds", \.appliedAtNs, key: "appliedAtNs", unit: .nanoseconds,
            help: "Receive time of the last applied update; 0 if there is none."),
        .gauge(
            "lob_book_lag_seconds", \.lagNs, key: "lagNs", title: "lag", unit: .nanoseconds,
            help: "How much later than usual the last update arrived."),
        .gauge(
            "lob_book_checked_timestamp_seconds", \.checkedAtNs, key: "checkedAtNs", unit: .nanoseconds,
            help: "When the connection was last known to deliver; 0 if never."),
        .gauge(
            "lob_book_last_update_timestamp_seconds", \.lastEventAtNs, key: "lastEventAtNs",
            unit: .nanoseconds,
            help: "Receive time of the last update of any kind; 0 if there is none."),
        .gauge(
            "lob_book_usual_interval_seconds", \.usualIntervalNs, key: "usualIntervalNs", unit: .nanoseconds,
            help: "Usual time between two updates."),
    ]

    private static let states: [Metric<SymbolStatus>] = [BookState.syncing, .live, .stale].map { state in
        .gauge(
            "lob_book_state", key: "state.\(state)", label: MetricLabel("state", "\(state)"),
            help: "1 for the state of the book, 0 for the others."
        ) { $0.state == state ? 1 : 0 }
    }

    private static let counters: [Metric<SymbolStatus>] = SymbolCounters.metrics.map { $0.within(\.counters) }
}
