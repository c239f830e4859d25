// The memory of one ring: the frames, mapped twice so that every record is contiguous, and the control block.
// Freed when the last of producer, consumer and gauges is gone, on whichever thread that happens.
// SAFETY: the two blocks live exactly as long as this object; every holder of a pointer into them also holds
// the object. `RecordLayout.swift` defines who writes what; that the two halves are non-copyable enforces it.
// non-copyable.

import CLobKernels
import Synchronization

/// Owner of a ring's memory and of its typed control block.
@safe
final class RingMemory: @unchecked Sendable {
    let frames: UnsafeMutableRawPointer
    let capacityBytes: Int
    private let control: UnsafeMutableRawPointer
    let producerPosition: UnsafeMutablePointer<Atomic<Int>>
    let producer: UnsafeMutablePointer<ProducerState>
    let consumerPosition: UnsafeMutablePointer<Atomic<Int>>
    let consumer: UnsafeMutablePointer<ConsumerState>

    init(capacityBytes: Int) throws(FrameRingError) {
        guard FrameRing.capacityBytesRange.contains(capacityBytes), capacityBytes.nonzeroBitCount == 1 else {
            throw .capacity(bytes: capacityBytes)
        }
        var mapped: UnsafeMutableRawPointer?
        // SAFETY: `lob_map_twice` returns 0 only after setting `mapped` to `2 × capacityBytes` usable bytes.
        let failure = unsafe lob_map_twice(capacityBytes, &mapped)
        guard failure == 0, let mapped = unsafe mapped else { throw .mapping(errno: failure) }
        unsafe frames = unsafe mapped
        self.capacityBytes = capacityBytes
        unsafe control = .allocate(byteCount: ControlLayout.length, alignment: ControlLayout.alignment)
        // SAFETY: the four parts do not overlap (ControlLayout), are aligned and are initialised here.
        unsafe producerPosition = unsafe (control + ControlLayout.producerPosition).bindMemory(
            to: Atomic<Int>.self, capacity: 1)
        unsafe producer = unsafe (control + ControlLayout.producerPrivate).bindMemory(
            to: ProducerState.self, capacity: 1)
        unsafe consumerPosition = unsafe (control + ControlLayout.consumerPosition).bindMemory(
            to: Atomic<Int>.self, capacity: 1)
        unsafe consumer = unsafe (control + ControlLayout.consumerPrivate).bindMemory(
            to: ConsumerState.self, capacity: 1)
        unsafe producerPosition.initialize(to: Atomic(0))
        unsafe producer.initialize(to: ProducerState())
        unsafe consumerPosition.initialize(to: Atomic(0))
        unsafe consumer.initialize(to: ConsumerState())
    }

    deinit {
        unsafe producerPosition.deinitialize(count: 1)
        unsafe producer.deinitialize(count: 1)
        unsafe consumerPosition.deinitialize(count: 1)
        unsafe consumer.deinitialize(count: 1)
        unsafe control.deallocate()
        unsafe lob_unmap_twice(frames, capacityBytes)
    }
}

extension RingMemory {
    /// Bytes between the two positions. The consumer's position is read first: the other order could give a
    /// negative number.
    var occupancyBytes: Int {
        let consumed = unsafe consumerPosition.pointee.load(ordering: .acquiring)
        let produced = unsafe producerPosition.pointee.load(ordering: .relaxed)
        return min(produced - consumed, capacityBytes)
    }

    var highWaterBytes: Int { unsafe producer.pointee.highWaterBytes.load(ordering: .relaxed) }
    var committedFrames: Int { unsafe producer.pointee.committedFrames.load(ordering: .relaxed) }
    var droppedFrames: Int { unsafe producer.pointee.droppedFrames.load(ordering: .relaxed) }
    var droppedBytes: Int { unsafe producer.pointee.droppedBytes.load(ordering: .relaxed) }
}

/// State that only the producer writes; any thread may read the atomics.
struct ProducerState: ~Copyable {
    /// An earlier value of the consumer's position: everything before it is free.
    var cachedConsumerPosition = 0
    /// The producer has written the cache lines before this position in this round.
    var takenPosition = 0
    /// Receive time of the last frame published.
    var lastReceivedAtNs: Int64 = 0
    /// Bytes appended to the open frame, stored or not.
    var openLength = 0
    /// Whether the open frame did not fit; its bytes are counted and no longer stored.
    var isOpenLost = false
    let highWaterBytes = Atomic<Int>(0)
    let committedFrames = Atomic<Int>(0)
    let droppedFrames = Atomic<Int>(0)
    let droppedBytes = Atomic<Int>(0)
}

/// State that only the consumer reads and writes.
struct ConsumerState: ~Copyable {
    /// An earlier value of the producer's position: everything before it is readable.
    var cachedProducerPosition = 0
}
