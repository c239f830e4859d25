// The last update before a snapshot, as a witness to what the snapshot must contain.

import DepthBook
import MarketData

/// The last update before a snapshot, as a witness to what the snapshot must contain.
struct SnapshotCheck {
    private var last = UpdateID(0)
    private var bids: [PriceLevel] = []
    private var asks: [PriceLevel] = []
    private var scales: SymbolScales?

    /// Replaces the previous witness.
    mutating func note(_ update: borrowing DepthUpdate) {
        last = update.last
        bids = update.bids.array()
        asks = update.asks.array()
        scales = update.scales
    }

    /// Whether the book, fresh from its snapshot, differs where it must not: only an update that ends exactly
    /// at the snapshot can testify. Within an update a level may come and go without a trace.
    func refutes(_ book: borrowing OrderBook, at id: UpdateID) -> Bool {
        if last != id { return false }
        // The venue changed its decimals in between, so the two cannot be compared.
        if scales != book.scales { return false }
        for level in bids where book.isProven(.bid, level.price) {
            if book.bids.quantity(at: level.price) != level.quantity { return true }
        }
        for level in asks where book.isProven(.ask, level.price) {
            if book.asks.quantity(at: level.price) != level.quantity { return true }
        }
        return false
    }
}
