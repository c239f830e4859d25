// The end of a closed segment: where its blocks are, their times and symbols, and its gaps.
//
//     u32 symbols, each counted text · u32 blocks, each: u64 offset, u64 sequence, i64 first, i64 last, u32
//     frames, u8 flags (1: it starts with a base), then a bit for each symbol, lowest first · u32 gaps, each
//     as `RecordedGap`
//
// The index repeats what the blocks say. Without it, a reader finds the same by reading their headers.

/// The index of a segment.
package struct SegmentIndex: Hashable, Sendable {
    /// Most symbols of a segment.
    package static let symbolCountMax = 1 << 16
    /// Most blocks of a segment.
    package static let blockCountMax = 1 << 22

    /// One block.
    package struct Entry: Hashable, Sendable {
        /// Its position in the file.
        package var offset: UInt64
        /// Its number.
        package var sequence: UInt64
        /// Time of its first frame.
        package var firstAtNs: Int64
        /// Time of its last frame.
        package var lastAtNs: Int64
        /// Number of its frames.
        package var frameCount: UInt32
        /// Whether it starts with a base: terms, connections and a copy of every live book. Reading can start
        /// here.
        package var isBase: Bool
        /// A bit for each symbol of which it holds an update, a snapshot or a book.
        package var symbols: [UInt8]

        /// Whether it holds anything of a symbol, by the symbol's number.
        package func holds(_ symbol: Int) -> Bool {
            symbol >> 3 < symbols.count && symbols[symbol >> 3] >> UInt8(symbol & 7) & 1 == 1
        }
    }

    /// Names of the symbols in order of their numbers.
    package var symbols: [[UInt8]] = []
    /// The blocks of frames in order.
    package var blocks: [Entry] = []
    /// The gaps.
    package var gaps: [RecordedGap] = []

    /// An empty index.
    ///
    /// - Parameter symbols: names of the symbols.
    package init(symbols: [[UInt8]] = []) { self.symbols = symbols }

    /// Size in bytes of a bitmap of this many symbols.
    package static func bitmapLength(_ symbolCount: Int) -> Int { (symbolCount + 7) >> 3 }

    /// The index in bytes.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(little: UInt32(symbols.count))
        for symbol in symbols { bytes.append(counted: symbol) }
        bytes.append(little: UInt32(blocks.count))
        let bitmapLength = SegmentIndex.bitmapLength(symbols.count)
        for block in blocks {
            bytes.append(little: block.offset)
            bytes.append(little: block.sequence)
            bytes.append(little: block.firstAtNs)
            bytes.append(little: block.lastAtNs)
            bytes.append(little: block.frameCount)
            bytes.append(block.isBase ? 1 : 0)
            bytes += block.symbols.prefix(bitmapLength)
            for _ in block.symbols.count..<max(bitmapLength, block.symbols.count) { bytes.append(0) }
        }
        bytes.append(little: UInt32(gaps.count))
        for gap in gaps { bytes += gap.bytes }
        return bytes
    }

    /// Parses an index; nil if invalid.
    package init?(_ bytes: [UInt8]) {
        var cursor = ByteCursor(bytes)
        guard let symbolCount = cursor.next(UInt32.self).map(Int.init),
            symbolCount <= min(SegmentIndex.symbolCountMax, cursor.remaining / 2)
        else { return nil }
        for _ in 0..<symbolCount {
            guard let name = cursor.nextCounted() else { return nil }
            symbols.append(name)
        }
        let bitmapLength = SegmentIndex.bitmapLength(symbolCount)
        guard let blockCount = cursor.next(UInt32.self).map(Int.init),
            blockCount <= min(SegmentIndex.blockCountMax, cursor.remaining / (37 + bitmapLength))
        else { return nil }
        for _ in 0..<blockCount {
            guard let offset = cursor.next(UInt64.self), let sequence = cursor.next(UInt64.self),
                let firstAtNs = cursor.next(Int64.self), let lastAtNs = cursor.next(Int64.self),
                let frameCount = cursor.next(UInt32.self), let flags = cursor.next(UInt8.self),
                let bits = cursor.next(count: bitmapLength), sequence <= SegmentLayout.numberMax,
                SegmentLayout.timesNs.contains(firstAtNs), SegmentLayout.timesNs.contains(lastAtNs)
            else { return nil }
            blocks.append(
                Entry(
                    offset: offset, sequence: sequence, firstAtNs: firstAtNs, lastAtNs: lastAtNs,
                    frameCount: frameCount, isBase: flags & 1 == 1, symbols: bits))
        }
        guard let gapCount = cursor.next(UInt32.self).map(Int.init), gapCount <= cursor.remaining / 54 else {
            return nil
        }
        for _ in 0..<gapCount {
            guard let gap = RecordedGap(&cursor) else { return nil }
            gaps.append(gap)
        }
    }
}
