// What a depth stream that is slower than the order flow has gathered since it was shown last: the union of
// the updates in between, each price with the quantity it was shown with last.
//
// Invariants
// * Shown one after the other, the gathered diffs have no holes: each begins where the one before it ended.
// * Nothing is gathered while nobody listens, and what was gathered for those who have left is forgotten.
//
// Worst case: one dictionary entry for each price touched in an interval.

import BinanceVenue
import MarketData

/// The depth streams of one symbol at one interval.
struct PacedStream: Sendable {
    /// Whether something waits to be shown.
    private(set) var isPending = false
    /// Best levels after the last update gathered, at most 20 a side, best first.
    private(set) var topBids: [PriceLevel] = []
    private(set) var topAsks: [PriceLevel] = []
    private(set) var last = UpdateID(0)
    private var bids: [Int64: Int64] = [:]
    private var asks: [Int64: Int64] = [:]
    private var first = UpdateID(0)
    private var previousLast = UpdateID(0)
    private var transactionTimeUs: Int64 = 0
    /// Last id that was shown, nil if nothing was since somebody began to listen.
    private var shown: UpdateID?

    /// Adds an update; the book is that after it.
    mutating func gather(_ update: borrowing FlowUpdate, _ book: borrowing TrueBook) {
        if !isPending {
            isPending = true
            first = update.first
            previousLast = shown ?? update.previousLast
        }
        last = update.last
        transactionTimeUs = update.transactionTimeUs
        for level in update.bids { bids[level.price.mantissa] = level.quantity.mantissa }
        for level in update.asks { asks[level.price.mantissa] = level.quantity.mantissa }
        topBids.removeAll(keepingCapacity: true)
        topAsks.removeAll(keepingCapacity: true)
        for rank in 0..<min(20, book.bids.count) { topBids.append(book.bids.level(rank: rank)) }
        for rank in 0..<min(20, book.asks.count) { topAsks.append(book.asks.level(rank: rank)) }
    }

    /// Fills a diff with what was gathered, in the order of the wire.
    func copyDiff(
        of symbol: SymbolName, _ market: Market, _ printed: PrintedScales, atUs timeUs: Int64,
        into update: inout DepthUpdate
    ) {
        update.reset()
        update.symbol = symbol
        update.first = first
        update.last = last
        update.previousLast = market == .spot ? nil : previousLast
        update.eventTimeUs = timeUs
        update.transactionTimeUs = market == .spot ? 0 : transactionTimeUs
        update.scales = printed.scales
        let prices = market == .spot ? bids.keys.sorted(by: >) : bids.keys.sorted()
        for price in prices { update.bids.append(printed(PriceLevel(price, bids[price] ?? 0))) }
        for price in asks.keys.sorted() { update.asks.append(printed(PriceLevel(price, asks[price] ?? 0))) }
    }

    /// What was gathered has been shown.
    mutating func wasShown() {
        shown = last
        clear()
    }

    /// Nobody listens any more.
    mutating func forget() {
        if !isPending && shown == nil { return }
        shown = nil
        clear()
    }

    private mutating func clear() {
        isPending = false
        bids.removeAll(keepingCapacity: true)
        asks.removeAll(keepingCapacity: true)
    }
}
