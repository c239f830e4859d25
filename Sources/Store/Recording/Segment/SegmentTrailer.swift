// The last bytes of a segment that was closed: where its index is.

import MarketData

/// What stands at the end of a segment that was closed.
package enum SegmentTrailer {
    /// The trailer as bytes.
    ///
    /// - Parameter indexOffset: where the index block begins in the file.
    package static func bytes(indexOffset: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(little: UInt64(indexOffset))
        bytes += SegmentLayout.trailerMagic
        bytes.append(little: CRC32.value(of: bytes.span, .castagnoli))
        return bytes
    }

    /// Where the index block begins; nil if these bytes are no trailer, or the offset is none of a file of
    /// this length.
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
