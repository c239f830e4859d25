// The levels of a book as one compressed blob.
//
//     u8 version (1) · the bids, then the asks, as `ByteCursor.nextLevels` reads them
//
// compressed as one zstd frame, level 1. Outside input: an invalid blob is nil, and the claimed length is
// bounded before room is made for it.

import LobRecording
import MarketData

/// Compresses and decompresses the levels of books. Used by one thread at a time.
package struct LevelsBlob {
    /// A blob as it is stored.
    package struct Packed: Hashable, Sendable {
        /// Uncompressed size in bytes.
        package var length: Int
        /// The frame.
        package var bytes: [UInt8]
    }

    private static let version: UInt8 = 1
    /// Two sides of the largest book, at twenty bytes a level.
    private static let lengthMax = 16 << 20

    private let zstd: ZstdBlock

    /// Creates one; nil if there is no memory.
    package init?() {
        guard let zstd = ZstdBlock() else { return nil }
        self.zstd = zstd
    }

    /// The levels of a book, compressed; nil if the library fails.
    ///
    /// - Parameters:
    ///   - bids: best first.
    ///   - asks: best first.
    package func pack(bids: [PriceLevel], asks: [PriceLevel]) -> Packed? {
        var raw: [UInt8] = [LevelsBlob.version]
        raw.reserveCapacity(16 + 8 * (bids.count + asks.count))
        raw.append(levels: bids)
        raw.append(levels: asks)
        return zstd.pack(raw).map { Packed(length: raw.count, bytes: $0) }
    }

    /// The levels in a blob, bids and asks, best first; nil if it is damaged.
    package func unpack(_ packed: Packed) -> (bids: [PriceLevel], asks: [PriceLevel])? {
        if !(1...LevelsBlob.lengthMax).contains(packed.length) { return nil }
        guard let raw = zstd.unpack(packed.bytes, length: packed.length) else { return nil }
        var cursor = ByteCursor(raw)
        guard cursor.next(UInt8.self) == LevelsBlob.version,
            let bids = cursor.nextLevels(.bid), let asks = cursor.nextLevels(.ask),
            cursor.remaining == 0
        else { return nil }
        return (bids, asks)
    }
}
