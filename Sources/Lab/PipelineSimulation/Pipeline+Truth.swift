// Compares a live book with the true one at its id: every proven level, and the best prices that readers see.
//
// A false snapshot may put a wrong level into a book, which nobody can see at once. The level is tolerated
// until an audit must have found it, unless the venue's own ticker with that very id contradicts it.

import BookEngine
import DepthBook
import MarketData
import SimulatedExchange

extension Pipeline {
    /// How long a wrong level from a false snapshot may stay while the venue answers.
    var auditBoundUs: Int64 { Int64(plan.auditEverySeconds) * 1_500_000 + 20_000_000 }

    /// Compares a live book with the true book at its id.
    ///
    /// - Parameter isKnown: whether it was compared at this id before; then the venue may have forgotten the
    ///   id.
    func compare(_ index: Int, _ status: SymbolStatus, isKnown: Bool, atUs: Int64) {
        let symbol = symbols[index]
        let view = checker.symbols[index].view
        if let bid = view.bestBid, let ask = view.bestAsk, bid.price >= ask.price, view.state == .live {
            violated(
                .crossed, symbol, "live at \(view.lastUpdateID) and crossed, \(bid.price) / \(ask.price)")
        }
        let isFormer = engine.source(of: symbol).map { formerSources.contains($0) } ?? false
        // A book made from a snapshot alone may be from after the restart although its connection is from
        // before it.
        let readings = [isFormer, !isFormer].compactMap { reading(symbol, status, view, $0) }
        let right = readings.first { $0.levels == nil && $0.best == nil }
        guard let found = right ?? readings.first else {
            if isKnown { return }
            let oldest = venue.oldestKnownID(of: symbol)
            return violated(
                .levels, symbol,
                "live at \(status.lastUpdateID), unknown to the venue, whose oldest is \(oldest?.value ?? 0)")
        }
        outcome.comparisons += 1
        judge(index, levels: found.levels, best: found.best, atUs: atUs)
    }

    /// What is wrong with a book, judged by the venue before or after its restart; nil if that venue does not
    /// know the book's id.
    private func reading(
        _ symbol: SymbolName, _ status: SymbolStatus, _ view: BookView, _ isFormer: Bool
    ) -> (levels: String?, best: String?)? {
        venue.withTruth(of: symbol, at: status.lastUpdateID, isFormer: isFormer) { truth in
            engine.withBook(symbol) { book in
                (levelDifference(book, truth), bestDifference(view, truth))
            }
        } ?? nil
    }

    private func judge(_ index: Int, levels: String?, best: String?, atUs: Int64) {
        let symbol = symbols[index]
        let id = checker.symbols[index].view.lastUpdateID
        guard let what = levels ?? best else {
            if plan.measured == .corrupted { mendFault(atUs: atUs) }
            if let poisonedUs = checker.symbols[index].poisonedUs, atUs > poisonedUs + auditBoundUs {
                checker.symbols[index].poisonedUs = nil
            }
            return
        }
        if let best, checker.symbols[index].tickerID == id.value, checker.symbols[index].poisonedUs != nil {
            violated(.contradicted, symbol, "live at \(id), where a ticker says otherwise: \(best)")
        }
        guard let poisonedUs = checker.symbols[index].poisonedUs else {
            if let best { violated(.best, symbol, "live at \(id): \(best)") }
            if let levels { violated(.levels, symbol, "live at \(id): \(levels)") }
            return
        }
        if plan.measured == .corrupted { beginFault(index, atUs: atUs) }
        if atUs > poisonedUs + auditBoundUs {
            violated(
                .audit, symbol,
                "live at \(id), \((atUs - poisonedUs) / 1_000_000) s after a false snapshot: "
                    + what)
        }
    }

    func levelDifference(_ book: borrowing OrderBook, _ truth: borrowing TrueBook) -> String? {
        guard let scales = book.scales else { return "live without a level" }
        if book.proven(.bid) == .nothing || book.proven(.ask) == .nothing { return "live without a proof" }
        var comparison = TruthComparison(copy truth, scales)
        for side in Side.allCases {
            comparison.compare(side, proven: book.proven(side)) { body in book.forEachLevel(side, body) }
        }
        outcome.comparedLevels += comparison.levelCount
        return comparison.difference
    }

    private func bestDifference(_ view: BookView, _ truth: borrowing TrueBook) -> String? {
        guard let factors = truth.factors(to: view.scales) else { return nil }
        for side in Side.allCases {
            let own = side == .bid ? view.bestBid : view.bestAsk
            let proven = side == .bid ? view.provenBids : view.provenAsks
            guard let own else { return "no best \(side)" }
            if !proven.reaches(own.price, on: side) { return "best \(side) \(own.price) is not proven" }
            guard let best = truth[side].best else { return "the venue has no \(side)" }
            let wanted = PriceLevel(
                best.price.mantissa * factors.price, best.quantity.mantissa * factors.quantity)
            if own != wanted { return "best \(side) is \(own), the venue's \(wanted)" }
        }
        return nil
    }
}
