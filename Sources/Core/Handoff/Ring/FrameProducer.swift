// The writing half of a ring.
//
// A frame is open from the first `append` (or `claim`) to `commit` or `abort`. It grows at the producer's
// position, in memory the consumer cannot see yet, so dropping or aborting it needs no undo.
//
//     state    claim, append: fits   does not fit   commit          abort
//     ------   -------------------   ------------   -------------   -----
//     open     open                  lost           published       open
//     lost     lost                  lost           counted, open   open
//
// "open" with nothing appended is the state at rest; committing it publishes an empty frame. An aborted frame
// is not counted: its message never arrived.
//
// SAFETY: writes only `position ..< consumerPosition + capacity`, which the producer owns until it publishes;
// `claim` checks that range before every store. `mutating` on every method ensures one caller at a time, and
// the type is not copyable, so the plain fields of `ProducerState` have one user.

import Synchronization

/// The writing half of a ring. Not copyable; may be moved to another thread; one thread uses it at a time.
public struct FrameProducer: ~Copyable, @unchecked Sendable {
    private let memory: RingMemory

    init(_ memory: RingMemory) { self.memory = memory }

    /// The longest body that can be committed; longer frames are dropped.
    public var frameBytesMax: Int { RecordLayout.bodyLengthMax(memory.capacityBytes) }

    /// Ensures that the open frame can grow to `length` bytes in total; otherwise the frame is lost from here
    /// on.
    ///
    /// Needed only if the length is known before the bytes: a frame that cannot fit is then never partly
    /// copied, and a caller that prefers to wait can `abort` and retry. Bytes of a lost frame must still be
    /// appended, so that they are counted.
    ///
    /// - Returns: whether the open frame is still intact.
    @discardableResult
    public mutating func claim(_ length: Int) -> Bool {
        precondition(length >= 0, "negative frame length")
        let state = unsafe memory.producer
        if unsafe state.pointee.isOpenLost { return false }
        if hasRoom(bodyLength: length, behind: 0) { return true }
        unsafe state.pointee.isOpenLost = true
        return false
    }

    /// Adds bytes to the open frame.
    ///
    /// - Returns: whether the open frame is still intact; if not, `commit` will drop it.
    /// - Complexity: O(bytes), one copy.
    @discardableResult
    public mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let state = unsafe memory.producer
        let length = unsafe state.pointee.openLength
        let fits = claim(length + bytes.count)
        if fits, let source = bytes.baseAddress {
            unsafe (record + RecordLayout.headerLength + length).copyMemory(
                from: source, byteCount: bytes.count)
        }
        unsafe state.pointee.openLength = length + bytes.count
        return fits
    }

    /// The same.
    @discardableResult
    public mutating func append(_ bytes: Span<UInt8>) -> Bool {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(UnsafeRawBufferPointer($0)) }
    }

    /// Publishes the open frame, or drops and counts it if it did not fit.
    ///
    /// - Parameters:
    ///   - kind: the kind of frame.
    ///   - source: where it comes from; its meaning depends on `FrameKind`.
    ///   - receivedAtNs: nanoseconds since 1970 at which its last byte was received.
    /// - Returns: whether the consumer will see it.
    @discardableResult
    public mutating func commit(_ kind: FrameKind, source: UInt16, receivedAtNs: Int64) -> Bool {
        let state = unsafe memory.producer
        let length = unsafe state.pointee.openLength
        let fits = claim(length)
        abort()
        if fits {
            publish(kind, source: source, receivedAtNs: receivedAtNs, bodyLength: length)
        } else {
            drop(bodyLength: length)
        }
        return fits
    }

    /// Discards the open frame as if it had never begun.
    public mutating func abort() {
        unsafe memory.producer.pointee.openLength = 0
        unsafe memory.producer.pointee.isOpenLost = false
    }

    /// Publishes a whole frame at once, ahead of the open frame, if any, which stays open.
    ///
    /// So a tick or snapshot need not wait for the rest of a message that has stalled midway.
    ///
    /// - Returns: whether the consumer will see it; otherwise it was dropped and counted. The open frame is
    ///   not affected.
    /// - Complexity: O(bytes), plus the bytes of the open frame, which are moved.
    @discardableResult
    public mutating func write(
        _ kind: FrameKind, source: UInt16, receivedAtNs: Int64,
        _ bytes: UnsafeRawBufferPointer = unsafe .init(start: nil, count: 0)
    ) -> Bool {
        if !hasRoom(forWholeFrame: bytes.count) {
            drop(bodyLength: bytes.count)
            return false
        }
        let openLength = storedLength
        let recordLength = RecordLayout.recordLength(bytes.count)
        let body = unsafe record + RecordLayout.headerLength
        if openLength > 0 {
            // By address, not by position: the ranges overlap, and the copy could not tell if one were taken
            // from the other mapping.
            unsafe (body + recordLength).copyMemory(from: body, byteCount: openLength)
        }
        if let source = bytes.baseAddress { unsafe body.copyMemory(from: source, byteCount: bytes.count) }
        publish(kind, source: source, receivedAtNs: receivedAtNs, bodyLength: bytes.count)
        return true
    }

    /// The same.
    @discardableResult
    public mutating func write(
        _ kind: FrameKind, source: UInt16, receivedAtNs: Int64, _ bytes: Span<UInt8>
    ) -> Bool {
        unsafe bytes.withUnsafeBufferPointer {
            unsafe write(kind, source: source, receivedAtNs: receivedAtNs, UnsafeRawBufferPointer($0))
        }
    }

    /// Whether `write` would accept a frame with a body of `length` bytes: for frames that wait rather than
    /// be dropped.
    public func hasRoom(forWholeFrame length: Int) -> Bool {
        let openLength = storedLength
        return hasRoom(bodyLength: length, behind: 0)
            && (openLength == 0
                || hasRoom(bodyLength: openLength, behind: RecordLayout.recordLength(length)))
    }
}

extension FrameProducer {
    /// This half's position; only this half writes it.
    private var position: Int { unsafe memory.producerPosition.pointee.load(ordering: .relaxed) }

    /// Start of the record at this half's position; the next `capacityBytes` bytes are contiguous.
    private var record: UnsafeMutableRawPointer {
        unsafe memory.frames + (position & (memory.capacityBytes &- 1))
    }

    /// Bytes of the open frame that are in the ring.
    private var storedLength: Int {
        unsafe memory.producer.pointee.isOpenLost ? 0 : memory.producer.pointee.openLength
    }

    /// Whether a record with this body, `distance` bytes past the position, would end in free memory.
    private func hasRoom(bodyLength: Int, behind distance: Int) -> Bool {
        if bodyLength > frameBytesMax { return false }
        let end = position &+ distance &+ RecordLayout.recordLength(bodyLength)
        let state = unsafe memory.producer
        if unsafe end &- state.pointee.cachedConsumerPosition <= memory.capacityBytes { return true }
        // Acquire: the consumer's last reads of the bytes it freed happen before our writes to them.
        unsafe state.pointee.cachedConsumerPosition = unsafe memory.consumerPosition.pointee.load(
            ordering: .acquiring)
        return unsafe end &- state.pointee.cachedConsumerPosition <= memory.capacityBytes
    }

    /// Writes the header and passes the record, with its body in place, to the consumer.
    private func publish(_ kind: FrameKind, source: UInt16, receivedAtNs: Int64, bodyLength: Int) {
        let header = unsafe record
        unsafe header.storeBytes(
            of: UInt32(truncatingIfNeeded: bodyLength), toByteOffset: RecordLayout.lengthOffset,
            as: UInt32.self)
        unsafe header.storeBytes(of: source, toByteOffset: RecordLayout.sourceOffset, as: UInt16.self)
        unsafe header.storeBytes(of: kind.rawValue, toByteOffset: RecordLayout.kindOffset, as: UInt8.self)
        unsafe header.storeBytes(of: 0, toByteOffset: RecordLayout.zeroOffset, as: UInt8.self)
        unsafe header.storeBytes(
            of: receivedAtNs, toByteOffset: RecordLayout.receivedAtOffset, as: Int64.self)
        let end = position &+ RecordLayout.recordLength(bodyLength)
        unsafe memory.producerPosition.pointee.store(end, ordering: .releasing)

        let state = unsafe memory.producer
        unsafe state.pointee.committedFrames.addBySingleWriter(1)
        let highWater = unsafe state.pointee.highWaterBytes.load(ordering: .relaxed)
        // The cached position overstates the occupancy; load the real one only if this could be a new
        // maximum.
        if unsafe end &- state.pointee.cachedConsumerPosition > highWater {
            unsafe state.pointee.cachedConsumerPosition = unsafe memory.consumerPosition.pointee.load(
                ordering: .acquiring)
            let occupancy = unsafe end &- state.pointee.cachedConsumerPosition
            if occupancy > highWater {
                unsafe state.pointee.highWaterBytes.store(occupancy, ordering: .relaxed)
            }
        }
        let isBurst = unsafe receivedAtNs &- state.pointee.lastReceivedAtNs < RecordLayout.burstNs
        unsafe state.pointee.lastReceivedAtNs = receivedAtNs
        if !isBurst { takeLinesAhead(of: end) }
    }

    /// Writes a byte into each of the next cache lines while there is nothing else to do.
    ///
    /// The consumer read those lines one round ago, so they are in its cache. The first store to such a line
    /// waits for its transfer, and stores become visible in order: without this, the position that publishes
    /// the next frame would wait for the transfer of every line of its body. Measured with 2 KB frames
    /// between two cores: two thirds of the one-way latency. Each line is taken once a round. Not in a burst,
    /// when the next frame follows at once: there these stores only delay it and cost a sixth of the
    /// throughput.
    private func takeLinesAhead(of end: Int) {
        let state = unsafe memory.producer
        // An open frame that `write` has just moved lies in these lines.
        if unsafe state.pointee.openLength > 0 { return }
        let free = unsafe state.pointee.cachedConsumerPosition &+ memory.capacityBytes
        let last = min(end &+ RecordLayout.aheadLength, free)
        var line = unsafe max(end, state.pointee.takenPosition)
        while line < last {
            unsafe (memory.frames + (line & (memory.capacityBytes &- 1))).storeBytes(of: 0, as: UInt8.self)
            line &+= RecordLayout.alignment
        }
        unsafe state.pointee.takenPosition = line
    }

    private func drop(bodyLength: Int) {
        unsafe memory.producer.pointee.droppedFrames.addBySingleWriter(1)
        unsafe memory.producer.pointee.droppedBytes.addBySingleWriter(bodyLength)
    }
}

extension Atomic where Value == Int {
    /// Adds without a locked instruction; correct only with a single writing thread.
    fileprivate borrowing func addBySingleWriter(_ count: Int) {
        store(load(ordering: .relaxed) &+ count, ordering: .relaxed)
    }
}
