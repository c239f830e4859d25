// The segments of one shard in their order, and a walk through their frames.
//
// A walk begins at the last base before the wanted time, found in the indexes, and ends behind the wanted
// time. It says of every hole that it meets what it is: a listed one has its own frame; what nobody listed
// (a block that is damaged, or whose number is missing) is told to the caller before the next frame.

import LobRecording

/// What is known of a segment without its frames.
package struct RecordedSegment: Hashable, Sendable {
    /// Its file.
    package var path: String
    /// What it begins with.
    package var header: SegmentHeader
    /// Its blocks.
    package var index: SegmentIndex
    /// Whether it was closed.
    package var isClosed: Bool
    /// Bytes behind its last whole block, if it was not closed.
    package var cutBytes: Int
    /// Stretches that are no whole blocks, as far as they are known without reading all of it.
    package var damagedBytes: Int
    /// Length of the file.
    package var bytes: Int
}

/// The segments of one shard.
package struct RecordedStream: Sendable {
    /// Which shard.
    package var shard: UInt16
    /// Its segments, in their order.
    package var segments: [RecordedSegment]

    /// The streams of a file, or of all segments in a folder, in the order of their shards.
    ///
    /// - Parameters:
    ///   - path: of the file or the folder.
    ///   - unusable: gets what is wrong with each file of a folder that cannot be used; the rest is.
    /// - Throws: what is wrong with the folder, or with a file that is named itself.
    package static func all(
        at path: String, unusable: (SegmentError) -> Void = { _ in }
    ) throws(SegmentError) -> [RecordedStream] {
        var paths = [path]
        let isFolder = RecordingFolder.isFolder(path)
        if isFolder {
            do throws(DiskError) {
                paths = try RecordingFolder.segments(in: path)
            } catch {
                throw .disk(error)
            }
        }
        var streams: [RecordedStream] = []
        for path in paths {
            let reader: SegmentReader
            do throws(SegmentError) {
                reader = try SegmentReader(path: path)
            } catch {
                if !isFolder { throw error }
                unusable(error)
                continue
            }
            let segment = RecordedSegment(
                path: path, header: reader.header, index: reader.index, isClosed: reader.isClosed,
                cutBytes: reader.cutBytes, damagedBytes: reader.damages.reduce(0) { $0 + $1.length },
                bytes: reader.file.length)
            if let place = streams.firstIndex(where: { $0.shard == reader.header.shard }) {
                streams[place].segments.append(segment)
            } else {
                streams.append(RecordedStream(shard: reader.header.shard, segments: [segment]))
            }
        }
        for place in streams.indices { streams[place].segments.sort { $0.header.number < $1.header.number } }
        return streams.sorted { $0.shard < $1.shard }
    }

    /// Whether a path is a segment, or a folder with segments in it.
    package static func isRecording(_ path: String) -> Bool {
        guard RecordingFolder.isFolder(path) else { return (try? SegmentReader.header(of: path)) != nil }
        return ((try? RecordingFolder.segments(in: path)) ?? []).isEmpty == false
    }

    /// Time of the first frame; nil if there is none.
    package var firstAtNs: Int64? { segments.lazy.compactMap(\.index.blocks.first).first?.firstAtNs }

    /// Time of the last frame; nil if there is none.
    package var lastAtNs: Int64? { segments.last { !$0.index.blocks.isEmpty }?.index.blocks.last?.lastAtNs }

    /// The listed gaps, each once; none lasts beyond its run.
    package var gaps: GapList {
        var list = GapList()
        var run: Int64?
        var lastAtNs: Int64 = 0
        for segment in segments {
            if run != segment.header.startedAtNs { list.endAll(atNs: lastAtNs) }
            run = segment.header.startedAtNs
            lastAtNs = segment.index.blocks.last?.lastAtNs ?? lastAtNs
            for gap in segment.index.gaps { list.add(gap) }
        }
        return list
    }
}

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
    /// Blocks that were read.
    package private(set) var blocks = 0
    /// Blocks that are damaged.
    package private(set) var damagedBlocks = 0
    /// Bytes of frames that were unpacked.
    package private(set) var bytes = 0
    private var run: Int64?
    private var lastNumber: UInt64?
    private var nextSequence: UInt64?
    private var lastAtNs: Int64 = 0

    /// A walk through a part of a stream.
    ///
    /// - Parameters:
    ///   - stream: the segments.
    ///   - fromNs: it begins at the last base that is not later.
    ///   - toNs: it ends before the first block that is later.
    package init(_ stream: RecordedStream, fromNs: Int64 = .min, toNs: Int64 = .max) {
        (self.stream, self.fromNs, self.toNs) = (stream, fromNs, toNs)
    }

    /// Number of the segment and of the block to begin with.
    package var start: (segment: Int, block: Int) {
        for segment in stream.segments.indices.reversed() {
            let blocks = stream.segments[segment].index.blocks
            if let block = blocks.lastIndex(where: { $0.isBase && $0.firstAtNs <= fromNs }) {
                return (segment, block)
            }
        }
        return (0, 0)
    }

    /// Whether it begins at the first block of a run: then its frames alone make every book.
    package var beginsAtRun: Bool {
        let start = start
        let segment = stream.segments.indices.contains(start.segment) ? stream.segments[start.segment] : nil
        guard let blocks = segment?.index.blocks, start.block < blocks.count else { return false }
        return blocks[start.block].sequence == 0
    }

    /// Hands out everything; `body` returns false to end.
    package mutating func forEach(_ body: (RecordedItem) -> Bool) throws(SegmentError) {
        let start = start
        for number in stream.segments.indices where number >= start.segment {
            let segment = stream.segments[number]
            let first = number == start.segment ? start.block : 0
            defer { lastNumber = segment.header.number }
            if first >= segment.index.blocks.count { continue }
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
                run = segment.header.startedAtNs
                if !body(.newRun) { return }
            }
            let reader = try SegmentReader(path: segment.path)
            for entry in segment.index.blocks[first...] {
                if entry.firstAtNs > toNs { return }
                if try !visit(entry, reader, body) { return }
            }
        }
    }

    private mutating func visit(
        _ entry: SegmentIndex.Entry, _ reader: SegmentReader, _ body: (RecordedItem) -> Bool
    ) throws(SegmentError) -> Bool {
        var missing = 0
        if let next = nextSequence, entry.sequence > next {
            missing = Int(min(entry.sequence - next, 1 << 32))
        }
        // An offset beyond the file has no block.
        guard let (header, raw) = try reader.block(at: Int(clamping: entry.offset)), header.kind == .frames,
            header.sequence == entry.sequence
        else {
            damagedBlocks += 1
            // Its number stays missing, so the next whole one tells of it.
            nextSequence = nextSequence ?? entry.sequence
            return true
        }
        if missing > 0, !body(.hole(blocks: missing, fromNs: lastAtNs, toNs: header.firstAtNs)) {
            return false
        }
        nextSequence = header.sequence + 1
        lastAtNs = header.lastAtNs
        blocks += 1
        bytes += raw.count
        var goesOn = true
        let count = FrameBlock.forEach(in: raw) { frame in
            goesOn = body(.frame(frame))
            return goesOn
        }
        if goesOn && count != header.frameCount {
            damagedBlocks += 1
            goesOn = body(.hole(blocks: 1, fromNs: header.firstAtNs, toNs: header.lastAtNs))
        }
        return goesOn
    }
}
