// A segment, read block by block. A closed one has an index; of any other, or if the index is damaged, every
// intact block is found by reading on from the header, and after damage from the next block with a correct
// CRC. Anything that is not an intact block is counted and reported.
//
// Worst case: an index costs one read. Without it the file is read at most twice; see `BlockScan`.

import Glibc

/// Why a file is not a segment, or cannot be read.
package enum SegmentError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file system refuses.
    case disk(DiskError)
    /// It is something else.
    case notASegment(path: String)
    /// It has the name or the first bytes of a segment, but no intact header.
    case damagedHeader(path: String)
    /// A version unknown to this build.
    case unknownVersion(path: String, version: UInt32)
    /// A folder contains segments of a run of several shards, and none at all of one of these.
    case missingShard(folder: String, shard: Int, count: Int)

    /// One line for display.
    package var description: String {
        switch self {
        case .disk(let error): error.description
        case .notASegment(let path): "\(path): no segment of a recording"
        case .damagedHeader(let path): "\(path): a damaged recording: it has no whole header"
        case .unknownVersion(let path, let version): "\(path): a recording of unknown version \(version)"
        case .missingShard(let folder, let shard, let count):
            "\(folder): shard \(shard), of shards 0 to \(count - 1), has no file"
        }
    }
}

/// An open segment. Used by one thread at a time.
///
/// SAFETY: the thread that reads ahead uses `file` and `packer`; until it was waited for, nobody else does.
package final class SegmentReader: @unchecked Sendable {
    /// A stretch of the file that is not an intact block.
    package struct Damage: Hashable, Sendable {
        /// Its position.
        package var offset: Int
        /// Its length.
        package var length: Int
    }

    /// Its file.
    package let file: SegmentFile
    /// Its header.
    package let header: SegmentHeader
    /// Its blocks and other contents of its index; without an index the symbols of blocks are not known.
    package private(set) var index = SegmentIndex()
    /// Whether it was closed and its index is intact.
    package private(set) var isClosed = false
    /// Known damage; with an index, a damaged block shows only when it is read.
    package private(set) var damages: [Damage] = []
    /// Where the last intact block ends.
    package private(set) var wholeLength: Int
    private let packer: ZstdBlock
    /// A block that another thread reads.
    private var ahead: BlockAhead?

    /// Opens a segment.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - usesIndex: false to examine every block instead.
    package init(path: String, usesIndex: Bool = true) throws(SegmentError) {
        (file, header) = try SegmentReader.opened(path)
        guard let packer = ZstdBlock() else { throw .disk(DiskError(path: path, errno: ENOMEM)) }
        self.packer = packer
        wholeLength = min(header.length, file.length)
        if usesIndex, let found = try readIndex() {
            (index, isClosed, wholeLength) = (found.index, true, found.offset)
            return
        }
        let scan = try BlockScan(file, from: header.length)
        (index.blocks, damages) = (scan.blocks, scan.damages)
        wholeLength = max(wholeLength, scan.wholeLength)
    }

    /// The header and size of a file, without reading the rest.
    package static func facts(of path: String) throws(SegmentError) -> (header: SegmentHeader, bytes: Int) {
        let (file, header) = try opened(path)
        return (header, file.length)
    }

    private static func opened(_ path: String) throws(SegmentError) -> (SegmentFile, SegmentHeader) {
        let file: SegmentFile
        do throws(DiskError) {
            file = try SegmentFile(reading: path)
        } catch {
            throw .disk(error)
        }
        let head = try read(file, at: 0, count: SegmentLayout.headerLength)
        do throws(SegmentHeader.Refusal) {
            return (file, try SegmentHeader(head))
        } catch {
            switch error {
            case .unknownVersion(let version): throw .unknownVersion(path: path, version: version)
            case .notASegment:
                let isMeant = SegmentHeader.begins(head) || path.hasSuffix(SegmentLayout.suffix)
                throw isMeant ? .damagedHeader(path: path) : .notASegment(path: path)
            }
        }
    }

    /// Whether a file is a segment, or was one before it was damaged.
    package static func isMeant(_ path: String) -> Bool {
        do throws(SegmentError) {
            _ = try opened(path)
            return true
        } catch {
            switch error {
            case .damagedHeader, .unknownVersion: return true
            case .notASegment, .disk, .missingShard: return false
            }
        }
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

    /// An intact block at an offset: its header and its uncompressed bytes; nil if there is none.
    package func block(at offset: Int) throws(SegmentError) -> (header: BlockHeader, raw: [UInt8])? {
        _ = ahead?.wait()
        return try block(at: offset, zeros: 0)
    }

    /// Lets another thread read the frames of a block, which are probably requested next. At most one block
    /// of each open segment is read ahead.
    package func readAhead(at offset: Int) {
        _ = ahead?.wait()
        ahead = BlockAhead(offset: offset) { [self] in
            do throws(SegmentError) {
                return .success(try readFrames(at: offset))
            } catch {
                return .failure(error)
            }
        }
    }

    /// The frames of an intact block at an offset; nil if there is none.
    package func frames(at offset: Int) throws(SegmentError) -> (header: BlockHeader, frames: FrameCursor)? {
        guard let ahead else { return try readFrames(at: offset) }
        self.ahead = nil
        let found = ahead.wait()
        return ahead.offset == offset ? try found.get() : try readFrames(at: offset)
    }

    private func readFrames(
        at offset: Int
    ) throws(SegmentError) -> (header: BlockHeader, frames: FrameCursor)? {
        try block(at: offset, zeros: FrameBlock.readableAfter).map { header, padded in
            (header, FrameCursor(padded: padded))
        }
    }

    /// An intact block with this many zeros behind its bytes.
    private func block(at offset: Int, zeros: Int) throws(SegmentError) -> (BlockHeader, [UInt8])? {
        guard let (header, stored) = try stored(at: offset) else { return nil }
        switch header.packing {
        case 0:
            if header.rawLength != stored.count { return nil }
            return (header, zeros == 0 ? stored : stored + [UInt8](repeating: 0, count: zeros))
        case 1:
            return packer.unpack(stored, length: header.rawLength, zeros: zeros).map { (header, $0) }
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

    /// Bytes after the last intact block of a segment that was not closed.
    package var cutBytes: Int { isClosed ? 0 : file.length - wholeLength }
}
