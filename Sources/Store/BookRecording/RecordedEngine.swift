// An engine that repeats a recording and checks it: every copy of a book and every digest in it is compared
// with the books that its frames make.
//
// From the first block of a run the frames alone make every book, and a copy that differs is a mismatch. From
// a base in the middle, or after a gap, the first copy of a book is adopted. From then on digests, further
// copies and snapshots at the book's id are compared with it (RecordedEngine+Comparing.swift).
//
// For a few symbols, blocks are missing that hold only other symbols' updates: connections and time are then
// not followed, and a book is trusted where the recorder's gaps do not say otherwise.
//
// SAFETY: bytes of a frame are read only during the call that lends them.

import BinanceVenue
import BookEngine
import DepthBook
import LobHandoff
import LobRecording
import MarketData

/// Repeats the frames of one stream.
package struct RecordedEngine: ~Copyable {
    /// Result of a symbol in earlier runs of the recorder.
    package struct Former: Sendable {
        /// Its status at the end of the last one, with the counters of all.
        package var status: SymbolStatus
        /// Digest of its book at that point.
        package var digest: UInt64
    }

    /// Most mismatches kept; all are counted.
    package static let mismatchesMax = 20

    var engine: BookEngine?
    /// The recording's own terms.
    package private(set) var terms: RecordingTerms?
    /// Symbols by their numbers.
    package private(set) var symbols: [SymbolName] = []
    /// Counters of the replay.
    package internal(set) var counters = Counters()
    /// The first mismatches.
    package private(set) var mismatches: [Mismatch] = []
    /// Number of all mismatches.
    package private(set) var mismatchCount = 0
    /// Every gap listed in the recording, and every one that is not.
    package private(set) var gaps = GapList()
    /// Whether frames alone have made the books.
    private(set) var isExact = true
    /// The requested symbols; nil for all.
    private let wanted: [SymbolName: SymbolMark]?
    private(set) var slots: [SymbolName: Int] = [:]
    /// Which books are the recording's.
    var isKnown: [Bool] = []
    /// Which books the recorder did not trust at this point.
    private(set) var isDoubted: [Bool] = []
    /// Books with a gap that began or ended since the last call of `takeChanged`.
    var turned: Set<Int> = []
    /// Which books the recorder did not trust at some time since their last copy.
    var wasDoubted: [Bool] = []
    /// Parses snapshots withheld from the engine.
    var parser = MessageParser()
    /// Results of the previous engines.
    private(set) var former: [SymbolName: Former] = [:]
    /// Time of the last frame of any kind.
    private var lastAtNs: Int64 = 0
    /// The base being read: when it was written, and the gaps it says are open.
    private var base: (atNs: Int64, lasting: Set<RecordedGap>)?
    private var missingBlocks = 0
    /// Blocks of gaps that ended since the last frame of the feed.
    private var listedBlocks = 0
    private var missingSince: (fromNs: Int64, toNs: Int64) = (0, 0)
    let levelsPerFrame: Int?
    /// Levels that digests may read; below 0 after more were read.
    var levelsAllowed = 1
    /// Digests that were not compared and that no frame has followed yet.
    private var waiting: (digests: BookDigests, atNs: Int64)?

    /// An engine for a walk.
    ///
    /// - Parameters:
    ///   - isExact: whether the walk starts at the first block of a run.
    ///   - symbols: the symbols requested; nil for all.
    ///   - levelsPerFrame: how many levels may be read for digests in the mean for each frame of the feed,
    ///     which leaves out most digests of a quiet book, but not the last of a run, and copies that are not
    ///     needed; nil to compare all.
    package init(isExact: Bool, symbols: Set<SymbolName>? = nil, levelsPerFrame: Int? = nil) {
        self.isExact = isExact && symbols == nil
        self.levelsPerFrame = levelsPerFrame
        wanted = symbols.map { symbols in
            Dictionary(uniqueKeysWithValues: symbols.map { ($0, SymbolMark($0)) })
        }
    }

    private mutating func keepTotals() {
        for symbol in symbols {
            guard var status = status(of: symbol) else { continue }
            status.counters = totals(of: symbol)
            former[symbol] = Former(status: status, digest: withBook(symbol) { $0.digest() } ?? 0)
        }
    }

    /// Whether a symbol was requested.
    borrowing func isWanted(_ symbol: SymbolName) -> Bool {
        guard let wanted else { return true }
        return wanted[symbol] != nil
    }

    /// Processes the next item of a walk.
    package mutating func take(_ item: RecordedItem) {
        switch item {
        case .frame(let frame): take(frame)
        case .newRun:
            compareWaiting()
            settleMissing()
            base = nil
            gaps.endAll(atNs: lastAtNs)
            if engine != nil { isExact = wanted == nil }
            keepTotals()
            engine = nil
        case .hole(let blocks, let fromNs, let toNs):
            if missingBlocks == 0 { missingSince = (fromNs, toNs) }
            missingBlocks += blocks
            leaveOutWaiting()
            base = nil
            doubt(toNs)
        }
    }

    private mutating func take(_ frame: RecordedFrame) {
        lastAtNs = frame.receivedAtNs
        if waiting != nil { leaveOutWaiting() }
        if let feed = frame.frame {
            counters.frames += 1
            if let levelsPerFrame { levelsAllowed = min(levelsAllowed + levelsPerFrame, 1 << 20) }
            endBase()
            if missingBlocks > 0 || listedBlocks > 0 { settleMissing() }
            if let wanted {
                guard feed.kind == .message, wanted.values.contains(where: { $0.isIn(feed) }) else { return }
                connect(feed.source, feed.receivedAtNs)
            }
            if isExact || !RecordedEngine.isOfSnapshots(feed.kind) {
                engine?.step(feed)
            } else if feed.kind == .depthSnapshot {
                compare(snapshot: feed)
            }
            engine?.takeRequests { _ in }
            return
        }
        switch frame.record {
        case .terms: take(terms: frame.body, frame.receivedAtNs)
        case .connections: take(connections: frame.body, frame.receivedAtNs)
        case .book: take(book: frame.body, frame.receivedAtNs)
        case .digests: take(digests: frame.body, frame.receivedAtNs)
        case .gap: take(gap: frame.body)
        case nil: counters.unknownFrames += 1
        }
    }

    /// Frames about snapshots: their effect depends on requests from before the beginning, and a copy follows
    /// whenever one has replaced a book.
    private static func isOfSnapshots(_ kind: FrameKind) -> Bool {
        kind == .depthSnapshot || kind == .snapshotRequested || kind == .snapshotFailed
    }

    private mutating func take(terms bytes: [UInt8], _ atNs: Int64) {
        guard let terms = RecordingTerms(bytes), let configuration = terms.engine,
            let names = terms.symbolNames, names.count <= configuration.symbolCountMax
        else {
            counters.unreadableRecords += 1
            return
        }
        if engine != nil {
            base = (atNs, [])
            for slot in isDoubted.indices where isDoubted[slot] { endDoubt(slot) }
            return
        }
        self.terms = terms
        symbols = names
        slots = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        isKnown = [Bool](repeating: isExact, count: names.count)
        isDoubted = [Bool](repeating: false, count: names.count)
        wasDoubted = isDoubted
        var engine = BookEngine(configuration)
        for name in names where wanted?[name] != nil || wanted == nil { engine.addSymbol(name) }
        self.engine = consume engine
    }

    private mutating func take(connections bytes: [UInt8], _ atNs: Int64) {
        guard let sources = ConnectionList.sources(bytes) else {
            counters.unreadableRecords += 1
            return
        }
        if wanted != nil { return }
        let present = engine?.connectedSources ?? []
        for source in present where !sources.contains(source) {
            engine?.disconnect(source: source, receivedAtNs: atNs)
        }
        for source in sources where !present.contains(source) {
            engine?.connect(source: source, receivedAtNs: atNs)
        }
        engine?.takeRequests { _ in }
    }

    private mutating func connect(_ source: UInt16, _ atNs: Int64) {
        if engine?.connectedSources.contains(source) == false {
            engine?.connect(source: source, receivedAtNs: atNs)
        }
    }

    private mutating func take(book bytes: [UInt8], _ atNs: Int64) {
        // What frames alone have made needs no copy, and its digests prove as much.
        if isExact && levelsPerFrame != nil { return counters.booksLeftOut += 1 }
        guard let image = ServedImage(bytes), let slot = slots[image.symbol] else {
            counters.unreadableRecords += 1
            return
        }
        if let wanted {
            if wanted[image.symbol] == nil { return }
            connect(image.source, atNs)
        }
        let comparison = compare(image, slot)
        wasDoubted[slot] = false
        if comparison != .none { counters.booksCompared += 1 }
        switch comparison {
        case .same:
            counters.booksAgreed += 1
            return
        case .deeper: counters.booksAgreed += 1
        case .different:
            mismatch(
                image.symbol, atNs,
                "the copy at update \(image.book.lastUpdateID) is not what the frames made")
        case .none: break
        }
        if engine?.adopt(image) == true {
            isKnown[slot] = true
            counters.booksAdopted += 1
            engine?.takeRequests { _ in }
        }
    }

    /// Digests for which there is no allowance wait: if nothing follows in the run, they are compared.
    private mutating func take(digests bytes: [UInt8], _ atNs: Int64) {
        guard let digests = BookDigests(bytes) else {
            counters.unreadableRecords += 1
            return
        }
        if levelsPerFrame != nil && levelsAllowed <= 0 {
            waiting = (digests, atNs)
        } else {
            compare(digests, atNs)
        }
    }

    /// The books go on without those that wait.
    private mutating func leaveOutWaiting() {
        guard let (digests, _) = waiting else { return }
        waiting = nil
        for entry in digests.entries where symbols.indices.contains(Int(entry.symbol)) {
            if isWanted(symbols[Int(entry.symbol)]) { counters.digestsLeftOut += 1 }
        }
    }

    private mutating func compareWaiting() {
        guard let (digests, atNs) = waiting else { return }
        waiting = nil
        compare(digests, atNs)
    }

    private mutating func take(gap bytes: [UInt8]) {
        var cursor = ByteCursor(bytes)
        guard let gap = RecordedGap(&cursor) else {
            counters.unreadableRecords += 1
            return
        }
        if gap.toNs != 0 && !gaps.isEnded(gap) { listedBlocks += Int(min(gap.lostBlocks, 1 << 32)) }
        if gap.toNs == 0 { base?.lasting.insert(gap) }
        gaps.add(gap)
        if let slot = SymbolName(gap.symbol.span).flatMap({ slots[$0] }) {
            if gap.toNs == 0 { isDoubted[slot] = true } else { endDoubt(slot) }
            wasDoubted[slot] = true
            turned.insert(slot)
        }
    }

    /// The recorder trusts a book again. Unless all frames are here, what it trusts may be another book than
    /// this one: its copy follows.
    private mutating func endDoubt(_ slot: Int) {
        isDoubted[slot] = false
        if !isExact { isKnown[slot] = false }
    }

    /// A base lists every open gap; any other has ended, even if the frame that said so was lost.
    private mutating func endBase() {
        guard let base else { return }
        gaps.endAll(atNs: base.atNs, except: base.lasting)
        self.base = nil
    }

    /// The missing blocks are in gaps that ended here, or in none.
    private mutating func settleMissing() {
        let unlisted = missingBlocks - listedBlocks
        (missingBlocks, listedBlocks) = (0, 0)
        if unlisted <= 0 { return }
        counters.unlistedBlocks += unlisted
        var gap = RecordedGap(.damaged, fromNs: missingSince.fromNs)
        (gap.toNs, gap.lostBlocks) = (missingSince.toNs, UInt64(unlisted))
        gaps.add(gap)
    }

    /// Something is missing here: no book is trusted until something proves it.
    private mutating func doubt(_ atNs: Int64) {
        isExact = false
        for slot in isKnown.indices { isKnown[slot] = false }
        for source in engine?.connectedSources ?? [] {
            let empty = unsafe UnsafeBufferPointer<UInt8>(start: nil, count: 0)
            unsafe engine?.step(Frame(kind: .dropped, source: source, receivedAtNs: atNs, bytes: empty))
        }
        engine?.takeRequests { _ in }
    }

    mutating func mismatch(_ symbol: SymbolName, _ atNs: Int64, _ what: String) {
        mismatchCount += 1
        if mismatches.count < RecordedEngine.mismatchesMax {
            mismatches.append(Mismatch(symbol: symbol, atNs: atNs, what: what))
        }
    }

    /// Ends the walk.
    package mutating func finish() {
        compareWaiting()
        endBase()
        settleMissing()
    }
}
