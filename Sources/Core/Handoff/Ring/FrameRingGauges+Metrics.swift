// Metrics of a ring.

import LobMetrics

extension FrameRingGauges: Measured {
    /// One set per ring.
    public static let instanceLabel: String? = "ring"

    /// Counters and gauges of a ring.
    package static let metrics: [Metric<FrameRingGauges>] = [
        .gauge(
            "lob_ring_occupancy_bytes", \.occupancyBytes, key: "occupancyBytes", title: "ring", unit: .bytes,
            help: "Bytes of records not yet polled."),
        .gauge(
            "lob_ring_high_water_bytes", \.highWaterBytes, key: "highWaterBytes", title: "most", unit: .bytes,
            help: "Largest occupancy found right after a commit."),
        .gauge(
            "lob_ring_capacity_bytes", \.capacityBytes, key: "capacityBytes", unit: .bytes,
            help: "Capacity of the ring in bytes."),
        .counter(
            "lob_ring_committed_frames_total", \.committedFrames, key: "committedFrames",
            help: "Frames written to the ring."),
        .counter(
            "lob_ring_dropped_frames_total", \.droppedFrames, key: "droppedFrames",
            help: "Frames dropped for lack of room."),
        .counter(
            "lob_ring_dropped_bytes_total", \.droppedBytes, key: "droppedBytes", unit: .bytes,
            help: "Body bytes of the frames dropped for lack of room."),
    ]
}
