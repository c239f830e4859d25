// A segment being written: a header, blocks as they come, and finally the index and the trailer.
//
// Each block is one system call, and one not written completely is truncated away. What was written survives
// the death of the process at once, and that of the machine after `sync`. The file has another name until its
// header is on the disk, so that nobody ever finds a segment without one.

/// An open segment. Used by one thread at a time.
package final class SegmentWriter {
    /// Its header.
    package let header: SegmentHeader
    private let file: SegmentFile
    private var index: SegmentIndex

    /// Creates the file of a segment.
    ///
    /// - Parameters:
    ///   - path: the file; must not exist.
    ///   - header: its header.
    ///   - symbols: names of its symbols.
    ///   - meetFault: called between creating the file and writing its first byte. For tests.
    /// - Throws: the disk's error; no file is then left behind.
    package init(
        path: String, _ header: SegmentHeader, symbols: [[UInt8]],
        meetFault: () throws(DiskError) -> Void = {}
    ) throws(DiskError) {
        let file = try SegmentFile(creating: path + SegmentLayout.hiddenSuffix)
        do throws(DiskError) {
            try meetFault()
            try file.append(header.bytes)
            try file.sync()
            try file.rename(to: path)
        } catch {
            // A full disk still accepts names: without a header each would be one more useless file.
            try? RecordingFolder.remove(file.path)
            throw error
        }
        (self.file, self.header, index) = (file, header, SegmentIndex(symbols: symbols))
    }

    /// Its path.
    package var path: String { file.path }

    /// Its length in bytes.
    package var length: Int { file.length }

    /// Whether its name still leads to it.
    package var isThere: Bool { file.isThere }

    /// Appends a block of frames.
    ///
    /// - Parameters:
    ///   - block: the frames.
    ///   - bytes: the block as `FrameBlock.sealed` made it.
    ///   - sequence: its number.
    package func append(_ block: FrameBlock, _ bytes: [UInt8], sequence: UInt64) throws(DiskError) {
        let offset = file.length
        try file.append(bytes)
        index.blocks.append(
            SegmentIndex.Entry(
                offset: UInt64(offset), sequence: sequence, firstAtNs: block.firstAtNs,
                lastAtNs: block.lastAtNs, frameCount: UInt32(clamping: block.frameCount),
                isBase: block.isBase, symbols: block.symbols))
    }

    /// Syncs it to the disk.
    package func sync() throws(DiskError) { try file.sync() }

    /// Writes index and trailer, and syncs everything to the disk.
    ///
    /// - Parameters:
    ///   - gaps: the gaps of this segment.
    ///   - packer: compresses the index.
    package func close(gaps: [RecordedGap], _ packer: ZstdBlock) throws(DiskError) {
        index.gaps = gaps
        try file.append(SegmentWriter.ending(index, offset: file.length, packer))
        try file.sync()
    }

    /// Index block and trailer; only the trailer if the index exceeds a block.
    private static func ending(_ index: SegmentIndex, offset: Int, _ packer: ZstdBlock) -> [UInt8] {
        let raw = index.bytes
        guard raw.count <= SegmentLayout.blockBytesMax else { return [] }
        let packed = packer.pack(raw).flatMap { $0.count < raw.count ? $0 : nil }
        let last = index.blocks.last
        let block = BlockHeader(
            kindNumber: BlockHeader.Kind.index.rawValue, packing: packed == nil ? 0 : 1,
            sequence: last?.sequence ?? 0, firstAtNs: index.blocks.first?.firstAtNs ?? 0,
            lastAtNs: last?.lastAtNs ?? 0, frameCount: 0, rawLength: raw.count,
            storedLength: (packed ?? raw).count
        ).block(packed ?? raw)
        return block + SegmentTrailer.bytes(indexOffset: offset)
    }

    /// Result of repairing a segment that was not closed.
    package struct Repair: Hashable, Sendable {
        /// Its path.
        package var path: String
        /// Intact blocks, all of which stay.
        package var blockCount: Int
        /// Bytes truncated after the last of them.
        package var cutBytes: Int
    }

    /// Closes a segment that was not: everything after its last intact block is truncated, and index and
    /// trailer are written. Damage between intact blocks stays.
    ///
    /// - Returns: what was done; nil if the segment was already closed.
    package static func repair(path: String, _ packer: ZstdBlock) throws(SegmentError) -> Repair? {
        let reader = try SegmentReader(path: path)
        if reader.isClosed { return nil }
        var index = reader.index
        let facts = try reader.survey()
        index.symbols = facts.symbols
        index.gaps = facts.gaps
        let repair = Repair(
            path: path, blockCount: index.blocks.count, cutBytes: reader.file.length - reader.wholeLength)
        do throws(DiskError) {
            let file = try SegmentFile(appending: path)
            try file.cut(to: reader.wholeLength)
            let bitmap = [UInt8](repeating: 0xFF, count: SegmentIndex.bitmapLength(index.symbols.count))
            for place in index.blocks.indices { index.blocks[place].symbols = bitmap }
            try file.append(ending(index, offset: file.length, packer))
            try file.sync()
        } catch {
            throw .disk(error)
        }
        return repair
    }
}

extension SegmentReader {
    /// The names of the symbols and the gaps, from the frames themselves: for a segment that was not closed.
    package func survey() throws(SegmentError) -> (symbols: [[UInt8]], gaps: [RecordedGap]) {
        var symbols: [[UInt8]] = []
        var gaps = GapList()
        for entry in index.blocks {
            guard let (_, raw) = try block(at: Int(entry.offset)) else { continue }
            _ = FrameBlock.forEach(in: raw) { frame in
                switch frame.record {
                case .gap:
                    var cursor = ByteCursor(frame.body)
                    if let gap = RecordedGap(&cursor) { gaps.add(gap) }
                case .terms:
                    if symbols.isEmpty { symbols = RecordingTerms(frame.body)?.symbols ?? [] }
                case .connections, .book, .digests, nil: break
                }
                return true
            }
        }
        return (symbols, gaps.gaps)
    }
}
