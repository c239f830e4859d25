// Where gaps are passed on: whether clients that check ids would notice what is kept from them.
//
// A bridge that would hide a gap is kept from the streams of updates: those who see the gap take a new
// snapshot. But a book is not only lost with an update: its levels may be refuted while no update is missing.
// Then what comes while it pauses chains on, and nobody looks for a snapshot. So what was sent meanwhile is
// held against the book to which the bridge leads.
//
//     state    | input                                    | next
//     ---------|------------------------------------------|---------------------------------------------
//     even     | an update that chains on                 | unbroken
//     even     | one that does not                        | seen
//     even     | a bridge is kept back                    | as unbroken at the id from which it leads
//     unbroken | an update that chains on                 | unbroken
//     unbroken | one that does not                        | seen
//     unbroken | a bridge beyond it is kept back          | unbroken: the next update shows a gap, or not
//     unbroken | a bridge no further than it is kept back | even, with the verdict
//     seen     | a bridge is kept back                    | even
//     any      | a message that continues the book        | even
//
// Bounds: `countMax` prices a side; more than that are taken for a contradiction.

import BookSync
import DepthBook
import MarketData

/// What clients hold of a book that pauses, if they have seen no gap.
struct GapChain {
    private enum State {
        /// They hold the served book, or have seen that they do not.
        case even
        /// What was sent since has led them to this id without a gap.
        case unbroken(UpdateID)
        /// They have seen a gap since.
        case seen
    }

    private struct Levels {
        /// What was sent to them, by price.
        var sent: [Price: Quantity] = [:]
        /// Prices that bridges kept back would have set.
        var kept: Set<Price> = []

        var count: Int { sent.count + kept.count }
    }

    private var state = State.even
    private var bids = Levels()
    private var asks = Levels()
    /// Decimals of the prices; nil before the first.
    private var scales: SymbolScales?
    /// Whether more is to be corrected than prices can say.
    private var isUnknown = false
    private let countMax: Int

    init(countMax: Int) { self.countMax = countMax }

    /// Clients hold the served book again, or are to start over.
    mutating func end() {
        if case .even = state { return }
        self = GapChain(countMax: countMax)
    }

    /// An update that does not continue the book is passed on.
    ///
    /// - Parameter last: the last id sent before it.
    mutating func pass(_ update: borrowing DepthUpdate, after last: UpdateID, isLinked: Bool) {
        let held: UpdateID
        switch state {
        case .even: held = last
        case .unbroken(let id): held = id
        case .seen: return
        }
        let isChained =
            isLinked ? update.previousLast == held : update.first.value <= held.value &+ 1
        if !isChained {
            end()
            state = .seen
            return
        }
        state = .unbroken(update.last)
        guard let own = update.scales else { return }
        if own != (scales ?? own) { isUnknown = true }
        scales = own
        for index in 0..<update.bids.count {
            let level = update.bids[index]
            bids.sent[level.price] = level.quantity
        }
        for index in 0..<update.asks.count {
            let level = update.asks[index]
            asks.sent[level.price] = level.quantity
        }
        bound()
    }

    /// A bridge to a book is kept back.
    ///
    /// - Parameter isNarrower: whether the book is proven less far than before.
    /// - Returns: whether clients hold something else than the book and will see no gap.
    mutating func keep(
        _ bridge: borrowing DepthUpdate, to book: borrowing OrderBook, isNarrower: Bool, isLinked: Bool
    ) -> Bool {
        switch state {
        case .seen:
            end()
            return false
        case .even: state = .unbroken(isLinked ? bridge.first : UpdateID(bridge.first.value &- 1))
        case .unbroken: break
        }
        for index in 0..<bridge.bids.count { bids.kept.insert(bridge.bids[index].price) }
        for index in 0..<bridge.asks.count { asks.kept.insert(bridge.asks[index].price) }
        let own = book.scales
        if isNarrower || (scales ?? own) != own { isUnknown = true }
        scales = own
        bound()
        guard case .unbroken(let held) = state, bridge.last <= held else { return false }
        let isWrong =
            isUnknown || bridge.last < held || contradicts(bids, book, .bid) || contradicts(asks, book, .ask)
        end()
        return isWrong
    }

    private mutating func bound() {
        if bids.count > countMax || asks.count > countMax { isUnknown = true }
        if isUnknown { (bids, asks) = (Levels(), Levels()) }
    }

    /// Whether a side in clients' books, as far as it is proven, is not that of the book.
    private func contradicts(_ levels: Levels, _ book: borrowing OrderBook, _ side: Side) -> Bool {
        for price in levels.kept where levels.sent[price] != quantity(book, side, price) { return true }
        let proven = book.proven(side)
        for (price, quantity) in levels.sent where proven.reaches(price, on: side) {
            if quantity != self.quantity(book, side, price) { return true }
        }
        return false
    }

    private func quantity(_ book: borrowing OrderBook, _ side: Side, _ price: Price) -> Quantity {
        side == .bid ? book.bids.quantity(at: price) : book.asks.quantity(at: price)
    }
}

extension ServedBook {
    /// An update that does not continue this book is passed on.
    func passGap(_ update: borrowing DepthUpdate) {
        gaps.pass(update, after: ids.last, isLinked: isLinked)
        ids = UpdateRange(update)
    }

    /// The bridge is kept from those who get updates as they come.
    ///
    /// - Returns: whether they hold something else than this book and will see no gap.
    func keepBridge() -> Bool {
        gaps.keep(bridge, to: book, isNarrower: bridgeIsNarrower, isLinked: isLinked)
    }
}
