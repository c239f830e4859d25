// Several updates of a book merged into one, for streams slower than the one the server follows.
//
// Only the prices are recorded; quantities are those of the book when the summary is made, after the last of
// these updates.
//
// Invariant: summaries are chained like the updates themselves: on linked markets each names the previous
// one's last id and begins there, on others it begins right after it. The first begins at the id at which the
// stream was opened.
//
// Bounds: as many prices as the book and the updates of one interval have.

import BookSync
import DepthBook
import MarketData

/// Changes since the last message of a slow stream.
struct UpdateSummary {
    private let isLinked: Bool
    /// The last id of the previous message.
    private var sent: UpdateID
    /// The last id covered.
    private var last: UpdateID
    private var scales: SymbolScales?
    private var bids: Set<Price> = []
    private var asks: Set<Price> = []
    /// The narrowest ranges told by updates; nil if none told any.
    private var proven: UpdateExtras?

    /// No changes since this id.
    init(since id: UpdateID, isLinked: Bool) {
        (sent, last, self.isLinked) = (id, id, isLinked)
    }

    /// Whether there is nothing to send.
    var isEmpty: Bool { last == sent }

    /// Adds an update.
    mutating func add(_ update: borrowing DepthUpdate) {
        last = update.last
        if let extras = update.extras { proven = (proven ?? UpdateExtras()).narrowed(by: extras) }
        rescale(to: update.scales)
        let own = update.scales ?? scales
        for index in 0..<update.bids.count { add(update.bids[index].price, own, to: &bids) }
        for index in 0..<update.asks.count { add(update.asks[index].price, own, to: &asks) }
    }

    private func add(_ price: Price, _ own: SymbolScales?, to prices: inout Set<Price>) {
        guard let own, let scales, own != scales else {
            prices.insert(price)
            return
        }
        if let price = price.scaled(from: own.priceDecimals, to: scales.priceDecimals) {
            prices.insert(price)
        }
    }

    private mutating func rescale(to other: SymbolScales?) {
        guard let other else { return }
        guard let own = scales else {
            scales = other
            return
        }
        let wide = own.widened(by: other)
        if wide == own { return }
        bids = Set(bids.compactMap { $0.scaled(from: own.priceDecimals, to: wide.priceDecimals) })
        asks = Set(asks.compactMap { $0.scaled(from: own.priceDecimals, to: wide.priceDecimals) })
        scales = wide
    }

    /// Fills in the message and starts the next one; there must be something to send, and the book must have
    /// taken the same updates.
    mutating func take(_ message: inout DepthUpdate, from served: ServedBook) {
        rescale(to: served.book.scales)
        message.reset()
        message.symbol = served.symbol
        message.first = isLinked ? sent : UpdateID(sent.value &+ 1)
        message.last = last
        message.previousLast = isLinked ? sent : nil
        (message.eventTimeUs, message.transactionTimeUs) = (served.eventTimeUs, served.eventTimeUs)
        message.scales = served.book.scales
        message.extras = proven
        for price in bids.sorted(by: isLinked ? { $0 < $1 } : { $0 > $1 }) {
            message.bids.append(PriceLevel(price: price, quantity: served.book.bids.quantity(at: price)))
        }
        for price in asks.sorted() {
            message.asks.append(PriceLevel(price: price, quantity: served.book.asks.quantity(at: price)))
        }
        sent = last
        proven = nil
        bids.removeAll(keepingCapacity: true)
        asks.removeAll(keepingCapacity: true)
    }
}
