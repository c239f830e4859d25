// Metrics of a line queue: lines lost to a slow output.

import LobMetrics

extension LineQueue: Measured {
    /// There is only one.
    package static let instanceLabel: String? = nil

    /// Counters and gauges of a line queue.
    package static let metrics: [Metric<LineQueue>] = [
        .counter(
            "lob_log_lost_lines_total", \.lostCount, key: "lines",
            help: "Lines lost because their output blocked.")
    ]
}
