// Metrics of the snapshot fetcher and its planner.

import FeedPlan
import LobMetrics

extension SnapshotFetcherStatus: Measured {
    /// There is only one.
    public static let instanceLabel: String? = nil

    /// Counters and gauges of the fetcher.
    package static let metrics: [Metric<SnapshotFetcherStatus>] = stored + queues

    private static let stored: [Metric<SnapshotFetcherStatus>] = [
        .gauge(
            "lob_fetcher_written_timestamp_seconds", \.writtenAtNs, key: "writtenAtNs", unit: .nanoseconds,
            help: "When the status of the fetcher was written."),
        .gauge(
            "lob_fetcher_in_flight_requests", \.inFlight, key: "inFlight",
            help: "Requests sent and not yet answered."),
        .gauge(
            "lob_fetcher_weight_spent", \.weightSpent, key: "weight.spent", title: "weight",
            help: "Request weight spent in this clock minute."),
        .gauge(
            "lob_fetcher_weight_max", \.weightMax, key: "weight.max",
            help: "Most request weight that may be spent in a minute."),
        .gauge(
            "lob_fetcher_waiting_until_timestamp_seconds", \.waitingUntilMs, key: "waitingUntilMs",
            unit: .milliseconds,
            help: "Earliest time of the next request; 0 if nothing is waited for."),
        .gauge(
            "lob_fetcher_eta_timestamp_seconds", \.etaMs, key: "etaMs", unit: .milliseconds,
            help: "When all requests should be answered; 0 if there are none."),
        .gauge(
            "lob_fetcher_batch_delivered", \.delivered, key: "batch.delivered",
            help: "Snapshots of the current batch that were delivered."),
        .gauge(
            "lob_fetcher_batch_failed", \.failed, key: "batch.failed",
            help: "Snapshots of the current batch that failed for good."),
        .gauge(
            "lob_fetcher_batch_size", \.total, key: "batch.total",
            help: "Snapshots of the current batch."),
        .counter(
            "lob_fetcher_requests_total", \.sentCount, key: "sentCount", title: "asked",
            help: "Requests sent."),
        .counter(
            "lob_fetcher_refusals_total", \.refusalCount, key: "refusalCount", title: "refusals",
            help: "Answers 429, 418 and 403."),
        .counter(
            "lob_fetcher_transient_failures_total", \.transientFailureCount, key: "transientFailureCount",
            title: "failures",
            help: "Requests with no answer, or a retryable error."),
        .gauge(
            "lob_fetcher_stated_weight", \.statedWeight, key: "weight.stated",
            help: "Request weight per minute stated by the venue; 0 until it is known."),
        .counter(
            "lob_fetcher_unusable_limits_total", \.unusableLimits, key: "unusableLimits",
            help: "Implausible statements of the request weight."),
        .counter(
            "lob_fetcher_received_bytes_total", \.bytes, key: "bytes", unit: .bytes,
            help: "Bytes of all bodies."),
        .gauge(
            "lob_fetcher_undelivered_bodies", \.undelivered, key: "undelivered",
            help: "Bodies waiting because their shard does not accept them."),
    ]

    private static let queues: [Metric<SnapshotFetcherStatus>] = SnapshotPriority.allCases.map { priority in
        .gauge(
            "lob_fetcher_queued_snapshots", key: "queued.\(priority)",
            label: MetricLabel("priority", "\(priority)"), help: "Snapshots requested but not yet sent for."
        ) { $0.queued[priority.rawValue] }
    }
}
