// A walk through the frames of a stream.
//
// It starts at the last intact base before the requested time, found in the index of one segment, and ends
// after the requested time. A damaged base is passed on the way, and counted like any damaged block. It
// classifies every gap: a listed one has its own frame; an unlisted one (a damaged block, or a missing
// number) is reported to the caller before the next frame. A segment that cannot be opened is left out like
// one that is missing, unless it is the only one. Where the walk ends among missing blocks, it says so: a gap
// that lists them does so behind them only, and is not read.
//
// A walk for a few symbols skips blocks without them, using the bits of the index. Blocks in which one of
// their gaps begins or ends are read whatever their bits: earlier versions did not set them. Of a segment
// without an index all blocks are read.

import LobRecording

/// An item of a walk.
package enum RecordedItem {
    /// A frame.
    case frame(RecordedFrame)
    /// Another run of the recorder begins: nothing continues from before.
    case newRun
    /// Blocks are missing or damaged here: how many, and between which times. Each missing segment counts as
    /// one. At the end of a walk none are counted: whether a gap lists them is not known.
    case hole(blocks: Int, fromNs: Int64, toNs: Int64)
}

/// A walk through the frames of a stream.
package struct RecordingWalk {
    private let stream: RecordedStream
    private let fromNs: Int64
    private let toNs: Int64
    private let symbols: Set<[UInt8]>?
    /// Number of the segment and of the block to start with.
    package let start: (segment: Int, block: Int)
    /// Whether it starts at the first block of a run: then frames alone make every book.
    package let beginsAtRun: Bool
    /// Blocks read.
    package private(set) var blocks = 0
    /// Damaged blocks.
    package private(set) var damagedBlocks = 0
    /// Blocks skipped because they hold nothing of the requested symbols.
    package private(set) var skippedBlocks = 0
    /// Whether any of them lies in the requested time.
    package private(set) var hasSkippedInside = false
    /// Bytes in no intact block, except those after the last one of a segment that was not closed.
    package private(set) var damagedBytes = 0
    /// Bytes after the last intact block of segments that were not closed.
    package private(set) var cutBytes = 0
    /// Segments that were not closed, and the bytes after the last intact block of each.
    package private(set) var openSegments: [(path: String, cutBytes: Int)] = []
    /// Why segments were left out.
    package private(set) var leftOut: [SegmentError] = []
    /// Bytes of frames decompressed.
    package private(set) var bytes = 0
    private var run: Int64?
    private var lastNumber: UInt64?
    private var nextSequence: UInt64?
    /// Missing or damaged blocks not yet reported.
    private var untold = 0
    private var lastAtNs: Int64 = 0
    /// Number of the segment that is read next.
    private var nextSegment: Int
    /// The segment to start with, open already.
    private var first: SegmentReader?
    /// The segment that is being read, the block of it that is read next, and which are wanted.
    private var open: (reader: SegmentReader, block: Int, filter: BlockFilter?)?
    /// The block that is being handed out, and how many frames of it were.
    private var frames: (cursor: FrameCursor, header: BlockHeader, count: Int)?
    /// What comes before the next frame.
    private var due: [RecordedItem] = []
    private var isOver = false

    /// A walk through a part of a stream.
    ///
    /// - Parameters:
    ///   - stream: the segments.
    ///   - fromNs: starts at the last intact base not later than this.
    ///   - toNs: ends before the first block later than this.
    ///   - symbols: the symbols requested; nil for all.
    package init(
        _ stream: RecordedStream, fromNs: Int64 = .min, toNs: Int64 = .max, symbols: Set<[UInt8]>? = nil
    ) {
        (self.stream, self.fromNs, self.toNs, self.symbols) = (stream, fromNs, toNs, symbols)
        (start, beginsAtRun, first) = RecordingWalk.start(of: stream, fromNs)
        nextSegment = start.segment
    }

    /// A base is never earlier than its segment, so one or two indices suffice unless bases are damaged.
    private static func start(
        of stream: RecordedStream, _ fromNs: Int64
    ) -> (place: (segment: Int, block: Int), isRun: Bool, reader: SegmentReader?) {
        for number in stream.segments.indices.reversed() {
            let segment = stream.segments[number]
            if number > 0 && segment.header.createdAtNs > fromNs { continue }
            guard let reader = try? SegmentReader(path: segment.path) else { continue }
            let blocks = reader.index.blocks
            let base = blocks.lastIndex {
                $0.isBase && $0.firstAtNs <= fromNs && RecordingWalk.isIntact($0, reader)
            }
            if let block = base {
                return ((number, block), blocks[block].sequence == 0, reader)
            }
            if number == 0 { return ((0, 0), blocks.first?.sequence == 0, reader) }
        }
        return ((0, 0), false, nil)
    }

    private static func isIntact(_ entry: SegmentIndex.Entry, _ reader: SegmentReader) -> Bool {
        guard let (header, _) = try? reader.block(at: Int(clamping: entry.offset)) else { return false }
        return header.kind == .frames && header.sequence == entry.sequence
    }

    /// Delivers all items; `body` returns false to stop.
    package mutating func forEach(_ body: (RecordedItem) -> Bool) throws(SegmentError) {
        var goesOn = true
        while goesOn, try next({ goesOn = body($0) }) {}
    }

    /// Hands out the next item; false at the end.
    package mutating func next(_ body: (RecordedItem) -> Void) throws(SegmentError) -> Bool {
        if due.isEmpty, frames?.cursor.next({ body(.frame($0)) }) == true {
            frames?.count += 1
            return true
        }
        if try !prepare() { return false }
        if !due.isEmpty {
            body(due.removeFirst())
        } else if frames?.cursor.next({ body(.frame($0)) }) == true {
            frames?.count += 1
        }
        return true
    }

    /// Time of the next item, as far as it has one; nil at the end.
    package mutating func nextAtNs() throws(SegmentError) -> Int64? {
        if try !prepare() { return nil }
        return due.isEmpty ? frames?.cursor.nextAtNs ?? lastAtNs : .min
    }

    /// Reads until something can be handed out; false at the end.
    private mutating func prepare() throws(SegmentError) -> Bool {
        while due.isEmpty && !isOver {
            if let block = frames {
                if block.cursor.nextAtNs != nil { return true }
                frames = nil
                if !block.cursor.isAtEnd || block.count != block.header.frameCount {
                    damagedBlocks += 1
                    due.append(
                        .hole(blocks: 1, fromNs: block.header.firstAtNs, toNs: block.header.lastAtNs))
                }
            } else if let (reader, block, filter) = open, block < reader.index.blocks.count {
                open?.block += 1
                let entry = reader.index.blocks[block]
                if entry.firstAtNs > toNs {
                    end(atNs: toNs, isMissing: entry.sequence > (nextSequence ?? .max))
                } else if let filter, !filter.wants(entry) {
                    skip(entry)
                } else {
                    try visit(entry, reader)
                }
            } else {
                try openNext()
            }
        }
        return !due.isEmpty
    }

    private mutating func openNext() throws(SegmentError) {
        open = nil
        let number = nextSegment
        nextSegment += 1
        if number >= stream.segments.count { return end(atNs: lastAtNs, isMissing: false) }
        let segment = stream.segments[number]
        if number > start.segment && segment.header.createdAtNs > toNs {
            return end(atNs: toNs, isMissing: isMissing(before: segment.header))
        }
        let block = number == start.segment ? start.block : 0
        guard let reader = try opened(segment) else { return }
        defer { lastNumber = segment.header.number }
        cutBytes += reader.cutBytes
        if !reader.isClosed { openSegments.append((segment.path, reader.cutBytes)) }
        damagedBytes += max(reader.damages.reduce(0) { $0 + $1.length } - reader.cutBytes, 0)
        if block >= reader.index.blocks.count { return }
        if run != segment.header.startedAtNs { beginRun(segment.header) }
        open = (reader, block, symbols.flatMap { BlockFilter(reader, of: $0) })
    }

    /// Ends the walk. What is missing or damaged between the last block and this time is not followed by
    /// another one that would be reported with it.
    private mutating func end(atNs: Int64, isMissing: Bool) {
        isOver = true
        if untold == 0 && !(isMissing && lastAtNs < atNs) { return }
        due.append(.hole(blocks: 0, fromNs: lastAtNs, toNs: max(lastAtNs, atNs)))
    }

    /// Whether blocks are missing between those read so far and a segment.
    private func isMissing(before header: SegmentHeader) -> Bool {
        if header.startedAtNs == run { return header.firstSequence > (nextSequence ?? .max) }
        return lastNumber.map { header.number > $0 + 1 } ?? false
    }

    /// The reader of the next segment; nil if it is left out, so that its number or its blocks are missing.
    private mutating func opened(_ segment: RecordedSegment) throws(SegmentError) -> SegmentReader? {
        defer { first = nil }
        if let first { return first }
        do throws(SegmentError) {
            return try SegmentReader(path: segment.path)
        } catch {
            if stream.segments.count == 1 { throw error }
            leftOut.append(error)
            return nil
        }
    }

    private mutating func beginRun(_ header: SegmentHeader) {
        // Numbers go on from run to run: one that is missing was the end of the run before, or a whole run.
        if let lastNumber, header.number > lastNumber + 1 {
            let missing = Int(min(header.number - lastNumber - 1, 1 << 32))
            due.append(.hole(blocks: missing, fromNs: lastAtNs, toNs: header.createdAtNs))
        }
        // A run that is not the oldest is there from its first block on.
        nextSequence = run == nil ? nil : 0
        untold = 0
        run = header.startedAtNs
        due.append(.newRun)
    }

    /// A skipped block is assumed intact.
    private mutating func skip(_ entry: SegmentIndex.Entry) {
        skippedBlocks += 1
        if entry.lastAtNs >= fromNs && entry.firstAtNs <= toNs { hasSkippedInside = true }
        count(entry.sequence)
        if untold == 0 { lastAtNs = entry.lastAtNs }
    }

    /// Counts the numbers missing before this one.
    private mutating func count(_ sequence: UInt64) {
        if let next = nextSequence, sequence > next { untold += Int(min(sequence - next, 1 << 32)) }
        nextSequence = sequence + 1
    }

    private mutating func visit(
        _ entry: SegmentIndex.Entry, _ reader: SegmentReader
    ) throws(SegmentError) {
        count(entry.sequence)
        // An offset beyond the file has no block.
        let found = try reader.frames(at: Int(clamping: entry.offset))
        readAhead()
        guard let (header, cursor) = found,
            header.kind == .frames, header.sequence == entry.sequence
        else {
            damagedBlocks += 1
            // Reported at the next intact block.
            untold += 1
            return
        }
        if untold > 0 { due.append(.hole(blocks: untold, fromNs: lastAtNs, toNs: header.firstAtNs)) }
        untold = 0
        lastAtNs = header.lastAtNs
        blocks += 1
        bytes += header.rawLength
        frames = (cursor, header, 0)
    }

    /// Has the block that is probably visited next read while this one is handed out.
    private func readAhead() {
        guard let (reader, next, filter) = open else { return }
        let blocks = reader.index.blocks
        for block in blocks[min(next, blocks.count)...].prefix(64) where filter?.wants(block) != false {
            if block.firstAtNs <= toNs { reader.readAhead(at: Int(clamping: block.offset)) }
            return
        }
    }
}
