// A copy of a book as of the time its samples were due.

import DepthBook
import MarketData

/// A copy of a book's proven levels, in its own memory. Used by one thread at a time.
final class HeldBook {
    /// The copy; its capacity suffices for any book.
    private(set) var book = OrderBook(levelCountMax: 1 << 40)

    /// Becomes a copy.
    ///
    /// - Parameters:
    ///   - other: the book.
    ///   - count: most levels per side.
    /// - Complexity: O(levels copied).
    func take(_ other: borrowing OrderBook, _ count: Int) {
        let image = BookImage(
            lastUpdateID: other.lastUpdateID, eventTimeUs: other.eventTimeUs, scales: other.scales,
            provenBids: other.provenBids, provenAsks: other.provenAsks,
            bids: HeldBook.levels(other, .bid, count), asks: HeldBook.levels(other, .ask, count),
            bidCountBound: 0, askCountBound: 0)
        book.restore(image)
    }

    private static func levels(
        _ book: borrowing OrderBook, _ side: Side, _ count: Int
    ) -> [PriceLevel] {
        let range = book.proven(side)
        var levels: [PriceLevel] = []
        book.forEachLevel(side) { level in
            if levels.count >= count || !range.reaches(level.price, on: side) { return false }
            levels.append(level)
            return true
        }
        return levels
    }
}
