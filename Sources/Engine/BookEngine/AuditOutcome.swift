// The result of comparing a book with a venue snapshot. For display and storage; nothing depends on it.
//
// Both checksums cover the same levels: those of the standard rule that lie inside both proven ranges. So
// equal books have equal checksums, and ours can be computed from the venue's snapshot.

import DepthBook
import MarketData

/// The last comparison of a book with a snapshot at the same update id.
public struct AuditOutcome: Hashable, Sendable, BitwiseCopyable {
    /// Number of the audit for this symbol, from 1.
    public var number: Int
    /// Update id at which both books stood.
    public var at: UpdateID
    /// Update id of the snapshot before it was brought to `at`.
    public var snapshotID: UpdateID
    /// Whether the books are equal inside both proven ranges.
    public var isEqual: Bool
    /// Levels per side covered by both checksums.
    public var levelCount: Int
    /// Standard checksum of the served book over those levels.
    public var checksum: UInt32
    /// The same for the snapshot's book.
    public var venueChecksum: UInt32
}

/// Two books at one update id that should be equal but are not.
package struct AuditSides: Hashable, Sendable {
    /// The audit's number.
    package var number: Int
    /// The served book.
    package var own: BookImage
    /// The venue's snapshot, brought to the same id.
    package var venue: BookImage
}

extension SymbolBook {
    /// Records the result of comparing the served book with a candidate, while both still exist.
    func noteAudit(_ staging: SyncedBook, isEqual: Bool) {
        let (own, venue) = SymbolBook.comparable(served.book, staging.book)
        let scales = served.book.scales ?? SymbolScales(priceDecimals: 0, quantityDecimals: 0)
        lastAudit = AuditOutcome(
            number: counters.auditsCompared, at: served.book.lastUpdateID, snapshotID: staging.snapshotID,
            isEqual: isEqual, levelCount: max(own.bids.count, own.asks.count),
            checksum: BookChecksum.standard.value(bids: own.bids, asks: own.asks, scales: scales),
            venueChecksum: BookChecksum.standard.value(bids: venue.bids, asks: venue.asks, scales: scales))
        if !isEqual {
            let sides = AuditSides(
                number: counters.auditsCompared, own: served.book.image, venue: staging.book.image)
            shared.keep(sides, of: name)
        }
    }

    private typealias Sides = (bids: [PriceLevel], asks: [PriceLevel])

    /// The best levels of two books, as far as both are known.
    private static func comparable(
        _ own: borrowing OrderBook, _ venue: borrowing OrderBook
    ) -> (Sides, Sides) {
        var (first, second): (Sides, Sides) = (([], []), ([], []))
        for side in Side.allCases {
            let ranges = (own.proven(side), venue.proven(side))
            let (a, b) = (best(own, side, ranges), best(venue, side, ranges))
            if side == .bid { (first.bids, second.bids) = (a, b) } else { (first.asks, second.asks) = (a, b) }
        }
        return (first, second)
    }

    private static func best(
        _ book: borrowing OrderBook, _ side: Side, _ ranges: (ProvenRange, ProvenRange)
    ) -> [PriceLevel] {
        var levels: [PriceLevel] = []
        book.forEachLevel(side) { level in
            if !ranges.0.reaches(level.price, on: side) || !ranges.1.reaches(level.price, on: side) {
                return false
            }
            levels.append(level)
            return levels.count < BookChecksum.standard.levelCount
        }
        return levels
    }
}

extension BookEngine {
    /// Both sides of a book's last failed audit; nil if there was none, or if it has been displaced by those
    /// of other books. For display.
    package borrowing func auditSides(of name: SymbolName) -> AuditSides? {
        shared.auditSides.last { $0.symbol == name }?.sides
    }
}
