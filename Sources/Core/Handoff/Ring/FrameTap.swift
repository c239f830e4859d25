// A further ring to which a feed writes the same frames, for readers that must not hold up the book: a
// server, a recorder, a replica.
//
// Why an outbox of its own: a full ring raises the same questions here, about messages and about frames that
// must arrive, and `FrameOutbox` answers them. A tap tracks each connection's message in progress itself,
// because it may lose what the book does not, and may have joined midway.
//
// Invariants
// * What comes out is what was offered, in order. Where messages are missing, a `dropped` frame that names
//   their stream, or names nothing and means all of their source, precedes everything that was finished after
//   the first of them.
// * A frame other than a message is never missing silently: one that cannot wait leaves a `dropped` frame
//   without a body, with its source. Of ticks that found no room, the last one is delivered.
// * The book's ring is unaffected.
//
// Bounds: those of the outbox: its ring, `waitingBytesMax`, 256 marks, and `FrameOutbox.sideBytesMax` per
// connection in the middle of a message. A tap that is never read costs no more than that.
//
// Worst case: a message costs one copy and one notification. While the ring is full, each message walks the
// waiting marks.

/// One tap of a feed. Its reader creates it and keeps the ring's consumer; from being added to a feed until
/// being removed, only the feed's thread uses it.
public final class FrameTap: @unchecked Sendable {
    private var outbox: FrameOutbox
    private var senders: [FrameOutbox.Sender] = []
    private let signal: Signal?
    private let wake: WakeSwitch?
    private let carriesSnapshots: Bool

    /// A tap that writes to this producer's ring.
    ///
    /// - Parameters:
    ///   - producer: the writing half of its ring.
    ///   - signal: notified when something was written to the ring; nil if its reader does not sleep.
    ///   - waitingBytesMax: bytes of frames that wait for room; a snapshot beyond that is lost and marked.
    ///   - carriesSnapshots: whether it carries the venue's snapshots and what is said of requests for them;
    ///     a replica does not need them.
    public init(
        _ producer: consuming FrameProducer, signal: Signal? = nil, waitingBytesMax: Int = 1 << 20,
        carriesSnapshots: Bool = true
    ) {
        self.carriesSnapshots = carriesSnapshots
        outbox = FrameOutbox(producer, waitingBytesMax: waitingBytesMax)
        (self.signal, wake) = (signal, nil)
    }

    /// A tap of a replica that sleeps in its own system call; it carries no snapshots.
    package init(_ producer: consuming FrameProducer, wake: WakeSwitch, waitingBytesMax: Int = 1 << 20) {
        carriesSnapshots = false
        outbox = FrameOutbox(producer, waitingBytesMax: waitingBytesMax)
        (signal, self.wake) = (nil, wake)
    }

    private func notify() {
        signal?.notify()
        wake?.notify()
    }

    /// Messages dropped here for lack of room. Thread: the feed's.
    public var droppedMessages: Int { outbox.droppedMessages }

    /// Frames waiting for room. Thread: the feed's.
    public var waitingFrames: Int { outbox.waitingFrames }

    /// Takes a piece of a connection's message; the counterpart of `FrameOutbox.receive`.
    @discardableResult
    package func receive(
        _ piece: Span<UInt8>, isFinal: Bool, source: UInt16, receivedAtNs: Int64
    ) -> FrameOutbox.Delivery {
        let index = sender(source)
        let delivery = outbox.receive(
            piece, isFinal: isFinal, from: &senders[index], receivedAtNs: receivedAtNs)
        if isFinal { notify() }
        return delivery
    }

    /// Takes a frame that must arrive; the counterpart of `FrameOutbox.offer`.
    ///
    /// - Returns: false if it cannot even wait. A mark that anything of its source may be missing takes its
    ///   place.
    @discardableResult
    public func offer(
        _ kind: FrameKind, source: UInt16, receivedAtNs: Int64, key: Int? = nil, _ bytes: [UInt8] = []
    ) -> Bool {
        if !carriesSnapshots && kind.isOfSnapshot { return true }
        let isTaken = outbox.offer(kind, source: source, receivedAtNs: receivedAtNs, key: key, bytes)
        if !isTaken { outbox.markEverything(of: source, receivedAtNs) }
        notify()
        return isTaken
    }

    /// Writes a tick; the counterpart of `FrameOutbox.tick`.
    public func tick(atNs: Int64, monotonicNs: Int64? = nil) {
        outbox.tick(atNs: atNs, monotonicNs: monotonicNs)
        notify()
    }

    /// Retries what waits, in order; true if nothing waits any more.
    @discardableResult
    public func flush() -> Bool { outbox.flush() }

    /// Drops the message a connection was in the middle of, and the connection's sender.
    public func abandon(_ source: UInt16) {
        guard let index = senders.firstIndex(where: { $0.source == source }) else { return }
        outbox.abandon(&senders[index])
        senders.remove(at: index)
    }

    /// Notes that a connection was in the middle of a message when the tap was added: that message is lost
    /// here.
    public func joinLate(_ source: UInt16) { senders[sender(source)].joinLate() }

    /// Index of a connection's sender; a feed has at most two connections that are not gone.
    private func sender(_ source: UInt16) -> Int {
        for index in senders.indices where senders[index].source == source { return index }
        senders.append(FrameOutbox.Sender(source: source))
        return senders.count - 1
    }
}
