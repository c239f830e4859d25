// One side of a book as a value.

import MarketData

/// The levels of a side and how far they are proven.
package struct KnownSide {
    /// The proven levels, possibly with deeper ones. Best first.
    package var levels: [PriceLevel]
    /// How far they are proven.
    package var range: ProvenRange

    /// A side of these levels.
    package init(_ levels: [PriceLevel], provenTo range: ProvenRange) {
        (self.levels, self.range) = (levels, range)
    }
}

extension OrderBook {
    /// A side as a value. O(levels), allocating.
    package borrowing func known(_ side: Side) -> KnownSide {
        KnownSide(levels(side), provenTo: proven(side))
    }
}
