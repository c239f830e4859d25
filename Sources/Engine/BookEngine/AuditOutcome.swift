// What the last comparison of a book with a snapshot of the venue came to. For people and stores; nothing
// depends on it.
//
// Both checksums are over the same ranks: those of the standard rule that lie inside what is proven of both
// books. So two books that agree have equal checksums, and whoever has the venue's snapshot can compute ours.

import DepthBook
import MarketData

/// The last comparison of a book with a snapshot at the same update id.
public struct AuditOutcome: Hashable, Sendable, BitwiseCopyable {
    /// Number of the audit among those of the symbol, from 1 on.
    public var number: Int
    /// Update id at which both books stood.
    public var at: UpdateID
    /// Update id of the snapshot, before it was brought to `at`.
    public var snapshotID: UpdateID
    /// Whether both are equal inside what is proven of both.
    public var isEqual: Bool
    /// Ranks a side that both checksums cover.
    public var levelCount: Int
    /// Standard checksum of the served book over those ranks.
    public var checksum: UInt32
    /// The same of the snapshot's book.
    public var venueChecksum: UInt32
}

/// Two books at one update id that ought to be equal and are not.
package struct AuditSides: Hashable, Sendable {
    /// The audit's number.
    package var number: Int
    /// The served book.
    package var own: BookImage
    /// The venue's snapshot, brought to the same id.
    package var venue: BookImage
}

extension SymbolBook {
    /// Notes how a comparison of the served book with a candidate ended, while both still stand.
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

    /// The best levels of two books as far as both are known.
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
    /// Both sides of the last audit of a book that found a difference; nil if none did, or if as many other
    /// books as are kept have had one since. For people.
    package borrowing func auditSides(of name: SymbolName) -> AuditSides? {
        shared.auditSides.last { $0.symbol == name }?.sides
    }
}
