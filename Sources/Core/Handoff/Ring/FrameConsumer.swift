// The reading half of a ring.
//
// SAFETY: reads only `position ..< producerPosition` and guards, which the consumer owns until it stores its
// position; that store happens after the caller is done with the frame. `FrameProducer.publish` wrote the
// header, so its length lies inside the ring.

import Synchronization

/// One frame in a ring. Valid only during the call it is passed to; the producer then overwrites it.
@safe
public struct Frame {
    /// What it is.
    public let kind: FrameKind
    /// Where it comes from; its meaning depends on `FrameKind`.
    public let source: UInt16
    /// Nanoseconds since 1970 at which its last byte was received.
    public let receivedAtNs: Int64
    /// The body.
    public let bytes: UnsafeBufferPointer<UInt8>
    /// Bytes after the body that may be read; their values are meaningless. 128 in a ring.
    public let readableAfter: Int

    /// A frame with these contents.
    public init(
        kind: FrameKind, source: UInt16, receivedAtNs: Int64, bytes: UnsafeBufferPointer<UInt8>,
        readableAfter: Int = 0
    ) {
        self.readableAfter = readableAfter
        self.kind = kind
        self.source = source
        self.receivedAtNs = receivedAtNs
        unsafe self.bytes = unsafe bytes
    }
}

/// The reading half of a ring. Not copyable; may be moved to another thread; one thread uses it at a time.
public struct FrameConsumer: ~Copyable, @unchecked Sendable {
    private let memory: RingMemory

    init(_ memory: RingMemory) { self.memory = memory }

    /// Passes committed frames to `body`, oldest first. A frame's space is freed when `body` returns.
    ///
    /// - Parameters:
    ///   - limit: most frames to deliver, so that a loop with other work gets its turn.
    ///   - body: must not keep the frame or its bytes.
    /// - Returns: number of frames delivered. 0 means that the ring was empty; a number below `limit` does
    ///   not.
    @discardableResult
    public mutating func poll(limit: Int = .max, _ body: (Frame) -> Void) -> Int {
        pollAhead(limit: limit) { frame, _ in body(frame) }
    }

    /// Like `poll`, but passes each frame together with the next one, if that is already there.
    ///
    /// - Parameters:
    ///   - limit: most frames to deliver.
    ///   - body: gets a frame and the next one; must not keep them or their bytes.
    @discardableResult
    @inline(__always)
    package mutating func pollAhead(limit: Int = .max, _ body: (Frame, Frame?) -> Void) -> Int {
        let state = unsafe memory.consumer
        let own = unsafe memory.consumerPosition
        var position = unsafe own.pointee.load(ordering: .relaxed)
        if unsafe position == state.pointee.cachedProducerPosition {
            // Acquire: the producer's writes to the records happen before our reads of them.
            unsafe state.pointee.cachedProducerPosition = unsafe memory.producerPosition.pointee.load(
                ordering: .acquiring)
        }
        let end = unsafe state.pointee.cachedProducerPosition
        var count = 0
        while position != end && count < limit {
            let frame = frame(at: position)
            unsafe position &+= RecordLayout.recordLength(frame.bytes.count)
            body(frame, position == end ? nil : self.frame(at: position))
            // Release: our reads of the record happen before the producer's next writes to it.
            unsafe own.pointee.store(position, ordering: .releasing)
            count &+= 1
        }
        return count
    }

    private func frame(at position: Int) -> Frame {
        let header = unsafe UnsafeRawPointer(memory.frames + (position & (memory.capacityBytes &- 1)))
        let length = unsafe Int(header.load(fromByteOffset: RecordLayout.lengthOffset, as: UInt32.self))
        let body = unsafe (header + RecordLayout.headerLength).assumingMemoryBound(to: UInt8.self)
        let kindNumber = unsafe header.load(fromByteOffset: RecordLayout.kindOffset, as: UInt8.self)
        guard let kind = FrameKind(rawValue: kindNumber) else {
            preconditionFailure("a record was overwritten: kind \(kindNumber)")
        }
        return unsafe Frame(
            kind: kind,
            source: header.load(fromByteOffset: RecordLayout.sourceOffset, as: UInt16.self),
            receivedAtNs: header.load(fromByteOffset: RecordLayout.receivedAtOffset, as: Int64.self),
            bytes: UnsafeBufferPointer(start: body, count: length), readableAfter: RecordLayout.guardLength)
    }
}
