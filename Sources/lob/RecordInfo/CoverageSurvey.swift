// What the segments of a stream say about themselves, opened one after the other: runs and their symbols,
// gaps, and times about which nothing is known because segments or blocks are missing or a segment was not
// closed.
//
// Numbers continue from segment to segment and from run to run, so that a segment is missed by the next one,
// or by its own name if it is there but cannot be read. Nothing says how many there were: what was removed
// behind the last one is not noticed, nor what was removed before the first, as retention does.

import BookRecording
import LobRecording

/// The data for a coverage chart.
struct CoverageSurvey {
    /// One run of the recorder.
    struct Run {
        let startedAtNs: Int64
        var symbols: Set<[UInt8]> = []
        var fromNs: Int64
        var toNs: Int64
    }

    /// A segment that was not closed.
    struct OpenSegment {
        let path: String
        let cutBytes: Int
    }

    /// Segments that are missing or cannot be read.
    struct MissingSegments {
        let numbers: ClosedRange<UInt64>
        let fromNs: Int64
        /// When what remains goes on, or the recorder says that it had ended; nil if nothing remains.
        let toNs: Int64?
    }

    private(set) var runs: [Run] = []
    /// Names of all symbols, in order of appearance.
    private(set) var names: [[UInt8]] = []
    /// Number of blocks with frames of each symbol, as far as indexes tell.
    private(set) var blockCounts: [[UInt8]: Int] = [:]
    private(set) var gaps = GapList()
    /// Times in which blocks are missing and which need not be inside a listed gap.
    private(set) var unknowns: [CoverageHole] = []
    private(set) var openSegments: [OpenSegment] = []
    private(set) var missing: [MissingSegments] = []
    /// Why segments were left out.
    private(set) var leftOut: [SegmentError] = []
    /// Whether the last segment was not closed, or is missing.
    private(set) var hasOpenEnd = false
    private(set) var blockCount = 0
    private(set) var bytes = 0
    private var lastNumber: UInt64?
    private var last: (sequence: UInt64, atNs: Int64)?

    init(_ stream: RecordedStream) {
        var leftOut: [SegmentError] = []
        stream.forEachReader(unusable: { leftOut.append($0) }) { segment, reader throws(SegmentError) in
            try add(segment, reader)
        }
        self.leftOut = leftOut
        missEnd(stream)
    }

    private mutating func add(
        _ segment: RecordedSegment, _ reader: SegmentReader
    ) throws(SegmentError) {
        let blocks = reader.index.blocks
        var facts = (symbols: reader.index.symbols, gaps: reader.index.gaps)
        if !reader.isClosed { facts = try reader.survey() }
        bytes += segment.bytes
        blockCount += blocks.count
        let beginNs = blocks.first?.firstAtNs ?? segment.header.createdAtNs
        let isMissing = lastNumber.map { segment.header.number > $0 + 1 } ?? false
        if isMissing { miss(before: segment.header.number, beginNs, facts.gaps) }
        lastNumber = segment.header.number
        if runs.last?.startedAtNs != segment.header.startedAtNs {
            beginRun(segment.header.startedAtNs, beginNs, isMissing: isMissing)
        }
        for block in blocks {
            if let last, block.sequence > last.sequence + 1 {
                unknowns.append(CoverageHole(.unknown, last.atNs, block.firstAtNs))
            }
            last = (block.sequence, block.lastAtNs)
        }
        let run = runs.count - 1
        runs[run].toNs = max(runs[run].toNs, blocks.last?.lastAtNs ?? 0)
        for gap in facts.gaps { gaps.add(gap) }
        for (number, name) in facts.symbols.enumerated() {
            if blockCounts[name] == nil { names.append(name) }
            blockCounts[name, default: 0] += blocks.count { $0.holds(number) }
            runs[run].symbols.insert(name)
        }
        hasOpenEnd = !reader.isClosed
        if hasOpenEnd {
            openSegments.append(OpenSegment(path: segment.path, cutBytes: reader.cutBytes))
        }
    }

    private mutating func beginRun(_ startedAtNs: Int64, _ beginNs: Int64, isMissing: Bool) {
        if let run = runs.last {
            gaps.endAll(atNs: run.toNs)
            if !isMissing {
                let kind = hasOpenEnd ? CoverageHole.Kind.unknown : .listed(.notRunning)
                unknowns.append(CoverageHole(kind, run.toNs, beginNs))
            }
        }
        last = nil
        runs.append(Run(startedAtNs: startedAtNs, fromNs: beginNs, toNs: beginNs))
    }

    /// Segments are missing before this one. If a recorder found them when it began, it says when they ended.
    private mutating func miss(before number: UInt64, _ beginNs: Int64, _ gaps: [RecordedGap]) {
        guard let lastNumber, let fromNs = runs.last?.toNs else { return }
        let stop = gaps.first { $0.cause == .notRunning && $0.fromNs >= fromNs && $0.toNs <= beginNs }
        let toNs = stop?.fromNs ?? beginNs
        missing.append(MissingSegments(numbers: (lastNumber + 1)...(number - 1), fromNs: fromNs, toNs: toNs))
        unknowns.append(CoverageHole(.unknown, fromNs, toNs))
        // The numbers of their blocks are missing for the same reason.
        last = nil
        if let stop { unknowns.append(CoverageHole(.listed(.notRunning), stop.fromNs, beginNs)) }
    }

    /// Segments behind the last one that was read: one that could not be, or whose name alone is known.
    private mutating func missEnd(_ stream: RecordedStream) {
        guard let lastNumber, let run = runs.last else { return }
        // Names have the last eight digits of the number.
        let named = stream.leftOut.filter { $0 > lastNumber % 100_000_000 }.max()
        let behind = named.map { lastNumber - lastNumber % 100_000_000 + $0 }
        let number = max(behind ?? 0, stream.segments.last?.header.number ?? 0)
        if number <= lastNumber { return }
        missing.append(MissingSegments(numbers: (lastNumber + 1)...number, fromNs: run.toNs, toNs: nil))
        hasOpenEnd = true
    }
}
