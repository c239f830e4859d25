// A ring of variable-length frames from one thread to another: the only queue between a socket and the books.
//
// Why bytes in a ring and not messages in a queue: the one copy of a message is the one out of the socket's
// buffer. Nothing is allocated, locked or freed, and frames that follow each other in time do so in memory.
// The memory is mapped twice in a row, so a frame that crosses the end is still one contiguous run of bytes
// and neither side handles wrapping.
//
// Invariants
// * consumerPosition <= producerPosition <= consumerPosition + capacity; both are multiples of 64 and only
//   grow.
// * Bytes from consumerPosition up to producerPosition belong to the consumer, all others to the producer.
//   Ownership changes only by the release store of a position and the acquire load of it on the other side.
// * A frame is committed whole or not at all, and committed frames are polled exactly once, in order.
// * committedFrames + droppedFrames = number of frames committed or written by the caller.
//
// When the ring is full, the new frame is dropped whole and counted; neither side ever waits. The same
// happens to a frame longer than `frameBytesMax`, or one that turns out too long while being appended. A
// depth message lost this way shows as a gap in its symbol's update ids. The producer learns of the loss at
// once and can retry what must arrive.
//
// Worst case: appending costs one copy; `commit` and `poll` are a few loads and one plain store each (acquire
// and release are free on x86). The other side's cache line is touched only when the cached copy of its
// position runs out, or when a frame may set a new high-water mark. `write` during an open frame moves that
// frame's bytes once more.

/// Why a ring could not be created.
public enum FrameRingError: Error, Hashable, Sendable {
    /// The capacity is not a power of two or outside `FrameRing.capacityBytesRange`.
    case capacity(bytes: Int)
    /// The operating system refused the memory.
    case mapping(errno: Int32)
}

/// A new ring: two halves, each to be moved to its thread, and gauges for any thread.
///
/// ```swift
/// let ring = try FrameRing(capacityBytes: 1 << 20)
/// let gauges = ring.gauges
/// var producer = ring.producer
/// var consumer = ring.consumer
/// ```
///
/// A half cannot be copied, so there is one producer and one consumer for the life of the ring.
@frozen
public struct FrameRing: ~Copyable {
    /// Legal capacities, all of them powers of two.
    public static var capacityBytesRange: ClosedRange<Int> { 1 << 16...1 << 30 }

    /// Default capacity, 8 MiB: a 5000-level snapshot (330 KB) and 15 s of one symbol in the busiest traffic
    /// measured (500 KB/s), or the snapshot and one second of sixteen such symbols.
    public static var defaultCapacityBytes: Int { 1 << 23 }

    /// The writing half.
    public let producer: FrameProducer
    /// The reading half.
    public let consumer: FrameConsumer
    /// Occupancy and drops of the ring.
    public let gauges: FrameRingGauges

    /// An empty ring of `capacityBytes`, resident in memory from the start.
    public init(capacityBytes: Int = FrameRing.defaultCapacityBytes) throws(FrameRingError) {
        let memory = try RingMemory(capacityBytes: capacityBytes)
        producer = FrameProducer(memory)
        consumer = FrameConsumer(memory)
        gauges = FrameRingGauges(memory)
    }
}
