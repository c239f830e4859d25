// What is wrong with a symbol at the end of a replay, in words: the reasons for exit status 2.

import BookEngine
import DepthBook
import MarketData

extension ReplayReport {
    /// One line for each thing that is wrong with a symbol.
    func complaints(_ symbol: ReplayedSymbol) -> [String] {
        let name = symbol.status.symbol
        let c = symbol.status.counters
        var lines = symbol.mismatches.map { "\(name): \(text($0, c))" }
        if let mismatch = symbol.bodies.firstMismatch {
            lines.append("\(name): \(text(mismatch, symbol.bodies))")
        }
        if let missing = missing(symbol) { lines.append("\(name): \(missing)") }
        if symbol.status.state != .live, let incident = symbol.incident {
            lines.append("\(name): \(incident)")
        }
        if symbol.status.state == .live {
            for side in symbol.unprovenSides {
                lines.append("\(name): \(side == .bid ? "bids" : "asks"): no level is proven")
            }
        }
        if symbol.isCut { lines.append("\(name): levels were cut at --depth \(depth)") }
        if symbol.bodies.uncomparedCount > 0 {
            lines.append(
                "\(name): \(bodies(symbol.bodies.uncomparedCount)) could not be compared, updates between "
                    + "them and the book are not known")
        }
        if c.snapshotsRefuted > 0 {
            lines.append("\(name): \(counted(c.snapshotsRefuted, "snapshot")) contradicted its updates")
        }
        return lines
    }

    private func text(_ found: VenueMismatch, _ c: SymbolCounters) -> String {
        let count =
            switch found.check {
            case .ticker: "\(c.tickersCompared - c.tickersAgreed) of \(counted(c.tickersCompared, "ticker"))"
            case .partialDepth:
                "\(c.partialsCompared - c.partialsAgreed) of "
                    + counted(c.partialsCompared, "partial depth")
            }
        let rank = found.rank == 0 ? "" : ", level \(found.rank + 1)"
        return "\(count) disagreed, the first at update id \(found.at)\(rank): "
            + "venue \(text(found.venue, found.scales)), book \(text(found.book, found.scales))"
    }

    private func text(_ quote: VenueMismatch.Quote, _ scales: SymbolScales) -> String {
        func text(_ level: PriceLevel?) -> String {
            level.map { "\(scales.text($0.price)) × \(scales.text($0.quantity))" } ?? "none"
        }
        return "bid \(text(quote.bid)) ask \(text(quote.ask))"
    }

    private func text(_ found: BodyMismatch, _ all: SymbolBodies) -> String {
        func text(_ quantity: Quantity) -> String {
            quantity == .zero ? "none" : found.scales.text(quantity)
        }
        let difference = found.difference
        return "\(all.mismatches) of \(bodies(all.comparedCount)) contradicted the book, the first "
            + "(\(found.origin)) at update id \(found.at): \(found.side == .bid ? "bid" : "ask") "
            + "\(found.scales.text(difference.price)): body \(text(difference.other)), "
            + "book \(text(difference.own))"
    }

    private func bodies(_ count: Int) -> String { count == 1 ? "1 body" : "\(count) bodies" }

    /// Why a book was never live; nil if it was.
    private func missing(_ symbol: ReplayedSymbol) -> String? {
        let status = symbol.status
        guard status.state == .syncing else { return nil }
        let c = status.counters
        if c.applied + c.buffered + c.discarded == 0 { return "no depth update to build a book from" }
        if c.snapshots > 0 || c.snapshotsTooOld > 0 || c.rescales > 0 {
            return "none of its depth updates continues the snapshot"
        }
        if c.snapshotsRefuted > 0 { return nil }
        let top = symbol.topOnly
        let frames =
            top.count == 0
            ? ""
            : "\(bodies(top.count)) of \(top.levels) levels a side: taken for frames of a raw partial depth "
                + "stream, not for REST bodies; "
        return "no snapshot; \(frames)give one with --snapshot \(status.symbol)=FILE"
    }
}
