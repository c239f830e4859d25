// One shard of the service as a store follows it: a replica over a tap of the shard's frames. Copying a book
// takes time proportional to its levels, and here no book waits for it.

import BookEngine
import BookService
import DepthBook
import LobHandoff
import MarketData

/// A replica of one shard. Thread: the follower's.
final class StoredShard {
    /// Timing of one symbol's updates.
    struct Flow {
        /// Receive time of the last one, in nanoseconds of the frames; 0 before the first.
        var lastAtNs: Int64 = 0
        /// Longest time between two since the last query.
        var longestNs: Int64 = 0
    }

    private let number: Int
    /// In the order of the replica's slots.
    let symbols: [SymbolName]
    private var flows: [Flow]
    private var replica: ReplicaEngine
    private var consumer: FrameConsumer
    private let tap: FrameTap
    private let answers = CommandQueue<ReplicaAnswer>(capacity: 4)
    private var isTapped = false
    private var events: [StoredConnection] = []

    /// Most events kept until taken; further ones are dropped, and normally there are few.
    private static let eventCountMax = 1024

    init(_ number: Int, of service: BookService, ringBytes: Int) throws(FrameRingError) {
        var configuration = service.configuration.engine
        configuration.publication = .conflated
        // Its books are the primary's, which audits them.
        configuration.auditEveryNs = 0
        let ring = try FrameRing(capacityBytes: ringBytes)
        tap = FrameTap(ring.producer, carriesSnapshots: false)
        consumer = ring.consumer
        replica = ReplicaEngine(configuration)
        self.number = number
        symbols = service.symbols(ofShard: number)
        flows = [Flow](repeating: Flow(), count: symbols.count)
        for symbol in symbols { replica.addSymbol(symbol) }
    }

    /// Processes what has arrived, at most `limit` frames.
    ///
    /// - Returns: number of frames processed.
    func poll(_ service: BookService, limit: Int) -> Int {
        if !isTapped { isTapped = service.add(tap, toShard: number) }
        for answer in answers.take() { replica.take(answer) }
        let count = consumer.poll(limit: limit) { take($0) }
        replica.takeChanged { _ in }
        if let question = replica.takeQuestion(),
            !service.answer(question, byShard: number, { [answers] in _ = answers.post($0) })
        {
            replica.take(nil)
        }
        return count
    }

    private func take(_ frame: Frame) {
        let updates = replica.engine.counters.depthUpdates
        replica.step(frame)
        switch frame.kind {
        case .message:
            if replica.engine.counters.depthUpdates == updates { return }
            let slot = replica.engine.place(of: replica.engine.lastUpdate.symbol)
            if slot < 0 { return }
            let flow = flows[slot]
            if flow.lastAtNs != 0 {
                flows[slot].longestNs = max(flow.longestNs, frame.receivedAtNs - flow.lastAtNs)
            }
            flows[slot].lastAtNs = frame.receivedAtNs
        case .connected: note("connected", frame)
        case .disconnected: note("disconnected", frame)
        case .retired: note("retired", frame)
        case .depthSnapshot, .snapshotFailed, .snapshotRequested, .dropped, .resubscribed, .tick: break
        }
    }

    private func note(_ event: String, _ frame: Frame) {
        if events.count >= StoredShard.eventCountMax { return }
        events.append(
            StoredConnection(atNs: frame.receivedAtNs, shard: number, source: frame.source, event: event))
    }

    /// Connection events since the last call.
    func takeEvents() -> [StoredConnection] {
        if events.isEmpty { return [] }
        defer { events = [] }
        return events
    }

    /// Timing of updates since the last call; the time of the last one stays.
    func takeFlow(of slot: Int) -> Flow {
        defer { flows[slot].longestNs = 0 }
        return flows[slot]
    }

    /// State of the replica's book.
    func mark(of slot: Int) -> BookMark { replica.engine.mark(at: slot) }

    /// A copy of the book for storage; nil if it never had a level. O(levels).
    func book(of slot: Int, atNs: Int64, cause: StoredBook.Cause) -> StoredBook? {
        let mark = mark(of: slot)
        let image = replica.engine.withBook(at: slot) { $0.image }
        if image.scales == nil { return nil }
        return StoredBook(
            symbols[slot], atNs: atNs, cause: cause, state: mark.state, reason: mark.reason, book: image)
    }

    /// Ends the tap; false if the feed cannot be told now.
    func leave(_ service: BookService) -> Bool {
        if isTapped { isTapped = !service.remove(tap, fromShard: number) }
        return !isTapped
    }
}
