// A segment, read block by block. One that was closed has an index; of any other, and of one whose index is
// damaged, every whole block is found by reading on from the header, and behind a damaged place by the next
// block whose check is right. What is not a whole block is counted and said.
//
// Worst case: an index costs one read. Without it the file is read once; in a damaged stretch every byte is
// tried as the beginning of a block, which costs a check only where the mark of a block stands.

/// Why a file is no segment, or cannot be read.
package enum SegmentError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system refuses.
    case disk(DiskError)
    /// It is something else, or its header is damaged.
    case notASegment(path: String)
    /// A version that this build does not know.
    case unknownVersion(path: String, version: UInt32)

    /// One line for people.
    package var description: String {
        switch self {
        case .disk(let error): error.description
        case .notASegment(let path): "\(path): no segment of a recording, or its header is damaged"
        case .unknownVersion(let path, let version): "\(path): a recording of unknown version \(version)"
        }
    }
}

/// An open segment. Used by one thread at a time.
package final class SegmentReader {
    /// A stretch of the file that is no whole block.
    package struct Damage: Hashable, Sendable {
        /// Where it begins.
        package var offset: Int
        /// How long it is.
        package var length: Int
    }

    /// Its file.
    package let file: SegmentFile
    /// Its header.
    package let header: SegmentHeader
    /// Its blocks, and what its index says besides; without an index the symbols of blocks are not known.
    package private(set) var index = SegmentIndex()
    /// Whether it was closed and its index is whole.
    package private(set) var isClosed = false
    /// What is damaged, as far as it is known: where there is an index, a damaged block shows when it is
    /// read.
    package private(set) var damages: [Damage] = []
    /// Where the last whole block ends.
    package private(set) var wholeLength: Int
    private let packer: ZstdBlock

    /// Opens a segment.
    ///
    /// - Parameters:
    ///   - path: of the file.
    ///   - usesIndex: false to look at every block instead.
    package init(path: String, usesIndex: Bool = true) throws(SegmentError) {
        do throws(DiskError) {
            file = try SegmentFile(reading: path)
        } catch {
            throw .disk(error)
        }
        guard let packer = ZstdBlock() else { throw .notASegment(path: path) }
        self.packer = packer
        let head = try SegmentReader.read(file, at: 0, count: SegmentLayout.headerLength)
        do throws(SegmentHeader.Refusal) {
            header = try SegmentHeader(head)
        } catch {
            switch error {
            case .notASegment: throw .notASegment(path: path)
            case .unknownVersion(let version): throw .unknownVersion(path: path, version: version)
            }
        }
        wholeLength = min(header.length, file.length)
        if usesIndex, let found = try readIndex() {
            (index, isClosed, wholeLength) = (found.index, true, found.offset)
            return
        }
        try scan()
    }

    /// The header of a file, without a look at the rest.
    package static func header(of path: String) throws(SegmentError) -> SegmentHeader {
        guard let file = try? SegmentFile(reading: path),
            let head = try? file.read(at: 0, count: SegmentLayout.headerLength),
            let header = try? SegmentHeader(head)
        else { throw .notASegment(path: path) }
        return header
    }

    private static func read(_ file: SegmentFile, at offset: Int, count: Int) throws(SegmentError) -> [UInt8]
    {
        do throws(DiskError) {
            return try file.read(at: offset, count: count)
        } catch {
            throw .disk(error)
        }
    }

    private func readIndex() throws(SegmentError) -> (index: SegmentIndex, offset: Int)? {
        let trailerAt = file.length - SegmentLayout.trailerLength
        if trailerAt < header.length { return nil }
        let trailer = try SegmentReader.read(file, at: trailerAt, count: SegmentLayout.trailerLength)
        guard let offset = SegmentTrailer.indexOffset(trailer, fileLength: file.length),
            let block = try block(at: offset), block.header.kind == .index,
            offset + block.header.length == trailerAt, let index = SegmentIndex(block.raw)
        else { return nil }
        return (index, offset)
    }

    /// A whole block at an offset: its header and its unpacked bytes; nil if there is none.
    package func block(at offset: Int) throws(SegmentError) -> (header: BlockHeader, raw: [UInt8])? {
        guard let (header, stored) = try stored(at: offset) else { return nil }
        switch header.packing {
        case 0: return header.rawLength == stored.count ? (header, stored) : nil
        case 1: return packer.unpack(stored, length: header.rawLength).map { (header, $0) }
        default: return nil
        }
    }

    private func stored(at offset: Int) throws(SegmentError) -> (header: BlockHeader, stored: [UInt8])? {
        let head = try SegmentReader.read(file, at: offset, count: SegmentLayout.blockHeaderLength)
        if offset > file.length { return nil }
        guard let header = BlockHeader(head),
            header.storedLength <= file.length - offset - SegmentLayout.blockHeaderLength
        else { return nil }
        let stored = try SegmentReader.read(
            file, at: offset + SegmentLayout.blockHeaderLength, count: header.storedLength)
        return header.isWhole(stored.span) ? (header, stored) : nil
    }

    /// Finds every whole block.
    private func scan() throws(SegmentError) {
        var offset = header.length
        var damageAt: Int?
        while offset < file.length {
            if let (found, _) = try stored(at: offset) {
                endDamage(&damageAt, at: offset)
                note(found, at: offset)
                offset += found.length
                wholeLength = offset
                if found.kind == .index { wholeLength = offset - found.length }
                continue
            }
            if try isTrailer(at: offset) { break }
            if damageAt == nil { damageAt = offset }
            guard let next = try nextMark(after: offset) else { break }
            offset = next
        }
        let end = file.length
        if let damageAt { damages.append(Damage(offset: damageAt, length: end - damageAt)) }
    }

    private func endDamage(_ damageAt: inout Int?, at offset: Int) {
        if let begin = damageAt { damages.append(Damage(offset: begin, length: offset - begin)) }
        damageAt = nil
    }

    private func isTrailer(at offset: Int) throws(SegmentError) -> Bool {
        if file.length - offset != SegmentLayout.trailerLength { return false }
        let bytes = try SegmentReader.read(file, at: offset, count: SegmentLayout.trailerLength)
        return SegmentTrailer.indexOffset(bytes, fileLength: file.length) != nil
    }

    private func note(_ found: BlockHeader, at offset: Int) {
        if found.kind != .frames || index.blocks.count >= SegmentIndex.blockCountMax { return }
        index.blocks.append(
            SegmentIndex.Entry(
                offset: UInt64(offset), sequence: found.sequence, firstAtNs: found.firstAtNs,
                lastAtNs: found.lastAtNs, frameCount: UInt32(clamping: found.frameCount),
                isBase: found.isBase,
                symbols: []))
    }

    /// Where the mark of a block stands next.
    private func nextMark(after offset: Int) throws(SegmentError) -> Int? {
        let mark = SegmentLayout.blockMagic
        var begin = offset + 1
        while begin < file.length {
            let piece = try SegmentReader.read(file, at: begin, count: 1 << 16)
            if piece.count < mark.count { return nil }
            for index in 0...(piece.count - mark.count)
            where piece[index] == mark[0] && piece[index + 1] == mark[1] && piece[index + 2] == mark[2]
                && piece[index + 3] == mark[3]
            {
                return begin + index
            }
            begin += piece.count - mark.count + 1
        }
        return nil
    }

    /// Bytes behind the last whole block of a segment that was not closed.
    package var cutBytes: Int { isClosed ? 0 : file.length - wholeLength }
}
