// What a depth stream slower than the order flow has gathered since it was last shown: the union of the
// updates in between, each price with its last quantity.
//
// Invariants
// * Shown one after the other, the gathered diffs have no holes: each begins where the previous one ended.
// * Nothing is gathered while nobody listens, and what was gathered for listeners that have left is dropped.
//
// Worst case: one dictionary entry for each price touched in an interval.

import BinanceVenue
import MarketData

/// The depth streams of one symbol at one interval.
struct PacedStream: Sendable {
    /// Whether something is waiting to be shown.
    private(set) var isPending = false
    /// Best levels after the last gathered update, at most 20 per side, best first.
    private(set) var topBids: [PriceLevel] = []
    private(set) var topAsks: [PriceLevel] = []
    private(set) var last = UpdateID(0)
    private var bids: [Int64: Int64] = [:]
    private var asks: [Int64: Int64] = [:]
    private var first = UpdateID(0)
    private var previousLast = UpdateID(0)
    private var transactionTimeUs: Int64 = 0
    /// Last id that was shown; nil if none was since somebody began to listen.
    private var shown: UpdateID?

    /// Adds an update; `book` is the book after it.
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

    /// Fills a diff with what was gathered, in wire order.
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

    /// Notes that the gathered diff has been shown.
    mutating func wasShown() {
        shown = last
        clear()
    }

    /// Notes that nobody listens any more.
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
