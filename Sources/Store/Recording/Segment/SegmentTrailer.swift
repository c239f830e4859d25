// The last bytes of a closed segment: the position of its index.

import MarketData

/// The trailer of a closed segment.
package enum SegmentTrailer {
    /// The trailer in bytes.
    ///
    /// - Parameter indexOffset: position of the index block in the file.
    package static func bytes(indexOffset: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(little: UInt64(indexOffset))
        bytes += SegmentLayout.trailerMagic
        bytes.append(little: CRC32.value(of: bytes.span, .castagnoli))
        return bytes
    }

    /// Position of the index block; nil if these bytes are not a trailer, or the offset is impossible in a
    /// file of this length.
    package static func indexOffset(_ bytes: [UInt8], fileLength: Int) -> Int? {
        if bytes.count != SegmentLayout.trailerLength { return nil }
        var cursor = ByteCursor(bytes)
        guard let offset = cursor.next(UInt64.self), cursor.next(count: 4) == SegmentLayout.trailerMagic,
            let check = cursor.next(UInt32.self),
            check == CRC32.value(of: bytes.span.extracting(first: 12), .castagnoli),
            offset >= UInt64(SegmentLayout.headerLength),
            offset
                <= UInt64(max(fileLength - SegmentLayout.trailerLength - SegmentLayout.blockHeaderLength, 0))
        else { return nil }
        return Int(offset)
    }
}
