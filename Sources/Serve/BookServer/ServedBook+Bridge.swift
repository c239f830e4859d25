// Bridging updates: how clients get from the book they hold to the source's.
//
// A bridge chains to the last update sent, as the market's rule requires, and its levels are the difference
// between the two books inside the source's proven range, plus whatever is owed. So a client that applies
// everything it gets, without checking ids, ends with the new book. Levels beyond the proven range stay as
// they are: a client's level there was true once, and its absence is no more likely to be right. Where a side
// is proven less far than any client may take it to be, the bridge says how far: clients made for the venue
// ignore that, and another `lob run` then claims no more than this book.
//
//     market        U                    u              pu
//     --------------|--------------------|--------------|--------------------
//     not linked    last sent + 1        the source's   none
//     linked        last sent            the source's   last sent
//
// A linked bridge begins at the last id sent, not after it: a client that has just taken a REST answer with
// that id checks its first update for U <= id <= u.

import BookSync
import DepthBook
import MarketData

extension ServedBook {
    /// Whether clients lack levels: the next update must then be a bridge.
    var isOwing: Bool { !promises.bids.owed.isEmpty || !promises.asks.owed.isEmpty }

    /// Becomes the source's book, and fills `bridge` with the difference. Its time is the latest of the
    /// source's, this book's and the present.
    ///
    /// - Returns: false, with the book unchanged, if the two cannot be printed with the same decimals.
    func goOver(to source: borrowing OrderBook, nowUs: Int64) -> Bool {
        noteChange()
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
        let bids = target(.bid, KnownSide(sourceBids, provenTo: provenBids))
        let asks = target(.ask, KnownSide(sourceAsks, provenTo: provenAsks))
        bridge.reset()
        append(changes(to: bids, .bid), .bid)
        append(changes(to: asks, .ask), .ask)
        let held = book.lastUpdateID
        bridge.symbol = symbol
        bridge.first = isLinked ? held : UpdateID(held.value &+ 1)
        bridge.last = source.lastUpdateID
        bridge.previousLast = isLinked ? held : nil
        bridge.eventTimeUs = noteTime(source.eventTimeUs, nowUs: nowUs)
        bridge.transactionTimeUs = bridge.eventTimeUs
        bridge.scales = wide
        promises.bids.owed = []
        promises.asks.owed = []
        let isNarrower =
            !provenBids.covers(book.provenBids, on: .bid) || !provenAsks.covers(book.provenAsks, on: .ask)
        (bridgeIsNarrower, sourceWasLost) = (sourceWasLost && isNarrower, false)
        replace(by: source, bids: bids, asks: asks, wide)
        bridge.extras = narrowing
        return true
    }

    /// How far the sides are proven that some client may consider known further; nil if there is none.
    private var narrowing: UpdateExtras? {
        var extras = UpdateExtras()
        extras.priceDecimals = book.scales?.priceDecimals ?? 0
        if !book.provenBids.covers(promises.bids.claimed, on: .bid) { extras.provenBids = book.provenBids }
        if !book.provenAsks.covers(promises.asks.claimed, on: .ask) { extras.provenAsks = book.provenAsks }
        return extras.provenBids == .unbounded && extras.provenAsks == .unbounded ? nil : extras
    }

    /// Frees the memory of a bridge that was sent.
    func dropBridge() { bridge = DepthUpdate(levelCapacity: 1) }

    /// A side given the source's: inside the source's proven range only its levels, beyond it also this
    /// book's own; the best of them if there are too many.
    func target(_ side: Side, _ source: KnownSide) -> KnownSide {
        if source.range == .unbounded { return source }
        let known = Set(source.levels.map(\.price))
        var kept = book.levels(side).filter {
            !source.range.reaches($0.price, on: side) && !known.contains($0.price)
        }
        if kept.isEmpty { return source }
        kept += source.levels
        kept.sort { side.isBetter($0.price, than: $1.price) }
        let most = max(levelCountMax, source.levels.count)
        return KnownSide(Array(kept.prefix(most)), provenTo: source.range)
    }

    /// Becomes these sides at the source's id.
    ///
    /// - Parameter scales: decimals of the sides, at least the source's.
    func replace(
        by source: borrowing OrderBook, bids: KnownSide, asks: KnownSide, _ scales: SymbolScales?
    ) {
        noteChange()
        book.replaceAll(bids: bids, asks: asks, like: source, scales: scales)
        state = .live
        promises.bids.levelCountBound = bids.levels.count
        promises.asks.levelCountBound = asks.levels.count
        promises.bids.claim(book.provenBids, on: .bid)
        promises.asks.claim(book.provenAsks, on: .ask)
    }

    /// The book's decimals have changed: rescales the prices remembered beside it.
    func rescalePromises(from old: SymbolScales?) {
        guard let old, let new = book.scales else { return }
        promises.bids.scale(from: old, to: new)
        promises.asks.scale(from: old, to: new)
    }

    /// The levels to set so that one side of any client's book becomes this, best first: where it differs
    /// from this book, where levels are owed, and, as far as clients may consider their books known, whatever
    /// was not proven before and is now.
    func changes(to target: KnownSide, _ side: Side) -> [PriceLevel] {
        let changes = ServedBook.changes(from: book.levels(side), to: target.levels, side)
        let promise = side == .bid ? promises.bids : promises.asks
        let own = book.proven(side)
        if promise.owed.isEmpty && own.covers(target.range, on: side) { return changes }
        var missing = promise.owed
        for level in target.levels where !own.reaches(level.price, on: side) {
            if !target.range.reaches(level.price, on: side) { break }
            if promise.claimed.reaches(level.price, on: side) { missing.insert(level.price) }
        }
        missing.subtract(changes.map(\.price))
        var all = changes
        for level in target.levels where missing.remove(level.price) != nil { all.append(level) }
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

    /// Where updates are not linked the venue sorts an update's bids downwards, everything else upwards.
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

    /// The levels to set to turn one side into the other, best first; a zero quantity removes.
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
    /// Some client may consider this range known.
    mutating func claim(_ range: ProvenRange, on side: Side) {
        if range.covers(claimed, on: side) { claimed = range }
    }

    /// The same in other decimals; a range that does not fit becomes unbounded.
    mutating func scale(from old: SymbolScales, to new: SymbolScales) {
        claimed = claimed.scaled(from: old, to: new) ?? .unbounded
        owed = Set(owed.compactMap { $0.scaled(from: old.priceDecimals, to: new.priceDecimals) })
    }
}
