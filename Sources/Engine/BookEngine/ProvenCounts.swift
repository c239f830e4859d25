// The number of proven levels of a book, recounted only if it has moved.

import DepthBook
import MarketData

/// The numbers of proven levels of a book, and the book state in which they were counted.
struct ProvenCounts {
    private(set) var bids = 0
    private(set) var asks = 0
    private var updatesApplied = -1
    private var snapshotsLoaded = -1

    subscript(side: Side) -> Int { side == .bid ? bids : asks }

    /// Whether they were ever counted.
    var isKnown: Bool { updatesApplied >= 0 }

    /// Whether they belong to a book with these counters.
    func isCurrent(_ counters: SymbolCounters) -> Bool {
        updatesApplied == counters.applied && snapshotsLoaded == counters.snapshots
    }

    /// Recounts. O(slots / 8).
    mutating func count(_ book: borrowing OrderBook, _ counters: SymbolCounters) {
        bids = book.provenLevelCount(.bid)
        asks = book.provenLevelCount(.ask)
        updatesApplied = counters.applied
        snapshotsLoaded = counters.snapshots
    }
}
