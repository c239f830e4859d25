// What is wrong with a symbol at the end of a replay, in words: why the exit status is 2.

import BookEngine
import DepthBook
import MarketData

extension ReplayReport {
    /// A line for each thing that is wrong with a symbol.
    func complaints(_ symbol: ReplayedSymbol) -> [String] {
        let name = symbol.status.symbol
        let c = symbol.status.counters
        var lines = symbol.disagreements.map { "\(name): \(text($0, c))" }
        if let missing = missing(symbol.status) { lines.append("\(name): \(missing)") }
        if c.snapshotsRefuted > 0 {
            lines.append("\(name): \(counted(c.snapshotsRefuted, "snapshot")) contradicted its events")
        }
        return lines
    }

    private func text(_ found: OracleDisagreement, _ c: SymbolCounters) -> String {
        let count =
            switch found.oracle {
            case .ticker: "\(c.tickersCompared - c.tickersAgreed) of \(counted(c.tickersCompared, "ticker"))"
            case .partialDepth:
                "\(c.partialsCompared - c.partialsAgreed) of "
                    + counted(c.partialsCompared, "partial depth")
            }
        let rank = found.rank == 0 ? "" : ", level \(found.rank + 1)"
        return "\(count) disagreed, the first at update id \(found.at)\(rank): "
            + "venue \(text(found.venue, found.scales)), book \(text(found.book, found.scales))"
    }

    private func text(_ quote: OracleDisagreement.Quote, _ scales: SymbolScales) -> String {
        func text(_ level: PriceLevel?) -> String {
            level.map { "\(scales.text($0.price)) × \(scales.text($0.quantity))" } ?? "none"
        }
        return "bid \(text(quote.bid)) ask \(text(quote.ask))"
    }

    /// Why a book has never been live; nil if it has been.
    private func missing(_ status: SymbolStatus) -> String? {
        guard status.state == .syncing else { return nil }
        let c = status.counters
        if c.applied + c.buffered + c.discarded == 0 { return "no depth event to build a book from" }
        if c.snapshots > 0 || c.snapshotsTooOld > 0 {
            return "none of its depth events continues the snapshot"
        }
        if c.snapshotsRefuted > 0 { return nil }
        return "no snapshot; give one with --snapshot \(status.symbol)=FILE"
    }
}
