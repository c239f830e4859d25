// What the venue says of the top of its book by other ways, compared with ours at the same update id.

import BinanceVenue
import DepthBook
import MarketData

/// What a comparison of one side showed.
private enum Agreement {
    /// Both are the same, inside the proven range.
    case same
    /// Neither lies inside the proven range, so nothing can be said.
    case unknown
    /// They contradict each other.
    case different

    /// Of both sides together: one that contradicts decides, then one that can be compared.
    func and(_ other: Agreement) -> Agreement {
        if self == .different || other == .different { return .different }
        return self == .same || other == .same ? .same : .unknown
    }
}

extension SymbolBook {
    /// A ticker: compared at once if the book stands at its id, remembered if it is ahead.
    func receive(_ ticker: BookTicker) {
        if !isPlausible(ticker.updateID) {
            counters.implausible += 1
            return
        }
        guard let id = main.sync.lastID, ticker.updateID <= id else {
            if !tickers.remember(ticker) { counters.tickersEvicted += 1 }
            return noteAhead(ticker.updateID)
        }
        if ticker.updateID != id { return }
        judgeTicker(bid: ticker.bid, ask: ticker.ask, scales: ticker.scales)
        judge()
    }

    /// A partial-depth frame: likewise.
    func receivePartial(_ partial: borrowing DepthSnapshot) {
        if !isPlausible(partial.lastUpdateID) {
            counters.implausible += 1
            return
        }
        guard let id = main.sync.lastID, partial.lastUpdateID <= id else {
            partials.remember(partial)
            return noteAhead(partial.lastUpdateID)
        }
        if partial.lastUpdateID != id { return }
        guard let scales = partial.scales else { return }
        judgePartial(bids: partial.bids.array(), asks: partial.asks.array(), scales: scales)
        judge()
    }

    /// On spot all ids are of one sequence: what is ahead for too long proves that updates are missing.
    private func noteAhead(_ id: UpdateID) {
        if configuration.market != .spot || shared.defect.ignoresEvidenceAhead { return }
        ahead.note(id, nowNs: shared.nowNs)
        guard let sinceNs = ahead.sinceNs, main.sync.lastID != nil else { return }
        if shared.nowNs &- sinceNs > aheadLimitNs { settleAhead() }
        wake(atNs: sinceNs &+ aheadLimitNs)
    }

    /// Compares the remembered ticker of the id that the book has just reached, if there is one.
    func compareRememberedTicker(_ id: UpdateID) {
        guard let entry = tickers.take(at: id) else { return }
        judgeTicker(bid: entry.bid, ask: entry.ask, scales: entry.scales)
    }

    /// Compares the remembered partial depth of the id that the book has just reached, if there is one.
    func compareRememberedPartial(_ id: UpdateID) {
        guard let entry = partials.take(at: id) else { return }
        judgePartial(bids: entry.bids, asks: entry.asks, scales: entry.scales)
    }

    private func judgeTicker(bid: PriceLevel, ask: PriceLevel, scales: SymbolScales) {
        guard !main.sync.isCollecting, let own = main.book.scales else { return }
        let (venueBid, venueAsk) = (inOwnScales(bid, scales, own), inOwnScales(ask, scales, own))
        guard let venueBid, let venueAsk else {
            counters.tickersCompared += 1
            return contradictedBy(VenueMismatch.ticker(main.book, bid, ask, scales))
        }
        let sides = (agreement(.bid, venueBid), agreement(.ask, venueAsk))
        switch sides.0.and(sides.1) {
        case .unknown: break
        case .same:
            counters.tickersCompared += 1
            counters.tickersAgreed += 1
            if sides.0 == sides.1 { proved(by: .top) }
        case .different:
            counters.tickersCompared += 1
            contradictedBy(VenueMismatch.ticker(main.book, venueBid, venueAsk, own))
        }
    }

    private func judgePartial(bids: [PriceLevel], asks: [PriceLevel], scales: SymbolScales) {
        guard !main.sync.isCollecting, let own = main.book.scales else { return }
        let venueBids = bids.compactMap { inOwnScales($0, scales, own) }
        let venueAsks = asks.compactMap { inOwnScales($0, scales, own) }
        let isExact = venueBids.count == bids.count && venueAsks.count == asks.count
        let sides = (agreement(.bid, venueBids), agreement(.ask, venueAsks))
        switch isExact ? sides.0.and(sides.1) : .different {
        case .unknown: break
        case .same:
            counters.partialsCompared += 1
            counters.partialsAgreed += 1
            if sides.0 == sides.1 { proved(by: .top) }
        case .different:
            counters.partialsCompared += 1
            contradictedBy(VenueMismatch.partial(main.book, bids, asks, scales))
        }
    }

    /// A level of the venue in the book's decimals; nil if it needs more of them, and so is no level of ours.
    private func inOwnScales(_ level: PriceLevel, _ scales: SymbolScales, _ own: SymbolScales) -> PriceLevel?
    {
        scales == own ? level : level.scaled(from: scales, to: own)
    }

    /// Whether the venue's best level of a side can be true if ours is. Two that differ contradict each other
    /// if either lies inside the proven range: there ours exists, and the venue's would not be missing.
    private func agreement(_ side: Side, _ venue: PriceLevel) -> Agreement {
        let own = side == .bid ? main.book.bestBid : main.book.bestAsk
        let best = venue.quantity == .zero ? nil : venue
        if own == best { return main.book.hasProvenBest(side) ? .same : .unknown }
        return isProven(side, own) || isProven(side, best) ? .different : .unknown
    }

    private func isProven(_ side: Side, _ level: PriceLevel?) -> Bool {
        level.map { main.book.isProven(side, $0.price) } ?? false
    }

    /// Level by level from the best one, until the venue's leave the proven range or end.
    private func agreement(_ side: Side, _ levels: [PriceLevel]) -> Agreement {
        if levels.isEmpty { return agreement(side, PriceLevel(0, 0)) }
        if !isProven(side, levels[0]) && !main.book.hasProvenBest(side) { return .unknown }
        var index = 0
        var same = true
        main.book.forEachLevel(side) { level in
            if index >= levels.count { return false }
            if !main.book.isProven(side, levels[index].price) {
                same = !main.book.isProven(side, level.price)
                return false
            }
            same = levels[index] == level
            index += 1
            return same
        }
        let isDone = index >= levels.count || !main.book.isProven(side, levels[index].price)
        return same && isDone ? .same : .different
    }

    private func contradictedBy(_ mismatch: VenueMismatch) {
        if !mismatches.contains(where: { $0.check == mismatch.check }) {
            mismatches.append(mismatch)
        }
        if configuration.mismatchPolicy == .count || shared.defect.ignoresContradiction { return }
        if needsProof || isBelievedUnproven { shared.refuted() }
        restart(.mismatch)
    }
}
