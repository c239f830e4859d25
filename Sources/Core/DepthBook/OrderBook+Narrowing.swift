// How a book's proven ranges become narrower because somebody else knows less.

import MarketData

extension OrderBook {
    /// Heeds what the sender of the last update says of its own book: each side is then proven no further
    /// than the sender's. Nothing is widened, and no level is removed. O(1).
    public mutating func narrow(to extras: UpdateExtras) {
        provenBids = narrowed(provenBids, extras, .bid)
        provenAsks = narrowed(provenAsks, extras, .ask)
    }

    private func narrowed(_ own: ProvenRange, _ extras: UpdateExtras, _ side: Side) -> ProvenRange {
        if let scales { return own.narrowed(by: extras.range(side, scales.priceDecimals), on: side) }
        // A price says nothing to a book that has no decimals yet.
        return extras.range(side, extras.priceDecimals) == .unbounded ? own : .nothing
    }
}
