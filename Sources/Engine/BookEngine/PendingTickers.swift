// Tickers that arrive before the depth update of their update id, which is the usual order.
//
// A ring ordered by id: tickers of one symbol come in the order of their ids, and an applied update removes
// all that it passes. Bounded: when it is full the oldest ticker is forgotten.

import MarketData

/// The best prices the venue announced for ids the book has not reached.
struct PendingTickers {
    struct Entry {
        var id: UpdateID
        var bid: PriceLevel
        var ask: PriceLevel
        var scales: SymbolScales
    }

    private var entries: [Entry] = []
    private var start = 0
    private(set) var count = 0
    private let capacity: Int

    init(capacity: Int) { self.capacity = max(capacity, 1) }

    /// Remembers a ticker. Returns false if an older one had to go. A ticker that is not newer than the last
    /// is ignored.
    mutating func remember(_ ticker: BookTicker) -> Bool {
        if entries.isEmpty {
            let nothing = Entry(
                id: UpdateID(0), bid: PriceLevel(0, 0), ask: PriceLevel(0, 0), scales: ticker.scales)
            entries = Array(repeating: nothing, count: capacity)
        }
        if count > 0 && entries[(start + count - 1) % capacity].id >= ticker.updateID { return true }
        let full = count == capacity
        if full {
            start = (start + 1) % capacity
            count -= 1
        }
        entries[(start + count) % capacity] = Entry(
            id: ticker.updateID, bid: ticker.bid, ask: ticker.ask, scales: ticker.scales)
        count += 1
        return !full
    }

    /// Removes every ticker up to `id` and returns the one of exactly that id.
    mutating func take(at id: UpdateID) -> Entry? {
        while count > 0 {
            let entry = entries[start]
            if entry.id > id { return nil }
            start = (start + 1) % capacity
            count -= 1
            if entry.id == id { return entry }
        }
        return nil
    }

    mutating func removeAll() {
        start = 0
        count = 0
    }
}
