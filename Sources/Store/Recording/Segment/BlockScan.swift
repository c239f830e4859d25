// Finds the intact blocks of a segment without an index, by reading on from its header, and after damage from
// the next block marker with a correct CRC.
//
// Worst case: the file is read once for the markers and once for the CRCs. A file crafted with many false
// markers would be checked again and again, so all failing checks together may read twice the file; the rest
// then counts as damaged. Genuinely damaged blocks do not overlap, and never come near that limit.

/// A search for blocks.
struct BlockScan {
    /// The intact blocks; their symbols are not known.
    private(set) var blocks: [SegmentIndex.Entry] = []
    /// The stretches between them, and after the last.
    private(set) var damages: [SegmentReader.Damage] = []
    /// Where the last intact block ends; 0 if there is none.
    private(set) var wholeLength = 0
    private let file: SegmentFile
    private var window: [UInt8] = []
    private var windowAt = 0
    private var allowance: Int

    private static let windowBytes = 1 << 20

    /// Scans a file.
    ///
    /// - Parameters:
    ///   - file: the segment.
    ///   - begin: where its first block should be.
    init(_ file: SegmentFile, from begin: Int) throws(SegmentError) {
        self.file = file
        allowance = 2 * file.length + BlockScan.windowBytes
        do throws(DiskError) {
            try scan(from: begin)
        } catch {
            throw .disk(error)
        }
        window = []
    }

    private mutating func scan(from begin: Int) throws(DiskError) {
        var offset = begin
        var damageAt: Int?
        while offset < file.length {
            if let found = try block(at: offset) {
                if let begin = damageAt { note(damageFrom: begin, to: offset) }
                damageAt = nil
                note(found, at: offset)
                offset += found.length
                continue
            }
            if try isTrailer(at: offset) { break }
            damageAt = damageAt ?? offset
            guard allowance > 0, let next = try nextMark(from: offset + 1) else { break }
            offset = next
        }
        if let damageAt { note(damageFrom: damageAt, to: file.length) }
    }

    private mutating func note(damageFrom begin: Int, to end: Int) {
        damages.append(SegmentReader.Damage(offset: begin, length: end - begin))
    }

    private mutating func note(_ found: BlockHeader, at offset: Int) {
        wholeLength = found.kind == .index ? offset : offset + found.length
        if found.kind != .frames || blocks.count >= SegmentIndex.blockCountMax { return }
        blocks.append(
            SegmentIndex.Entry(
                offset: UInt64(offset), sequence: found.sequence, firstAtNs: found.firstAtNs,
                lastAtNs: found.lastAtNs, frameCount: UInt32(clamping: found.frameCount),
                isBase: found.isBase, symbols: []))
    }

    /// The header of an intact block at an offset.
    private mutating func block(at offset: Int) throws(DiskError) -> BlockHeader? {
        try show(offset, SegmentLayout.blockHeaderLength)
        guard let header = BlockHeader(window, at: offset - windowAt),
            header.storedLength <= file.length - offset - SegmentLayout.blockHeaderLength
        else { return nil }
        let stored = try file.read(
            at: offset + SegmentLayout.blockHeaderLength, count: header.storedLength)
        if header.isWhole(stored.span) { return header }
        allowance -= header.storedLength
        return nil
    }

    private mutating func isTrailer(at offset: Int) throws(DiskError) -> Bool {
        if file.length - offset != SegmentLayout.trailerLength { return false }
        let bytes = try file.read(at: offset, count: SegmentLayout.trailerLength)
        return SegmentTrailer.indexOffset(bytes, fileLength: file.length) != nil
    }

    /// Position of the next block marker.
    private mutating func nextMark(from begin: Int) throws(DiskError) -> Int? {
        let mark = SegmentLayout.blockMagic
        var offset = begin
        while file.length - offset >= mark.count {
            try show(offset, mark.count)
            let end = windowAt + window.count - mark.count
            if end < offset { return nil }
            let (first, last) = (offset - windowAt, end - windowAt)
            for index in first...last
            where window[index] == mark[0] && window[index + 1] == mark[1]
                && window[index + 2] == mark[2] && window[index + 3] == mark[3]
            {
                return windowAt + index
            }
            offset = end + 1
        }
        return nil
    }

    /// Loads these bytes into the window, as far as the file goes.
    private mutating func show(_ offset: Int, _ count: Int) throws(DiskError) {
        let end = min(offset + count, file.length)
        if offset >= windowAt && end <= windowAt + window.count { return }
        (window, windowAt) = (try file.read(at: offset, count: BlockScan.windowBytes), offset)
    }
}
