// Tickers that arrive before the depth update with their update id, which is the usual order.
//
// A ring ordered by id. A symbol's tickers arrive nearly in id order; one that does not, from an older
// connection or after one with a wrong id, is inserted in its place. An applied update removes all that it
// passes. Bounded: it grows to `capacity` tickers, and when full evicts the lowest id.
//
// Worst case: O(1) in order, O(capacity) out of order and when growing.

import MarketData

/// The best prices announced by the venue for ids the book has not reached.
struct PendingTickers {
    struct Entry {
        var id: UpdateID
        var bid: PriceLevel
        var ask: PriceLevel
        var scales: SymbolScales
        /// When it arrived, on the engine's clock.
        var seenNs: Int64
    }

    private var entries: [Entry] = []
    private var start = 0
    private(set) var count = 0
    private let capacity: Int

    init(capacity: Int) { self.capacity = max(capacity, 1) }

    /// The one with the highest id.
    var latest: Entry? { count == 0 ? nil : entries[(start + count - 1) % entries.count] }

    /// Remembers a ticker, the first per id. Returns false if one was evicted.
    mutating func remember(_ ticker: BookTicker, nowNs: Int64) -> Bool {
        if count == entries.count && count < capacity { grow(ticker.scales) }
        let room = entries.count
        var place = count
        while place > 0 && entries[(start + place - 1) % room].id >= ticker.updateID { place -= 1 }
        if place < count && entries[(start + place) % room].id == ticker.updateID { return true }
        let isFull = count == room
        if isFull {
            if place == 0 { return false }
            (start, place) = ((start + 1) % room, place - 1)
        } else {
            count += 1
        }
        var index = count - 1
        while index > place {
            entries[(start + index) % room] = entries[(start + index - 1) % room]
            index -= 1
        }
        entries[(start + place) % room] = Entry(
            id: ticker.updateID, bid: ticker.bid, ask: ticker.ask, scales: ticker.scales, seenNs: nowNs)
        return !isFull
    }

    /// Most books are never more than a few tickers behind.
    private static let roomMin = 8

    private mutating func grow(_ scales: SymbolScales) {
        let nothing = Entry(
            id: UpdateID(0), bid: PriceLevel(0, 0), ask: PriceLevel(0, 0), scales: scales, seenNs: 0)
        let room = min(max(PendingTickers.roomMin, 2 * entries.count), capacity)
        entries = Array(entries[start...] + entries[..<start])
        start = 0
        entries += Array(repeating: nothing, count: room - entries.count)
    }

    /// Removes every ticker up to `id` and returns the one of exactly that id.
    mutating func take(at id: UpdateID) -> Entry? {
        while count > 0 {
            let entry = entries[start]
            if entry.id > id { return nil }
            start = (start + 1) % entries.count
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
