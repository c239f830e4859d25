// A walk through the frames of a stream.
//
// It begins at the last base before the wanted time, found in the index of one segment, and ends behind the
// wanted time. It says of every hole that it meets what it is: a listed one has its own frame; what nobody
// listed (a block that is damaged, or whose number is missing) is told to the caller before the next frame.
//
// A walk for a few symbols leaves out the blocks that hold nothing of them, by the bits of the index. Blocks
// in which one of their gaps opens or ends are read, whatever their bits say: earlier versions did not set
// them. Of a segment without an index all blocks are read.

import LobRecording

/// What a walk hands out.
package enum RecordedItem {
    /// A frame.
    case frame(RecordedFrame)
    /// Another run of the recorder begins: nothing leads on from what came before.
    case newRun
    /// Blocks are missing here or damaged: how many, and between which times. Of whole segments that are
    /// missing each counts as one.
    case hole(blocks: Int, fromNs: Int64, toNs: Int64)
}

/// A walk through the frames of a stream.
package struct RecordingWalk {
    private let stream: RecordedStream
    private let fromNs: Int64
    private let toNs: Int64
    private let symbols: Set<[UInt8]>?
    /// Number of the segment and of the block to begin with.
    package let start: (segment: Int, block: Int)
    /// Whether it begins at the first block of a run: then its frames alone make every book.
    package let beginsAtRun: Bool
    /// Blocks that were read.
    package private(set) var blocks = 0
    /// Blocks that are damaged.
    package private(set) var damagedBlocks = 0
    /// Blocks that were left out, since they hold nothing of the wanted symbols.
    package private(set) var skippedBlocks = 0
    /// Bytes that are in no whole block, behind the last one of a segment that was not closed excepted.
    package private(set) var damagedBytes = 0
    /// Bytes behind the last whole block of segments that were not closed.
    package private(set) var cutBytes = 0
    /// Segments that were not closed, and the bytes behind the last whole block of each.
    package private(set) var openSegments: [(path: String, cutBytes: Int)] = []
    /// Bytes of frames that were unpacked.
    package private(set) var bytes = 0
    private var run: Int64?
    private var lastNumber: UInt64?
    private var nextSequence: UInt64?
    /// Blocks that are missing or damaged and were not told yet.
    private var untold = 0
    private var lastAtNs: Int64 = 0

    /// A walk through a part of a stream.
    ///
    /// - Parameters:
    ///   - stream: the segments.
    ///   - fromNs: it begins at the last base that is not later.
    ///   - toNs: it ends before the first block that is later.
    ///   - symbols: of which something is wanted; nil for all.
    package init(
        _ stream: RecordedStream, fromNs: Int64 = .min, toNs: Int64 = .max, symbols: Set<[UInt8]>? = nil
    ) {
        (self.stream, self.fromNs, self.toNs, self.symbols) = (stream, fromNs, toNs, symbols)
        (start, beginsAtRun) = RecordingWalk.start(of: stream, fromNs)
    }

    /// A base is never earlier than its segment, so that one index is enough, or two.
    private static func start(
        of stream: RecordedStream, _ fromNs: Int64
    ) -> (place: (segment: Int, block: Int), isRun: Bool) {
        for number in stream.segments.indices.reversed() {
            let segment = stream.segments[number]
            if number > 0 && segment.header.createdAtNs > fromNs { continue }
            guard let blocks = (try? SegmentReader(path: segment.path))?.index.blocks else { continue }
            if let block = blocks.lastIndex(where: { $0.isBase && $0.firstAtNs <= fromNs }) {
                return ((number, block), blocks[block].sequence == 0)
            }
            if number == 0 { return ((0, 0), blocks.first?.sequence == 0) }
        }
        return ((0, 0), false)
    }

    /// Hands out everything; `body` returns false to end.
    package mutating func forEach(_ body: (RecordedItem) -> Bool) throws(SegmentError) {
        for number in stream.segments.indices where number >= start.segment {
            let segment = stream.segments[number]
            if number > start.segment && segment.header.createdAtNs > toNs { return }
            let first = number == start.segment ? start.block : 0
            defer { lastNumber = segment.header.number }
            let reader = try SegmentReader(path: segment.path)
            cutBytes += reader.cutBytes
            if !reader.isClosed { openSegments.append((segment.path, reader.cutBytes)) }
            damagedBytes += max(reader.damages.reduce(0) { $0 + $1.length } - reader.cutBytes, 0)
            if first >= reader.index.blocks.count { continue }
            if run != segment.header.startedAtNs {
                // Numbers go on from run to run: one that is missing was the end of the run before, or a
                // whole run.
                if let lastNumber, segment.header.number > lastNumber + 1 {
                    let missing = Int(min(segment.header.number - lastNumber - 1, 1 << 32))
                    let hole = RecordedItem.hole(
                        blocks: missing, fromNs: lastAtNs, toNs: segment.header.createdAtNs)
                    if !body(hole) { return }
                }
                // A run that is not the oldest is there from its first block on.
                nextSequence = run == nil ? nil : 0
                untold = 0
                run = segment.header.startedAtNs
                if !body(.newRun) { return }
            }
            let filter = symbols.flatMap { BlockFilter(reader, of: $0) }
            for entry in reader.index.blocks[first...] {
                if entry.firstAtNs > toNs { return }
                if let filter, !filter.wants(entry) {
                    skip(entry)
                } else if try !visit(entry, reader, body) {
                    return
                }
            }
        }
    }

    /// A block that is not wanted is taken to be whole.
    private mutating func skip(_ entry: SegmentIndex.Entry) {
        skippedBlocks += 1
        count(entry.sequence)
        if untold == 0 { lastAtNs = entry.lastAtNs }
    }

    /// Counts the numbers that are missing before this one.
    private mutating func count(_ sequence: UInt64) {
        if let next = nextSequence, sequence > next { untold += Int(min(sequence - next, 1 << 32)) }
        nextSequence = sequence + 1
    }

    private mutating func visit(
        _ entry: SegmentIndex.Entry, _ reader: SegmentReader, _ body: (RecordedItem) -> Bool
    ) throws(SegmentError) -> Bool {
        count(entry.sequence)
        // An offset beyond the file has no block.
        guard let (header, raw) = try reader.block(at: Int(clamping: entry.offset)), header.kind == .frames,
            header.sequence == entry.sequence
        else {
            damagedBlocks += 1
            // The next whole one tells of it.
            untold += 1
            return true
        }
        if untold > 0, !body(.hole(blocks: untold, fromNs: lastAtNs, toNs: header.firstAtNs)) {
            return false
        }
        untold = 0
        lastAtNs = header.lastAtNs
        blocks += 1
        bytes += raw.count
        var goesOn = true
        let frameCount = FrameBlock.forEach(in: raw) { frame in
            goesOn = body(.frame(frame))
            return goesOn
        }
        if goesOn && frameCount != header.frameCount {
            damagedBlocks += 1
            goesOn = body(.hole(blocks: 1, fromNs: header.firstAtNs, toNs: header.lastAtNs))
        }
        return goesOn
    }
}
