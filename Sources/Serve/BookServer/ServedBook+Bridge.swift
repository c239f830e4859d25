// Bridging updates: how clients get from the book that they hold to the source's.
//
// A bridge chains to the last update sent, as the market's rule demands, and its levels are the difference
// between the two books inside what is proven of the source, and whatever is owed. So a client that applies
// everything it gets, and checks no ids, ends with the new book. What lies beyond stays as it is: a client's
// level there was true once, and an absent one is no more likely to be right.
//
//     market        U                    u              pu
//     --------------|--------------------|--------------|--------------------
//     not linked    last sent + 1        the source's   none
//     linked        last sent            the source's   last sent
//
// A linked bridge begins at the last id sent, not behind it: a client that has just taken a REST answer of
// that id asks of its first update that U <= id <= u.

import BookSync
import DepthBook
import MarketData

extension ServedBook {
    /// Whether clients miss levels: the next update is a bridge.
    var isOwing: Bool { !promises.bids.owed.isEmpty || !promises.asks.owed.isEmpty }

    /// Becomes the source's book, and fills `bridge` with what leads there.
    ///
    /// - Returns: false, with the book unchanged, if the two cannot be printed with the same decimals.
    func goOver(to source: borrowing OrderBook) -> Bool {
        guard let scales = source.scales ?? book.scales else { return false }
        let wide = book.scales.map(scales.widened(by:)) ?? scales
        let own = source.scales ?? wide
        let before = book.scales
        guard let sourceBids = ServedBook.scaled(source.levels(.bid), from: own, to: wide),
            let sourceAsks = ServedBook.scaled(source.levels(.ask), from: own, to: wide),
            let provenBids = source.provenBids.scaled(from: own, to: wide),
            let provenAsks = source.provenAsks.scaled(from: own, to: wide), book.widen(to: wide)
        else { return false }
        if before != wide { rescalePromises(from: before) }
        let bids = target(.bid, sourceBids, provenTo: provenBids)
        let asks = target(.ask, sourceAsks, provenTo: provenAsks)
        bridge.reset()
        append(changes(to: bids, .bid, provenTo: provenBids), .bid)
        append(changes(to: asks, .ask, provenTo: provenAsks), .ask)
        let held = book.lastUpdateID
        bridge.symbol = symbol
        bridge.first = isLinked ? held : UpdateID(held.value &+ 1)
        bridge.last = source.lastUpdateID
        bridge.previousLast = isLinked ? held : nil
        bridge.eventTimeUs = source.eventTimeUs
        bridge.transactionTimeUs = source.eventTimeUs
        bridge.scales = wide
        promises.bids.owed = []
        promises.asks.owed = []
        replace(by: source, bids: bids, asks: asks, wide)
        return true
    }

    /// Gives back the memory of a bridge that was told.
    func dropBridge() { bridge = DepthUpdate(levelCapacity: 1) }

    /// What this book becomes where the source is at these levels: inside what is proven of them they alone,
    /// beyond it this book's own as well; the best of them if there are too many. Best first.
    func target(_ side: Side, _ levels: [PriceLevel], provenTo range: ProvenRange) -> [PriceLevel] {
        if range == .unbounded { return levels }
        let known = Set(levels.map(\.price))
        var kept = book.levels(side).filter {
            !range.reaches($0.price, on: side) && !known.contains($0.price)
        }
        if kept.isEmpty { return levels }
        kept += levels
        kept.sort { side.isBetter($0.price, than: $1.price) }
        return Array(kept.prefix(max(levelCountMax, levels.count)))
    }

    /// The same book with these levels, and as much of it known as of the source.
    ///
    /// - Parameters:
    ///   - bids: best first.
    ///   - asks: best first.
    ///   - scales: decimals of these levels, at least those of the source.
    func replace(
        by source: borrowing OrderBook, bids: [PriceLevel], asks: [PriceLevel], _ scales: SymbolScales?
    ) {
        book.replaceAll(bids: bids, asks: asks, like: source, scales: scales)
        state = .live
        (promises.bids.levelCountBound, promises.asks.levelCountBound) = (bids.count, asks.count)
        promises.bids.claim(book.provenBids, on: .bid)
        promises.asks.claim(book.provenAsks, on: .ask)
    }

    /// The book has got other decimals: so do the prices that are remembered beside it.
    func rescalePromises(from old: SymbolScales?) {
        guard let old, let new = book.scales else { return }
        promises.bids.scale(from: old, to: new)
        promises.asks.scale(from: old, to: new)
    }

    /// The levels to set so that one side of any client's book becomes this, best first: where it differs
    /// from this book, where levels are owed, and, as far as clients may take their books for known, whatever
    /// was not proven and is now.
    func changes(
        to target: [PriceLevel], _ side: Side, provenTo range: ProvenRange
    ) -> [PriceLevel] {
        let changes = ServedBook.changes(from: book.levels(side), to: target, side)
        let promise = side == .bid ? promises.bids : promises.asks
        let own = book.proven(side)
        if promise.owed.isEmpty && own.covers(range, on: side) { return changes }
        var missing = promise.owed
        for level in target where !own.reaches(level.price, on: side) {
            if !range.reaches(level.price, on: side) { break }
            if promise.claimed.reaches(level.price, on: side) { missing.insert(level.price) }
        }
        missing.subtract(changes.map(\.price))
        var all = changes
        for level in target where missing.remove(level.price) != nil { all.append(level) }
        all += missing.map { PriceLevel(price: $0, quantity: .zero) }
        return all.sorted { side.isBetter($0.price, than: $1.price) }
    }

    private static func scaled(
        _ levels: [PriceLevel], from old: SymbolScales, to wide: SymbolScales
    ) -> [PriceLevel]? {
        if old == wide { return levels }
        let scaled = levels.compactMap { $0.scaled(from: old, to: wide) }
        return scaled.count == levels.count ? scaled : nil
    }

    /// The venue sorts the bids of updates downwards where updates are not linked, everything else upwards.
    private func append(_ levels: [PriceLevel], _ side: Side) {
        switch side {
        case .bid:
            if isLinked {
                for level in levels.reversed() { bridge.bids.append(level) }
            } else {
                for level in levels { bridge.bids.append(level) }
            }
        case .ask: for level in levels { bridge.asks.append(level) }
        }
    }

    /// The levels to set so that one side becomes the other, best first; a quantity of zero removes.
    static func changes(from old: [PriceLevel], to new: [PriceLevel], _ side: Side) -> [PriceLevel] {
        var changes: [PriceLevel] = []
        var (i, j) = (0, 0)
        while i < old.count || j < new.count {
            if j == new.count || i < old.count && side.isBetter(old[i].price, than: new[j].price) {
                changes.append(PriceLevel(price: old[i].price, quantity: .zero))
                i += 1
            } else if i == old.count || side.isBetter(new[j].price, than: old[i].price) {
                changes.append(new[j])
                j += 1
            } else {
                if old[i].quantity != new[j].quantity { changes.append(new[j]) }
                i += 1
                j += 1
            }
        }
        return changes
    }
}

extension ServedBook.Promise {
    /// Some client may know as much as this.
    mutating func claim(_ range: ProvenRange, on side: Side) {
        if range.covers(claimed, on: side) { claimed = range }
    }

    /// The same with other decimals; what does not fit is taken for the worst.
    mutating func scale(from old: SymbolScales, to new: SymbolScales) {
        claimed = claimed.scaled(from: old, to: new) ?? .unbounded
        owed = Set(owed.compactMap { $0.scaled(from: old.priceDecimals, to: new.priceDecimals) })
    }
}
