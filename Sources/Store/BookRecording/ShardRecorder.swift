// One shard's recorder: it takes the frames of a tap, maintains its own books from them, and fills blocks.
//
// Why its own books: a recording must start with copies of books at the exact positions of its frames, and
// must say when a book was not trusted. An engine that processes the same frames knows both without asking
// the book thread. A replay must reproduce its digests, written every second; every second its books are
// compared with the views readers see.
//
// Invariants
// * The engine processes every frame of the tap, whether it can be written or not: a slow disk costs frames
//   of the recording and nothing else. What was not written is a gap, and what follows it starts with copies
//   again.
// * Whenever a served book was replaced by anything but an update, or is trusted again, a copy follows in the
//   recording before the next frame, or as soon as the book is live.
// * Nobody waits for this thread; its tap is a bounded ring, and the feed marks what finds no room there.
//
// Bounds: the ring, the engine's, and `waitingBlocksMax` blocks of 256 KiB. Worst case: a frame costs what it
// costs in an engine plus one copy; a base costs O(levels of all books).
//
// SAFETY: bytes of a frame are copied during the call that lends them.

import BinanceVenue
import BookEngine
import BookSync
import DepthBook
import LobHandoff
import LobRecording
import MarketData

/// Records one shard. Thread: its own, from `run` on.
final class ShardRecorder: @unchecked Sendable {
    /// The stream to record.
    struct Stream: ~Copyable {
        var consumer: FrameConsumer
        var symbols: [SymbolName]
        var market: Market
        var engine: EngineConfiguration
        /// Whether updates overlap as those of several connections do.
        var hasSeveralConnections = false
        /// Mailboxes of each symbol's view; empty if there are none.
        var views: [LatestValueReader<BookView>]
        /// Asks the engine that serves these books; false if that is not possible now. Nil if there is none.
        var ask: BookLender.Ask?
    }

    /// Recording state of one symbol.
    struct Track {
        var isLive = false
        /// Whether the open segment holds a copy that its updates continue.
        var isBased = false
        /// Whether no copy of it can be written before the next base.
        var isTooLong = false
        /// Replacement count of its book at the last look.
        var replacements = 0
        var lastID: Int64 = 0
        var gap: RecordedGap?
    }

    let options: RecorderOptions
    let symbols: [SymbolName]
    let disk: RecorderDisk
    let report: @Sendable (RecorderEvent) -> Void
    let termsBytes: [UInt8]
    let symbolBytes: [[UInt8]]
    var header: SegmentHeader
    var engine: BookEngine
    var tracks: [Track]
    var block: FrameBlock
    var sequence: UInt64
    /// What is currently not written, and why; nil while everything is.
    var loss: RecordedGap?
    /// The last block that lists the gaps that ended when writing resumed, and since when they did.
    var told: (sequence: UInt64, sinceNs: Int64)?
    /// The segment to start after a failure, and when to retry.
    var awaitedSegment: UInt64?
    var retryNs: Int64 = 0
    /// The gaps that overlap the open segment.
    var gaps = GapList()
    var counters = RecorderCounters()
    var baseAtNs: Int64 = 0
    /// Size of the last base, and of the blocks since.
    var (baseBytes, bytesSinceBase) = (0, 0)
    /// Whether a base is being written.
    var isInBase = false
    /// Whether the disk was unresponsive, so that the end did not wait for it.
    private(set) var isHung = false
    /// Provides copies of served books.
    let lender: BookLender?
    private let segmentBytesMax: Int
    private var consumer: FrameConsumer
    private let views: [LatestValueReader<BookView>]
    private let slots: [SymbolName: Int]
    private var knownReplacements = 0
    /// Changed slots of the engine; kept to reuse its memory.
    private var changed: [Int] = []
    private var knownLosses = 0
    private var secondAtNs: Int64 = 0
    private var lastAtNs: Int64 = 0
    private let isStopping = StopFlag()
    private var room = BookView()

    /// - Parameters:
    ///   - stream: the stream to record.
    ///   - options: how and where.
    ///   - header: header of the first segment.
    ///   - before: the gap since the last recording in the folder, if any.
    ///   - report: receives loggable events.
    init(
        _ stream: consuming Stream, _ options: RecorderOptions, _ header: SegmentHeader,
        before: RecordedGap?, report: @escaping @Sendable (RecorderEvent) -> Void
    ) throws(RecorderError) {
        (symbols, views, self.options, self.report) = (stream.symbols, stream.views, options, report)
        lender = stream.ask.map { [market = stream.market] in BookLender(.current(market), $0) }
        self.header = header
        segmentBytesMax = options.segmentBytesMax(ofShards: Int(header.shardCount))
        symbolBytes = symbols.map(\.bytes)
        var terms = RecordingTerms(market: stream.market, symbols: symbols, stream.engine)
        terms.hasSeveralConnections = stream.hasSeveralConnections
        termsBytes = terms.bytes
        engine = BookEngine(terms.engine ?? stream.engine)
        slots = Dictionary(symbols.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        tracks = [Track](repeating: Track(), count: symbols.count)
        sequence = header.firstSequence
        block = FrameBlock(symbolCount: symbols.count, isBase: true)
        disk = try RecorderDisk(options, header, symbols: symbolBytes, report: report)
        consumer = stream.consumer
        for symbol in symbols { engine.addSymbol(symbol) }
        if let before { gaps.add(before) }
    }

    /// Tells `run` to end once the ring is empty. For any thread.
    func stop() { isStopping.raise() }

    /// Records until it is stopped.
    func run() {
        begin(RecorderClock.realtimeNs)
        var emptyTurns = 0
        while true {
            let isLastTurn = isStopping.isRaised
            let count = consumer.poll(limit: 256) { take($0) }
            if count > 0 {
                emptyTurns = 0
                continue
            }
            if isLastTurn { break }
            emptyTurns += 1
            RecorderClock.sleep(us: emptyTurns > 50 ? 2000 : 200)
        }
        isHung = !finish(lastAtNs == 0 ? RecorderClock.realtimeNs : lastAtNs)
    }

    /// Writes the beginning of the first segment.
    func begin(_ atNs: Int64) {
        for slot in symbols.indices { watch(slot, atNs) }
        writeBase(atNs)
    }

    /// Processes one frame of the tap.
    func take(_ frame: Frame) {
        counters.frames += 1
        process(frame)
    }

    /// Time goes on, as the ticks of a feed say otherwise.
    func advance(_ atNs: Int64) { tick(atNs) }

    /// Processes a frame that is not from the feed but belongs to the recording as if it were.
    func insert(_ kind: FrameKind, _ bytes: [UInt8], _ atNs: Int64) {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe process(
                Frame(kind: kind, source: BookLender.source, receivedAtNs: atNs, bytes: bytes))
        }
    }

    private func process(_ frame: Frame) {
        lastAtNs = frame.receivedAtNs
        if loss == nil { add(frame) } else { loss?.lostFrames += 1 }
        let (updates, malformed) = (engine.counters.depthUpdates, engine.counters.malformed)
        engine.step(frame)
        var mayHaveTurned = engine.counters.malformed != malformed
        if engine.counters.depthUpdates != updates, let slot = slots[engine.lastUpdate.symbol] {
            block.note(symbol: slot)
            mayHaveTurned = !tracks[slot].isLive || !tracks[slot].isBased && !tracks[slot].isTooLong
        }
        engine.takeRequests { _ in }
        switch frame.kind {
        case .tick: tick(frame.receivedAtNs)
        case .depthSnapshot:
            if let symbol = SnapshotEnvelope(unsafe frame.bytes.span)?.symbol, let slot = slots[symbol] {
                block.note(symbol: slot)
            }
            settle(frame.receivedAtNs)
        case .dropped, .resubscribed, .connected, .disconnected, .retired: settle(frame.receivedAtNs)
        case .message, .snapshotFailed, .snapshotRequested:
            if mayHaveTurned || engine.replacementCount != knownReplacements
                || engine.lossCount != knownLosses
            {
                settle(frame.receivedAtNs)
            }
        }
    }

    /// Something other than updates may have changed a book. O(books that changed).
    private func settle(_ atNs: Int64) {
        (knownReplacements, knownLosses) = (engine.replacementCount, engine.lossCount)
        var changed = changed
        self.changed = []
        engine.takeChanged { changed.append($0) }
        for slot in changed where slot < symbols.count {
            let count = engine.replacementCount(of: symbols[slot])
            if count != tracks[slot].replacements {
                (tracks[slot].replacements, tracks[slot].isBased) = (count, false)
            }
            watch(slot, atNs)
        }
        if loss == nil { for slot in changed where slot < symbols.count { writeBook(slot, atNs) } }
        changed.removeAll(keepingCapacity: true)
        self.changed = changed
    }

    private func tick(_ atNs: Int64) {
        settle(atNs)
        // A book that awaited a confirmation when its gap ended had no copy then.
        if loss == nil { for slot in symbols.indices { writeBook(slot, atNs) } }
        borrow(atNs)
        if loss != nil { recover(atNs) }
        let status = disk.status
        // A block may also have been dropped from the previous segment.
        let hasFailed =
            status.failedSegment >= header.number || status.droppedBlocks != counters.droppedBlocks
        if loss == nil && hasFailed {
            lose(.diskError, fromNs: status.failedFromNs == 0 ? atNs : status.failedFromNs)
        }
        let isSecond = atNs < secondAtNs || atNs - secondAtNs >= 1_000_000_000
        if isSecond {
            secondAtNs = atNs
            compareViews()
        }
        if loss != nil { return }
        if isSecond { writeDigests(atNs, ofAll: false) }
        let isNextPeriod =
            atNs / max(options.segmentEveryNs, 1) != header.createdAtNs / max(options.segmentEveryNs, 1)
        // The known size may still be that of the previous segment.
        let isFull = status.openSegment == header.number && status.segmentBytes >= segmentBytesMax
        if (isNextPeriod || isFull) && status.waitingBaseBlocks == 0 {
            rotate(atNs)
        } else if isBaseDue(atNs) {
            writeBase(atNs)
        } else if block.frameCount > 0, abs(atNs - block.firstAtNs) >= options.blockNsMax {
            closeBlock()
        }
    }

    private func isBaseDue(_ atNs: Int64) -> Bool {
        if disk.status.waitingBaseBlocks > 0 { return false }
        let bytes = bytesSinceBase + block.raw.count
        if bytes >= max(options.baseEveryBytes, 8 * baseBytes) { return true }
        let ageNs = atNs - baseAtNs
        if ageNs < options.baseEveryNs { return false }
        return bytes >= options.baseFramesMin * baseBytes
            || ageNs / options.baseWaitMax >= options.baseEveryNs
    }

    /// Records whether a book is not trusted, and since when.
    func watch(_ slot: Int, _ atNs: Int64) {
        counters.looks += 1
        guard let mark = engine.mark(of: symbols[slot]) else { return }
        let isLive = mark.state == .live
        if isLive { tracks[slot].lastID = mark.lastUpdateID.value }
        if isLive == tracks[slot].isLive && (isLive || tracks[slot].gap != nil) { return }
        tracks[slot].isLive = isLive
        if isLive {
            guard var gap = tracks[slot].gap else { return }
            (gap.toNs, gap.idAfter) = (atNs, mark.lastUpdateID.value)
            tracks[slot].gap = nil
            // A replay that starts midway cannot know what proved it.
            tracks[slot].isBased = false
            note(gap, atNs, slot)
        } else {
            var gap = RecordedGap(
                cause(mark), of: symbolBytes[slot], fromNs: atNs, idBefore: tracks[slot].lastID)
            gap.detail = Array("\(mark.state == .syncing ? "syncing" : "\(mark.reason)")".utf8)
            tracks[slot].gap = gap
            note(gap, atNs, slot)
        }
    }

    private func cause(_ mark: BookMark) -> RecordedGap.Cause {
        if mark.state == .syncing { return .starting }
        switch mark.reason {
        case .disconnected: return .reconnect
        case .lagging, .silent: return .stall
        case .unreadable: return .unreadable
        case .dropped: return .droppedAtTap
        default: return .resync
        }
    }

    private func note(_ gap: RecordedGap, _ atNs: Int64, _ slot: Int) {
        gaps.add(gap)
        counters.gaps += gap.toNs == 0 ? 1 : 0
        // The first base lists earlier gaps: nothing precedes the point where reading starts.
        if loss != nil || counters.bases == 0 { return }
        write(.gap, atNs, gap.bytes)
        block.note(symbol: slot)
    }

    /// Compares with what readers see, where both stand at the same update.
    private func compareViews() {
        for (slot, reader) in views.enumerated() {
            if case .contended = reader.read(into: &room) { continue }
            guard room.state == .live, tracks[slot].isLive else { continue }
            let verdict = engine.withBook(symbols[slot]) { book -> Bool? in
                book.lastUpdateID == room.lastUpdateID && book.scales == room.scales
                    ? ShardRecorder.isSame(book, room) : nil
            }
            guard let isSame = verdict ?? nil else { continue }
            counters.viewsCompared += 1
            if isSame { counters.viewsAgreed += 1 } else { report(.contradicted(symbol: "\(symbols[slot])")) }
        }
    }

    private static func isSame(_ book: borrowing OrderBook, _ view: BookView) -> Bool {
        func matches(_ side: Side, _ count: Int, _ level: (Int) -> PriceLevel) -> Bool {
            var index = 0
            var isSame = true
            book.forEachLevel(side) { own in
                if index >= count { return false }
                isSame = isSame && own == level(index)
                index += 1
                return isSame
            }
            return isSame && index == count
        }
        return matches(.bid, Int(view.bidCount)) { view.bids[$0] }
            && matches(.ask, Int(view.askCount)) { view.asks[$0] }
    }
}
