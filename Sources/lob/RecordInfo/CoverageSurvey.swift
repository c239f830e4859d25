// What the segments of a stream say about themselves, opened one after the other: runs and their symbols,
// gaps, and times about which nothing is known because blocks are missing or a segment was not closed.

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

    private(set) var runs: [Run] = []
    /// Names of all symbols, in order of appearance.
    private(set) var names: [[UInt8]] = []
    /// Number of blocks with frames of each symbol, as far as indexes tell.
    private(set) var blockCounts: [[UInt8]: Int] = [:]
    private(set) var gaps = GapList()
    /// Times in which blocks are missing and which need not be inside a listed gap.
    private(set) var unknowns: [CoverageHole] = []
    private(set) var openSegments: [OpenSegment] = []
    /// Whether the last segment was not closed.
    private(set) var hasOpenEnd = false
    private(set) var blockCount = 0
    private(set) var bytes = 0
    private var last: (sequence: UInt64, atNs: Int64)?

    init(_ stream: RecordedStream) {
        stream.forEachReader { segment, reader in add(segment, reader) }
    }

    private mutating func add(_ segment: RecordedSegment, _ reader: SegmentReader) {
        let blocks = reader.index.blocks
        bytes += segment.bytes
        blockCount += blocks.count
        let isNewRun = runs.last?.startedAtNs != segment.header.startedAtNs
        if isNewRun {
            if let run = runs.last {
                gaps.endAll(atNs: run.toNs)
                let beginNs = blocks.first?.firstAtNs ?? segment.header.createdAtNs
                let kind = hasOpenEnd ? CoverageHole.Kind.unknown : .listed(.notRunning)
                unknowns.append(CoverageHole(kind, run.toNs, beginNs))
            }
            last = nil
            let atNs = blocks.first?.firstAtNs ?? segment.header.createdAtNs
            runs.append(Run(startedAtNs: segment.header.startedAtNs, fromNs: atNs, toNs: atNs))
        }
        for block in blocks {
            if let last, block.sequence > last.sequence + 1 {
                unknowns.append(CoverageHole(.unknown, last.atNs, block.firstAtNs))
            }
            last = (block.sequence, block.lastAtNs)
        }
        let run = runs.count - 1
        runs[run].toNs = max(runs[run].toNs, blocks.last?.lastAtNs ?? 0)
        addSymbols(reader, toRun: run)
        hasOpenEnd = !reader.isClosed
        if hasOpenEnd {
            openSegments.append(OpenSegment(path: segment.path, cutBytes: reader.cutBytes))
        }
    }

    private mutating func addSymbols(_ reader: SegmentReader, toRun run: Int) {
        var (symbols, gaps) = (reader.index.symbols, reader.index.gaps)
        if !reader.isClosed, let facts = try? reader.survey() { (symbols, gaps) = facts }
        for gap in gaps { self.gaps.add(gap) }
        for (number, name) in symbols.enumerated() {
            if blockCounts[name] == nil { names.append(name) }
            blockCounts[name, default: 0] += reader.index.blocks.count { $0.holds(number) }
            runs[run].symbols.insert(name)
        }
    }
}
