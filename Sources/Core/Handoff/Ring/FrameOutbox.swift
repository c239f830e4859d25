// Decides what goes into a feed's ring, and in which order. Data messages may be dropped when the ring is
// full; a `dropped` frame in their place says so. Connection events, loss marks and snapshots must not be
// dropped: they queue here until the ring takes them, and data arriving after them is dropped until they fit,
// which preserves order.
//
// Two connections can both be in the middle of a message. The ring has one open frame; the connection that
// began first has it, and the other one's pieces are gathered in its `side` and written whole. A message in
// one piece, as nearly all are, needs neither.
//
// Invariants
// * The ring gets what was offered, in the order offered, except messages finished while something waited.
// * Every message is committed whole, or counted as dropped and followed by a `dropped` frame.
// * At most one frame waits per key, and at most one tick; at most one `connected` per connection that is up,
//   and one `disconnected` or `retired` per connection that the ring believes to be up; and `lossesMax`
//   losses, those of one stream counted once. Beyond that, one frame per connection stands for all its
//   streams.
// Bounds: `waitingBytesMax` for what waits, plus small frames, and `sideBytesMax` for what a connection
// gathers; a longer message is dropped.
//
// Worst case: a message costs one copy, and one more if it was gathered. While the ring is full, each offered
// frame searches the waiting ones, perhaps a thousand, for its key.

/// The order-preserving front of a ring's producer. Not copyable; used by one thread at a time.
package struct FrameOutbox: ~Copyable, Sendable {
    /// Outcome of a piece of a message.
    package enum Delivery: Hashable, Sendable {
        /// The message continues.
        case unfinished
        /// The message is in the ring.
        case committed
        /// The message is lost.
        case dropped
    }

    /// A connection's message in progress.
    package struct Sender: Sendable {
        enum State: Hashable, Sendable {
            /// Between two messages.
            case idle
            /// The ring's open frame is its message.
            case inRing
            /// Its message is being gathered in `side`.
            case aside
            /// Its message is lost, and more of it is still to come.
            case lost
        }

        /// Connection that sends the messages.
        package let source: UInt16
        var state = State.idle
        var side: [UInt8] = []
        /// The beginning of a message that comes in pieces.
        var head: [UInt8] = []
        /// Whether the message in progress began before this sender was made.
        var isHeadMissing = false

        /// A connection between two messages.
        package init(source: UInt16) { self.source = source }

        /// Whether no message is in progress.
        package var isIdle: Bool { state == .idle }

        /// Treats the message in progress as one with an unknown beginning: it counts as lost, and its mark
        /// names no stream.
        mutating func joinLate() {
            state = .lost
            isHeadMissing = true
        }
    }

    struct Waiting: Sendable {
        var kind: FrameKind
        var source: UInt16
        var receivedAtNs: Int64
        var key: Int?
        var bytes: [UInt8]
    }

    /// Longest message gathered at the side.
    package static var sideBytesMax: Int { 1 << 23 }

    /// Frames up to this length are never refused for lack of space: announcements and failures.
    package static var smallBytesMax: Int { 256 }

    /// Bytes kept of a lost message: enough for the name of its stream.
    package static var lostHeadBytes: Int { 128 }
    /// Two lost messages with this many equal leading bytes count as one loss: they belong to one stream,
    /// close together.
    private static var sameStreamBytes: Int { 64 }
    /// The key of ticks; callers use others.
    private static var tickKey: Int { .min }
    /// Most losses that wait, each of a different stream.
    package static var lossesMax: Int { 256 }

    /// Messages lost because the ring had no room or something was waiting before them.
    package private(set) var droppedMessages = 0
    /// Bytes waiting.
    package private(set) var waitingBytes = 0
    private var producer: FrameProducer
    private(set) var waiting: [Waiting] = []
    private var isRingOpen = false
    private let waitingBytesMax: Int

    /// An outbox of this producer.
    package init(_ producer: consuming FrameProducer, waitingBytesMax: Int = 16 << 20) {
        self.producer = producer
        self.waitingBytesMax = waitingBytesMax
    }

    /// Frames waiting.
    package var waitingFrames: Int { waiting.count }

    /// Takes a piece of a connection's message.
    ///
    /// - Parameters:
    ///   - piece: its bytes, which are copied.
    ///   - isFinal: whether it is the last piece.
    ///   - sender: the connection.
    ///   - receivedAtNs: receive time; that of the last piece counts.
    /// - Complexity: one copy; allocates only when gathering in a connection's `side`.
    package mutating func receive(
        _ piece: Span<UInt8>, isFinal: Bool, from sender: inout Sender, receivedAtNs: Int64
    ) -> Delivery {
        switch sender.state {
        case .idle:
            if isFinal && (waiting.isEmpty || flush()) {
                if producer.write(.message, source: sender.source, receivedAtNs: receivedAtNs, piece) {
                    return .committed
                }
            }
            sender.head.removeAll(keepingCapacity: true)
            sender.keepHead(piece)
            if isFinal || !waiting.isEmpty { return lose(&sender, isFinal, receivedAtNs) }
            if isRingOpen { return gather(piece, &sender, isFinal, receivedAtNs) }
            isRingOpen = true
            sender.state = .inRing
            producer.append(piece)
            return .unfinished
        case .inRing:
            sender.keepHead(piece)
            producer.append(piece)
            if !isFinal { return .unfinished }
            isRingOpen = false
            sender.state = .idle
            if !waiting.isEmpty && !flush() {
                producer.abort()
            } else if producer.commit(.message, source: sender.source, receivedAtNs: receivedAtNs) {
                return .committed
            }
            return lose(&sender, true, receivedAtNs)
        case .aside: return gather(piece, &sender, isFinal, receivedAtNs)
        case .lost:
            sender.keepHead(piece)
            return lose(&sender, isFinal, receivedAtNs)
        }
    }

    /// Drops a connection's message in progress: the connection is gone.
    package mutating func abandon(_ sender: inout Sender) {
        if sender.state == .inRing {
            producer.abort()
            isRingOpen = false
        }
        sender = Sender(source: sender.source)
    }

    /// Takes a frame that must arrive.
    ///
    /// A `disconnected` or `retired` cancels a waiting `connected` of the same source instead of waiting
    /// itself.
    ///
    /// - Parameters:
    ///   - kind: the kind of frame.
    ///   - source: the connection, or 0.
    ///   - receivedAtNs: the time of the frame.
    ///   - key: identifies the subject of the frame; it replaces a waiting frame with the same key. Not
    ///     `Int.min`.
    ///   - bytes: the body.
    /// - Returns: false if the frame could never fit the ring, or if too many bytes wait; it is then not
    ///   taken, and none with its key waits. A frame of at most `smallBytesMax` bytes is always taken.
    package mutating func offer(
        _ kind: FrameKind, source: UInt16, receivedAtNs: Int64, key: Int? = nil, _ bytes: [UInt8] = []
    ) -> Bool {
        if bytes.count > producer.frameBytesMax { return false }
        if let key, let old = waiting.firstIndex(where: { $0.key == key }) {
            waitingBytes -= waiting.remove(at: old).bytes.count
        }
        if kind == .disconnected || kind == .retired,
            let vain = waiting.firstIndex(where: { $0.kind == .connected && $0.source == source })
        {
            waiting.remove(at: vain)
            return true
        }
        if flush() && producer.hasRoom(forWholeFrame: bytes.count) {
            return producer.write(kind, source: source, receivedAtNs: receivedAtNs, bytes.span)
        }
        if bytes.count > FrameOutbox.smallBytesMax && waitingBytes + bytes.count > waitingBytesMax {
            return false
        }
        waitingBytes += bytes.count
        waiting.append(
            Waiting(kind: kind, source: source, receivedAtNs: receivedAtNs, key: key, bytes: bytes))
        return true
    }

    /// Writes a tick. Of ticks that find no room the last one waits: frames after a standstill are timed by
    /// it, and would otherwise seem early.
    ///
    /// - Parameters:
    ///   - atNs: the time.
    ///   - monotonicNs: the same moment on a monotonic clock; nil if there is none.
    package mutating func tick(atNs: Int64, monotonicNs: Int64? = nil) {
        let bytes = monotonicNs.map { ns in (0..<8).map { UInt8(truncatingIfNeeded: ns >> (8 * $0)) } } ?? []
        _ = offer(.tick, source: 0, receivedAtNs: atNs, key: FrameOutbox.tickKey, bytes)
    }

    /// Retries what waits, in order; true if nothing waits any more.
    @discardableResult
    package mutating func flush() -> Bool {
        var count = 0
        while count < waiting.count, producer.hasRoom(forWholeFrame: waiting[count].bytes.count) {
            let frame = waiting[count]
            producer.write(
                frame.kind, source: frame.source, receivedAtNs: frame.receivedAtNs, frame.bytes.span)
            waitingBytes -= frame.bytes.count
            count += 1
        }
        if count > 0 { waiting.removeFirst(count) }
        return waiting.isEmpty
    }

    private mutating func gather(
        _ piece: Span<UInt8>, _ sender: inout Sender, _ isFinal: Bool, _ receivedAtNs: Int64
    ) -> Delivery {
        sender.state = .aside
        if sender.side.count + piece.count > FrameOutbox.sideBytesMax {
            return lose(&sender, isFinal, receivedAtNs)
        }
        for index in piece.indices { sender.side.append(piece[index]) }
        sender.keepHead(piece)
        if !isFinal { return .unfinished }
        if !waiting.isEmpty && !flush() { return lose(&sender, true, receivedAtNs) }
        if producer.write(
            .message, source: sender.source, receivedAtNs: receivedAtNs, sender.side.span)
        {
            sender.side.removeAll(keepingCapacity: true)
            sender.state = .idle
            return .committed
        }
        return lose(&sender, true, receivedAtNs)
    }

    private mutating func lose(
        _ sender: inout Sender, _ isFinal: Bool, _ receivedAtNs: Int64
    ) -> Delivery {
        sender.side.removeAll(keepingCapacity: true)
        sender.state = isFinal ? .idle : .lost
        if !isFinal { return .unfinished }
        droppedMessages += 1
        mark(sender, receivedAtNs)
        sender.isHeadMissing = false
        return .dropped
    }

    /// Puts a `dropped` frame in the message's place, unless an equivalent one waits.
    private mutating func mark(_ sender: borrowing Sender, _ receivedAtNs: Int64) {
        let same = sender.head.prefix(FrameOutbox.sameStreamBytes)
        var lossCount = 0
        for frame in waiting where frame.kind == .dropped {
            lossCount += 1
            if frame.source != sender.source { continue }
            if frame.bytes.isEmpty || (!same.isEmpty && frame.bytes.prefix(same.count) == same) { return }
        }
        if lossCount >= FrameOutbox.lossesMax { return markEverything(of: sender.source, receivedAtNs) }
        _ = offer(.dropped, source: sender.source, receivedAtNs: receivedAtNs, sender.head)
    }

    /// Marks that anything from a connection may be missing from here on: a `dropped` frame without a body,
    /// which replaces the connection's first waiting mark and stands for all of them.
    ///
    /// - Complexity: O(frames waiting).
    package mutating func markEverything(of source: UInt16, _ receivedAtNs: Int64) {
        guard let first = waiting.firstIndex(where: { $0.kind == .dropped && $0.source == source }) else {
            _ = offer(.dropped, source: source, receivedAtNs: receivedAtNs)
            return
        }
        waiting[first].bytes = []
        var kept = 0
        for index in waiting.indices {
            if index > first && waiting[index].kind == .dropped && waiting[index].source == source {
                continue
            }
            waiting.swapAt(kept, index)
            kept += 1
        }
        waiting.removeSubrange(kept...)
        waitingBytes = waiting.reduce(0) { $0 + $1.bytes.count }
    }
}

extension FrameOutbox.Sender {
    /// Keeps the beginning of a message until `head` is full.
    fileprivate mutating func keepHead(_ piece: Span<UInt8>) {
        if isHeadMissing { return }
        var index = 0
        while head.count < FrameOutbox.lostHeadBytes && index < piece.count {
            head.append(piece[index])
            index += 1
        }
    }
}
