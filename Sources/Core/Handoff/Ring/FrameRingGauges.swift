// Current and past use of a ring.

/// Occupancy of a ring and what it dropped.
///
/// Every property is one or two relaxed loads from any thread; two properties read in succession may belong
/// to different moments. All counters start at the creation of the ring.
public struct FrameRingGauges: Sendable {
    private let memory: RingMemory

    init(_ memory: RingMemory) { self.memory = memory }

    /// Bytes between the two positions: records not yet polled, with headers, guards and padding.
    public var occupancyBytes: Int { memory.occupancyBytes }

    /// The largest occupancy found by the producer right after a commit.
    public var highWaterBytes: Int { memory.highWaterBytes }

    /// Frames written to the ring.
    public var committedFrames: Int { memory.committedFrames }

    /// Frames dropped for lack of room.
    public var droppedFrames: Int { memory.droppedFrames }

    /// Body bytes of the frames dropped for lack of room.
    public var droppedBytes: Int { memory.droppedBytes }

    /// Capacity of the ring in bytes.
    public var capacityBytes: Int { memory.capacityBytes }
}
