// A segment that is being written: a header, blocks as they come, and at its end the index and the trailer.
//
// Each block is one call of the system, and one that is not written whole is cut off again. What was written
// survives the death of the process at once, and that of the machine after `sync`. The file has another name
// until its header is on the disk, so that nobody ever finds a segment without one.

/// An open segment. Used by one thread at a time.
package final class SegmentWriter {
    /// Its header.
    package let header: SegmentHeader
    private let file: SegmentFile
    private var index: SegmentIndex

    /// Makes the file of a segment.
    ///
    /// - Parameters:
    ///   - path: of the file; nothing may be there.
    ///   - header: what it begins with.
    ///   - symbols: names of its symbols.
    ///   - meetFault: called between the making of the file and its first byte. For tests.
    /// - Throws: what the disk says; no file is left behind then.
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
            // A full disk still takes names: without a header each would be one more file that is nothing.
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

    /// Brings what was written to the disk.
    package func sync() throws(DiskError) { try file.sync() }

    /// Writes index and trailer, and brings all to the disk.
    ///
    /// - Parameters:
    ///   - gaps: the holes of this segment.
    ///   - packer: packs the index.
    package func close(gaps: [RecordedGap], _ packer: ZstdBlock) throws(DiskError) {
        index.gaps = gaps
        try file.append(SegmentWriter.ending(index, offset: file.length, packer))
        try file.sync()
    }

    /// Index block and trailer; only the trailer if the index is too long for a block.
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

    /// What was found at a segment that nobody had closed.
    package struct Repair: Hashable, Sendable {
        /// Its path.
        package var path: String
        /// Whole blocks, all of which stay.
        package var blockCount: Int
        /// Bytes that were cut off behind the last of them.
        package var cutBytes: Int
    }

    /// Closes a segment that was not: everything behind its last whole block is cut off, and index and
    /// trailer are written. A damaged place between whole blocks stays as it is.
    ///
    /// - Returns: what was done; nil if the segment was closed already.
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
    /// The names of the symbols and the holes, from the frames themselves: for a segment that was not closed.
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
