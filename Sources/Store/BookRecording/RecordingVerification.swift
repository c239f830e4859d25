// Replays a whole recording and verifies everything it claims: that its blocks are intact and none is missing
// without a gap that lists it, that its frames reproduce the books and digests in it, and that the venue's
// statements about the books (tickers, partial depths, snapshots as audits) agree.

import BinanceVenue
import BookEngine
import DepthBook
import LobRecording
import MarketData

/// Result of a symbol in a replay.
package struct VerifiedSymbol: Sendable {
    /// Its status at the end. A book that is live here but was not when recorded is stale: a replay from the
    /// middle lacks what made the recorder doubt it.
    package var status: SymbolStatus
    /// Digest of its book at the end.
    package var digest: UInt64
    /// All levels at the end, if requested.
    package var bids: [PriceLevel] = []
    /// See `bids`.
    package var asks: [PriceLevel] = []
    /// Counters over all runs of the recorder.
    package var totals = SymbolCounters()
    /// Number of gaps of this symbol.
    package var gapCount = 0
    /// Time during which its book was not to be trusted, in nanoseconds.
    package var gapNs: Int64 = 0
}

/// The result of a replay of one stream.
package struct RecordingVerification: Sendable {
    /// The symbols in order of their numbers, followed by those of earlier runs that the last run lacks.
    package private(set) var symbols: [VerifiedSymbol] = []
    /// The market; nil if not stated.
    package private(set) var market: Market?
    /// Counters of the replay.
    package private(set) var counters = RecordedEngine.Counters()
    /// The first mismatches.
    package private(set) var mismatches: [RecordedEngine.Mismatch] = []
    /// Number of all mismatches.
    package private(set) var mismatchCount = 0
    /// Listed gaps and unlisted ones.
    package private(set) var gaps = GapList()
    /// Blocks read.
    package private(set) var blocks = 0
    /// Blocks skipped because they hold nothing of the requested symbols.
    package private(set) var skippedBlocks = 0
    /// Damaged blocks.
    package private(set) var damagedBlocks = 0
    /// Bytes in no intact block, except those after the last one of a segment that was not closed.
    package private(set) var damagedBytes = 0
    /// Bytes after the last intact block of segments that were not closed.
    package private(set) var cutBytes = 0
    /// Why segments were left out.
    package private(set) var leftOut: [SegmentError] = []
    /// Bytes of frames, uncompressed.
    package private(set) var bytes = 0
    /// Times of the first and last frame.
    package private(set) var firstAtNs: Int64 = 0
    /// See `firstAtNs`.
    package private(set) var lastAtNs: Int64 = 0
    /// Whether no frame of the feed is of the requested time: then nothing is wrong, and nothing is verified.
    /// A folder may have shards that began or ended at another time.
    package private(set) var isEmpty = true

    /// How many levels a replay that is no verification reads for digests, in the mean for each frame: some
    /// 7 ns, a few hundredths of what a frame costs.
    package static let levelsPerFrameOfReplay = 2

    /// Replays a stream.
    ///
    /// - Parameters:
    ///   - stream: the segments of one shard.
    ///   - fromNs: starts at the last base not later than this.
    ///   - toNs: ends before the first block later than this.
    ///   - only: the symbols requested; nil for all.
    ///   - keepsLevels: whether the final levels are requested.
    ///   - levelsPerFrame: how many levels may be read for digests in the mean for each frame; nil to compare
    ///     all, and copies of books that frames alone have made. Digests that end a run are compared in any
    ///     case.
    ///   - visit: called before each frame with its time; false ends the replay.
    package init(
        _ stream: RecordedStream, fromNs: Int64 = .min, toNs: Int64 = .max, only: Set<SymbolName>? = nil,
        keepsLevels: Bool = false, levelsPerFrame: Int? = nil,
        visit: (Int64) -> Bool = { _ in true }
    ) throws(SegmentError) {
        var walk = RecordingWalk(
            stream, fromNs: fromNs, toNs: toNs, symbols: only.map { Set($0.map(\.bytes)) })
        var engine = RecordedEngine(isExact: walk.beginsAtRun, symbols: only, levelsPerFrame: levelsPerFrame)
        var (firstAtNs, lastAtNs): (Int64?, Int64) = (nil, 0)
        var isEmpty = true
        try walk.forEach { item in
            if case .frame(let frame) = item {
                if frame.frame != nil {
                    firstAtNs = firstAtNs ?? frame.receivedAtNs
                    lastAtNs = frame.receivedAtNs
                    if fromNs <= lastAtNs && lastAtNs <= toNs { isEmpty = false }
                }
                if !visit(frame.receivedAtNs) { return false }
            }
            engine.take(item)
            return true
        }
        engine.finish()
        (self.firstAtNs, self.lastAtNs) = (firstAtNs ?? 0, lastAtNs)
        (counters, mismatches, mismatchCount) = (engine.counters, engine.mismatches, engine.mismatchCount)
        (gaps, blocks, damagedBlocks, bytes) = (engine.gaps, walk.blocks, walk.damagedBlocks, walk.bytes)
        market = engine.terms?.knownMarket
        (cutBytes, damagedBytes, skippedBlocks) = (walk.cutBytes, walk.damagedBytes, walk.skippedBlocks)
        leftOut = walk.leftOut
        self.isEmpty = isEmpty && !walk.hasSkippedInside
        for symbol in engine.symbols {
            guard var status = engine.status(of: symbol) else { continue }
            if status.state == .live && !engine.isTrusted(symbol) {
                (status.state, status.reason) = (.stale, .gap)
            }
            var verified = VerifiedSymbol(
                status: status, digest: engine.withBook(symbol) { $0.digest() } ?? 0)
            verified.totals = engine.totals(of: symbol)
            if keepsLevels {
                verified.bids = engine.withBook(symbol) { $0.levels(.bid) } ?? []
                verified.asks = engine.withBook(symbol) { $0.levels(.ask) } ?? []
            }
            symbols.append(verified)
        }
        for former in engine.departed {
            var verified = VerifiedSymbol(status: former.status, digest: former.digest)
            if former.status.state == .live {
                (verified.status.state, verified.status.reason) = (.stale, .disconnected)
            }
            verified.totals = former.status.counters
            symbols.append(verified)
        }
        countGaps()
    }

    private mutating func countGaps() {
        var places: [[UInt8]: Int] = [:]
        for (index, symbol) in symbols.enumerated() { places[symbol.status.symbol.bytes] = index }
        for gap in gaps.gaps {
            guard let place = places[gap.symbol] else { continue }
            symbols[place].gapCount += 1
            // Each is bounded; the sum of many overlapping ones is not.
            let ns = max((gap.toNs == 0 ? lastAtNs : gap.toNs) - gap.fromNs, 0)
            symbols[place].gapNs = min(symbols[place].gapNs, .max - ns) + ns
        }
    }

    /// Whether the recording contradicts itself anywhere.
    package var isDamaged: Bool {
        mismatchCount > 0 || damagedBlocks > 0 || damagedBytes > 0 || counters.unlistedBlocks > 0
            || counters.unreadableRecords > 0 || !leftOut.isEmpty
    }

    /// Whether anything is wrong with the recording or its books.
    package var isFaulty: Bool { isDamaged || isContradicted }

    /// Whether the venue contradicted a book.
    package var isContradicted: Bool {
        symbols.contains { symbol in
            let c = symbol.totals
            return c.tickersAgreed != c.tickersCompared || c.partialsAgreed != c.partialsCompared
                || c.auditsAgreed != c.auditsCompared || c.crossings > 0
        }
    }
}
