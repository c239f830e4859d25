// A whole book as a value: all levels, proven ranges, and the counters that decide when deep levels are
// evicted. A book restored from it handles every further message exactly as the original does.

import MarketData

/// An order book as a value.
package struct BookImage: Hashable, Sendable {
    /// Update id of this state.
    package var lastUpdateID: UpdateID
    /// Venue's event time of this state in microseconds; 0 if unknown.
    package var eventTimeUs: Int64
    /// Decimals of the levels; nil if there have been none.
    package var scales: SymbolScales?
    /// How far the bids are known.
    package var provenBids: ProvenRange
    /// How far the asks are known.
    package var provenAsks: ProvenRange
    /// All bids, best first.
    package var bids: [PriceLevel]
    /// All asks, best first.
    package var asks: [PriceLevel]
    /// Upper bound of the number of bids since the last count; beyond the cap they are counted again.
    package var bidCountBound: Int
    /// The same for the asks.
    package var askCountBound: Int

    /// An image with these contents.
    ///
    /// - Parameters:
    ///   - lastUpdateID: update id of this state.
    ///   - eventTimeUs: the venue's event time.
    ///   - scales: decimals of the levels.
    ///   - provenBids: how far the bids are known.
    ///   - provenAsks: how far the asks are known.
    ///   - bids: all bids, best first.
    ///   - asks: all asks, best first.
    ///   - bidCountBound: upper bound of the number of bids.
    ///   - askCountBound: upper bound of the number of asks.
    package init(
        lastUpdateID: UpdateID, eventTimeUs: Int64, scales: SymbolScales?, provenBids: ProvenRange,
        provenAsks: ProvenRange, bids: [PriceLevel], asks: [PriceLevel], bidCountBound: Int,
        askCountBound: Int
    ) {
        (self.lastUpdateID, self.eventTimeUs, self.scales) = (lastUpdateID, eventTimeUs, scales)
        (self.provenBids, self.provenAsks) = (provenBids, provenAsks)
        (self.bids, self.asks) = (bids, asks)
        (self.bidCountBound, self.askCountBound) = (bidCountBound, askCountBound)
    }

    /// The digest of its levels.
    package var digest: UInt64 { BookDigest.digest(bids: bids, asks: asks) }

    /// Whether a book can have this state: sides sorted and not crossed, prices legal, quantities above zero.
    package var isPossible: Bool {
        for (levels, side) in [(bids, Side.bid), (asks, Side.ask)] {
            for (index, level) in levels.enumerated() {
                if !(0...Price.mantissaMax).contains(level.price.mantissa) || level.quantity.mantissa <= 0 {
                    return false
                }
                if index > 0 && !side.isBetter(levels[index - 1].price, than: level.price) { return false }
            }
        }
        if let bid = bids.first, let ask = asks.first, bid.price >= ask.price { return false }
        return scales != nil || (bids.isEmpty && asks.isEmpty)
    }
}
