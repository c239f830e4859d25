// The numbers of a tap under their names. Read on the thread of its feed.

import LobMetrics

extension FrameTap: Measured {
    /// One for each tap.
    public static let instanceLabel: String? = "tap"

    /// Its counters and gauges.
    package static let metrics: [Metric<FrameTap>] = [
        .counter(
            "lob_tap_dropped_messages_total", \.droppedMessages, key: "droppedMessages", title: "lost",
            help: "Messages that found no room in the tap's ring."),
        .gauge(
            "lob_tap_waiting_frames", \.waitingFrames, key: "waitingFrames",
            help: "Frames that wait for room in the tap's ring."),
    ]
}
