// Metrics of a tap. Read on its feed's thread.

import LobMetrics

extension FrameTap: Measured {
    /// One set per tap.
    public static let instanceLabel: String? = "tap"

    /// Counters and gauges of a tap.
    package static let metrics: [Metric<FrameTap>] = [
        .counter(
            "lob_tap_dropped_messages_total", \.droppedMessages, key: "droppedMessages", title: "lost",
            help: "Messages dropped for lack of room in the tap's ring."),
        .gauge(
            "lob_tap_waiting_frames", \.waitingFrames, key: "waitingFrames",
            help: "Frames waiting for room in the tap's ring."),
    ]
}
