// The number of lines that a slow place has cost.

import LobMetrics

extension LineQueue: Measured {
    /// There is one.
    package static let instanceLabel: String? = nil

    /// Its counters and gauges.
    package static let metrics: [Metric<LineQueue>] = [
        .counter(
            "lob_log_lost_lines_total", \.lostCount, key: "lines",
            help: "Lines lost because the place they were written to took none.")
    ]
}
