// The header of a block; `SegmentLayout` defines its fields.

import MarketData

/// The header of a block.
package struct BlockHeader: Hashable, Sendable {
    /// Content of a block.
    package enum Kind: UInt8, Sendable {
        /// Frames.
        case frames = 1
        /// The index of the segment.
        case index = 2
    }

    /// Number of its kind; blocks without a `Kind` are skipped.
    package var kindNumber: UInt8
    /// Compression of its bytes: 0 none, 1 one zstd frame.
    package var packing: UInt8
    /// Its number among all blocks of the recording.
    package var sequence: UInt64
    /// Time of its first frame.
    package var firstAtNs: Int64
    /// Time of its last frame.
    package var lastAtNs: Int64
    /// Number of frames.
    package var frameCount: Int
    /// Uncompressed length.
    package var rawLength: Int
    /// Stored length.
    package var storedLength: Int
    /// Bits; those unknown to this version are kept.
    private var flags: UInt8
    /// Whether it starts with a base; see `SegmentIndex.Entry`.
    package var isBase: Bool { flags & 1 == 1 }
    /// CRC of header and stored bytes.
    package var check: UInt32 = 0

    /// Its content; nil if this build does not know it.
    package var kind: Kind? { Kind(rawValue: kindNumber) }

    /// Length of the whole block.
    package var length: Int { SegmentLayout.blockHeaderLength + storedLength }

    /// The header without its CRC.
    private var unchecked: [UInt8] {
        var bytes = SegmentLayout.blockMagic
        bytes += [kindNumber, packing, flags, 0]
        bytes.append(little: sequence)
        bytes.append(little: firstAtNs)
        bytes.append(little: lastAtNs)
        for count in [frameCount, rawLength, storedLength] { bytes.append(little: UInt32(clamping: count)) }
        return bytes
    }

    /// The whole block: header with its CRC, and these stored bytes.
    package func block(_ stored: [UInt8]) -> [UInt8] {
        var bytes = unchecked
        var check = CRC32(.castagnoli)
        check.add(bytes.span)
        check.add(stored.span)
        bytes.append(little: check.value)
        return bytes + stored
    }

    /// Whether the stored bytes belong to this header.
    package func isWhole(_ stored: Span<UInt8>) -> Bool {
        if stored.count != storedLength { return false }
        var sum = CRC32(.castagnoli)
        sum.add(unchecked.span)
        sum.add(stored)
        return sum.value == check
    }

    /// Parses the header at the front of these bytes; nil if invalid or impossible.
    package init?(_ bytes: [UInt8], at offset: Int = 0) {
        var cursor = ByteCursor(bytes, at: offset)
        guard cursor.next(count: 4) == SegmentLayout.blockMagic, let kind = cursor.next(UInt8.self),
            let packing = cursor.next(UInt8.self), let flags = cursor.next(UInt8.self),
            cursor.next(UInt8.self) == 0,
            let sequence = cursor.next(UInt64.self), let firstAtNs = cursor.next(Int64.self),
            let lastAtNs = cursor.next(Int64.self), let frameCount = cursor.next(UInt32.self),
            let rawLength = cursor.next(UInt32.self), let storedLength = cursor.next(UInt32.self),
            let check = cursor.next(UInt32.self), rawLength <= UInt32(SegmentLayout.blockBytesMax),
            storedLength <= UInt32(SegmentLayout.storedBytesMax), frameCount <= rawLength,
            sequence <= SegmentLayout.numberMax, SegmentLayout.timesNs.contains(firstAtNs),
            SegmentLayout.timesNs.contains(lastAtNs)
        else { return nil }
        self.init(
            kindNumber: kind, packing: packing, sequence: sequence, firstAtNs: firstAtNs, lastAtNs: lastAtNs,
            frameCount: Int(frameCount), rawLength: Int(rawLength), storedLength: Int(storedLength))
        self.flags = flags
        self.check = check
    }

    /// A header with these values; `block` adds the CRC.
    package init(
        kindNumber: UInt8, packing: UInt8, sequence: UInt64, firstAtNs: Int64, lastAtNs: Int64,
        frameCount: Int, rawLength: Int, storedLength: Int, isBase: Bool = false
    ) {
        (self.kindNumber, self.packing, self.sequence) = (kindNumber, packing, sequence)
        (self.firstAtNs, self.lastAtNs, self.frameCount) = (firstAtNs, lastAtNs, frameCount)
        (self.rawLength, self.storedLength, flags) = (rawLength, storedLength, isBase ? 1 : 0)
    }
}
