// What precedes the bytes of a block; `SegmentLayout` says where its fields lie.

import MarketData

/// What stands in front of the bytes of a block.
package struct BlockHeader: Hashable, Sendable {
    /// What a block holds.
    package enum Kind: UInt8, Sendable {
        /// Frames.
        case frames = 1
        /// The index of the segment.
        case index = 2
    }

    /// Number of its kind; one without a `Kind` is skipped.
    package var kindNumber: UInt8
    /// How its bytes are stored: 0 as they are, 1 as one zstd frame.
    package var packing: UInt8
    /// Its number among all blocks of the recording.
    package var sequence: UInt64
    /// Time of its first frame.
    package var firstAtNs: Int64
    /// Time of its last frame.
    package var lastAtNs: Int64
    /// Number of its frames.
    package var frameCount: Int
    /// Length of its bytes when unpacked.
    package var rawLength: Int
    /// Length of its bytes as stored.
    package var storedLength: Int
    /// Bits; those that no version knows yet are kept.
    private var flags: UInt8
    /// Whether a base begins it; see `SegmentIndex.Entry`.
    package var isBase: Bool { flags & 1 == 1 }
    /// The check of header and stored bytes.
    package var check: UInt32 = 0

    /// What it holds; nil if this build does not know it.
    package var kind: Kind? { Kind(rawValue: kindNumber) }

    /// Bytes of the whole block.
    package var length: Int { SegmentLayout.blockHeaderLength + storedLength }

    /// The header without its check.
    private var unchecked: [UInt8] {
        var bytes = SegmentLayout.blockMagic
        bytes += [kindNumber, packing, flags, 0]
        bytes.append(little: sequence)
        bytes.append(little: firstAtNs)
        bytes.append(little: lastAtNs)
        for count in [frameCount, rawLength, storedLength] { bytes.append(little: UInt32(clamping: count)) }
        return bytes
    }

    /// The whole block: header with its check, and these stored bytes.
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

    /// The header at the front of these bytes; nil if it is none, or says what cannot be.
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

    /// A header of these parts; `block` adds the check.
    package init(
        kindNumber: UInt8, packing: UInt8, sequence: UInt64, firstAtNs: Int64, lastAtNs: Int64,
        frameCount: Int, rawLength: Int, storedLength: Int, isBase: Bool = false
    ) {
        (self.kindNumber, self.packing, self.sequence) = (kindNumber, packing, sequence)
        (self.firstAtNs, self.lastAtNs, self.frameCount) = (firstAtNs, lastAtNs, frameCount)
        (self.rawLength, self.storedLength, flags) = (rawLength, storedLength, isBase ? 1 : 0)
    }
}
