// Compares the venue's other statements about its top of book with ours at the same update id. A ticker or
// partial depth ahead of the book is remembered until the book reaches its id.
//
// Worst case: a ticker is O(1), a partial depth O(its levels).

import DepthBook
import MarketData

/// The tickers and partial depths of one symbol, and the first of each kind that contradicted its book.
///
/// ```
/// input                         book at its id    ahead of the book     behind it
/// ticker, partial depth         compared          remembered            ignored
/// book reaches a remembered id  compared          –                     forgotten
/// forgetFormerTime              everything remembered is forgotten
/// ```
struct CrossChecks {
    /// The result of a comparison.
    enum Verdict: Equatable {
        /// Nothing can be said: neither lies inside the proven range.
        case unknown
        /// Both agree; `isWhole` if both sides could be compared.
        case agreed(isWhole: Bool)
        /// They contradict each other.
        case contradicted(VenueMismatch)
    }

    private var tickers: PendingTickers
    private var partials = PendingPartials()
    /// The first of each kind of cross-check that contradicted the book.
    private(set) var mismatches: [VenueMismatch] = []

    /// - Parameter tickerCountMax: most tickers remembered; the oldest are evicted.
    init(tickerCountMax: Int) { tickers = PendingTickers(capacity: tickerCountMax) }

    /// Whether a ticker waits for the book.
    var hasTickers: Bool { tickers.count > 0 }

    /// Whether a partial depth waits for the book.
    var hasPartials: Bool { !partials.isEmpty }

    /// Remembers a ticker ahead of the book; false if an older one was evicted.
    mutating func remember(_ ticker: BookTicker, nowNs: Int64) -> Bool {
        tickers.remember(ticker, nowNs: nowNs)
    }

    /// Remembers a partial depth ahead of the book.
    mutating func remember(_ partial: borrowing DepthSnapshot, nowNs: Int64) {
        partials.remember(partial, nowNs: nowNs)
    }

    /// The remembered ids are no longer valid.
    mutating func forgetFormerTime() {
        tickers.removeAll()
        partials.removeAll()
    }

    /// Whether anything remembered is beyond an id, and was seen before this time.
    func isBeyond(_ id: UpdateID, seenBeforeNs: Int64) -> Bool {
        let isTicker = tickers.latest.map { $0.id > id && $0.seenNs < seenBeforeNs } ?? false
        return isTicker || partials.latest.map { $0.id > id && $0.seenNs < seenBeforeNs } ?? false
    }

    /// Whether nothing of this kind that is remembered is beyond an id.
    ///
    /// - Parameter isPlausible: whether the venue can have come as far.
    func isLatest(_ id: UpdateID, _ check: VenueMismatch.Check, isPlausible: (UpdateID) -> Bool) -> Bool {
        let latest = check == .ticker ? tickers.latest?.id : partials.latest?.id
        return latest.map { $0 <= id || !isPlausible($0) } ?? true
    }

    /// Takes the place of another one.
    mutating func replaces(_ former: CrossChecks) { mismatches = former.mismatches }

    /// Keeps a contradiction if it is the first of its kind.
    mutating func note(_ mismatch: VenueMismatch) {
        if !mismatches.contains(where: { $0.check == mismatch.check }) { mismatches.append(mismatch) }
    }

    /// Compares the book anew with the latest of what is remembered of each kind. O(1).
    ///
    /// - Parameters:
    ///   - contrary: what is known to differ.
    ///   - isPlausible: whether the venue can have come as far.
    func compareAhead(
        _ book: borrowing OrderBook, _ contrary: inout ContraryEvidence, isPlausible: (UpdateID) -> Bool
    ) {
        var found: (id: UpdateID, seenNs: Int64)?
        if let ticker = tickers.latest, isPlausible(ticker.id),
            case .contradicted = CrossChecks.compare(book, bid: ticker.bid, ask: ticker.ask, ticker.scales)
        {
            found = (ticker.id, ticker.seenNs)
        }
        contrary.compared(.ticker, found, own: book.lastUpdateID)
        found = nil
        if let partial = partials.latest, isPlausible(partial.id), let bid = partial.bids.first,
            let ask = partial.asks.first,
            case .contradicted = CrossChecks.compare(book, bid: bid, ask: ask, partial.scales)
        {
            found = (partial.id, partial.seenNs)
        }
        contrary.compared(.partialDepth, found, own: book.lastUpdateID)
    }

    /// The highest id of a remembered partial depth; nil if there is none.
    var latestPartialID: UpdateID? { partials.latest?.id }

    /// Compares the remembered ticker of the id the book has just reached; nil if there is none. The verdict
    /// dates from when the ticker arrived: the venue was there then, not now.
    mutating func reachedTicker(_ id: UpdateID, _ book: borrowing OrderBook) -> (Verdict, seenNs: Int64)? {
        guard let entry = tickers.take(at: id) else { return nil }
        return (CrossChecks.compare(book, bid: entry.bid, ask: entry.ask, entry.scales), entry.seenNs)
    }

    /// Compares the remembered partial depth of the id the book has just reached; likewise.
    mutating func reachedPartial(_ id: UpdateID, _ book: borrowing OrderBook) -> (Verdict, seenNs: Int64)? {
        guard let entry = partials.take(at: id) else { return nil }
        return (CrossChecks.compare(book, bids: entry.bids, asks: entry.asks, entry.scales), entry.seenNs)
    }
}

/// The result of comparing one side.
private enum Agreement {
    /// Equal inside the proven range.
    case same
    /// Neither lies inside the proven range, so nothing can be said.
    case unknown
    /// They contradict each other.
    case different

    /// Both sides combined: a contradiction decides, then a comparable side.
    func and(_ other: Agreement) -> Agreement {
        if self == .different || other == .different { return .different }
        return self == .same || other == .same ? .same : .unknown
    }
}

extension CrossChecks {
    /// Compares the best prices announced by the venue for the book's id with the book's.
    static func compare(
        _ book: borrowing OrderBook, bid: PriceLevel, ask: PriceLevel, _ scales: SymbolScales
    ) -> Verdict {
        guard let own = book.scales else { return .unknown }
        guard let venueBid = inOwnScales(bid, scales, own), let venueAsk = inOwnScales(ask, scales, own)
        else { return .contradicted(VenueMismatch.ticker(book, bid, ask, scales)) }
        let sides = (agreement(book, .bid, venueBid), agreement(book, .ask, venueAsk))
        switch sides.0.and(sides.1) {
        case .unknown: return .unknown
        case .same: return .agreed(isWhole: sides.0 == sides.1)
        case .different: return .contradicted(VenueMismatch.ticker(book, venueBid, venueAsk, own))
        }
    }

    /// Compares the best levels announced by the venue for the book's id with the book's.
    static func compare(
        _ book: borrowing OrderBook, bids: [PriceLevel], asks: [PriceLevel], _ scales: SymbolScales
    ) -> Verdict {
        guard let own = book.scales else { return .unknown }
        let venueBids = bids.compactMap { inOwnScales($0, scales, own) }
        let venueAsks = asks.compactMap { inOwnScales($0, scales, own) }
        let isExact = venueBids.count == bids.count && venueAsks.count == asks.count
        let sides = (agreement(book, .bid, venueBids), agreement(book, .ask, venueAsks))
        switch isExact ? sides.0.and(sides.1) : .different {
        case .unknown: return .unknown
        case .same: return .agreed(isWhole: sides.0 == sides.1)
        case .different: return .contradicted(VenueMismatch.partial(book, bids, asks, scales))
        }
    }

    /// A venue level in the book's decimals; nil if it needs more, and so cannot match any of ours.
    private static func inOwnScales(
        _ level: PriceLevel, _ scales: SymbolScales, _ own: SymbolScales
    ) -> PriceLevel? {
        scales == own ? level : level.scaled(from: scales, to: own)
    }

    /// Whether the venue's best level of a side is consistent with ours. Two that differ contradict each
    /// other if either lies inside the proven range: ours exists there, and the venue's would not be missing.
    private static func agreement(_ book: borrowing OrderBook, _ side: Side, _ venue: PriceLevel) -> Agreement
    {
        let own = side == .bid ? book.bestBid : book.bestAsk
        let best = venue.quantity == .zero ? nil : venue
        if own == best { return book.hasProvenBest(side) ? .same : .unknown }
        return isProven(book, side, own) || isProven(book, side, best) ? .different : .unknown
    }

    private static func isProven(_ book: borrowing OrderBook, _ side: Side, _ level: PriceLevel?) -> Bool {
        guard let level else { return false }
        return book.isProven(side, level.price)
    }

    /// Level by level from the best one, until the venue's levels leave the proven range or end.
    private static func agreement(
        _ book: borrowing OrderBook, _ side: Side, _ levels: [PriceLevel]
    ) -> Agreement {
        if levels.isEmpty { return agreement(book, side, PriceLevel(0, 0)) }
        if !isProven(book, side, levels[0]) && !book.hasProvenBest(side) { return .unknown }
        let range = book.proven(side)
        var index = 0
        var same = true
        book.forEachLevel(side) { level in
            if index >= levels.count { return false }
            if !range.reaches(levels[index].price, on: side) {
                same = !range.reaches(level.price, on: side)
                return false
            }
            same = levels[index] == level
            index += 1
            return same
        }
        let isDone = index >= levels.count || !book.isProven(side, levels[index].price)
        return same && isDone ? .same : .different
    }
}
