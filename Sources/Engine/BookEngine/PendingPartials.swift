// Partial depths that arrive before the update with their id, ordered by id whatever the order of arrival. An
// applied update removes all that it passes.

import MarketData

/// The tops of book announced by the venue for ids the book has not reached.
struct PendingPartials {
    struct Entry {
        var id: UpdateID
        var scales: SymbolScales
        var bids: [PriceLevel]
        var asks: [PriceLevel]
        /// When it arrived, on the engine's clock.
        var seenNs: Int64
    }

    /// Most partial depths kept per symbol; the lowest ids are evicted.
    static let countMax = 4

    private var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }

    /// The one with the highest id.
    var latest: Entry? { entries.last }

    mutating func remember(_ partial: borrowing DepthSnapshot, nowNs: Int64) {
        guard let scales = partial.scales else { return }
        var place = entries.count
        while place > 0 && entries[place - 1].id >= partial.lastUpdateID { place -= 1 }
        if place < entries.count && entries[place].id == partial.lastUpdateID { return }
        if entries.count == PendingPartials.countMax {
            if place == 0 { return }
            entries.removeFirst()
            place -= 1
        }
        entries.insert(
            Entry(
                id: partial.lastUpdateID, scales: scales, bids: partial.bids.array(),
                asks: partial.asks.array(), seenNs: nowNs), at: place)
    }

    /// Removes every entry up to `id` and returns the one of exactly that id.
    mutating func take(at id: UpdateID) -> Entry? {
        var found: Entry?
        while let first = entries.first, first.id <= id {
            entries.removeFirst()
            if first.id == id { found = first }
        }
        return found
    }

    mutating func removeAll() { entries = [] }
}
