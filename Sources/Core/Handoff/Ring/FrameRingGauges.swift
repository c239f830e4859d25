// What a ring holds and has held.

/// How full a ring is and what it dropped.
///
/// Every property is one or two relaxed loads from any thread; two properties read one after the other need
/// not belong to the same moment. All numbers count from the creation of the ring.
public struct FrameRingGauges: Sendable {
    private let memory: RingMemory

    init(_ memory: RingMemory) { self.memory = memory }

    /// Bytes between the two positions: records not yet polled, headers, guards and padding included.
    public var occupancyBytes: Int { memory.occupancyBytes }

    /// The largest occupancy that the producer found right after a commit.
    public var highWaterBytes: Int { memory.highWaterBytes }

    /// Frames that went into the ring.
    public var committedFrames: Int { memory.committedFrames }

    /// Frames that found no room.
    public var droppedFrames: Int { memory.droppedFrames }

    /// Bytes of the bodies of the frames that found no room.
    public var droppedBytes: Int { memory.droppedBytes }

    /// Bytes that the ring holds in all.
    public var capacityBytes: Int { memory.capacityBytes }
}
