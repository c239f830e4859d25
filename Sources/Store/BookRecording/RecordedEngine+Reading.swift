// Read access to a replay.

import BookEngine
import DepthBook
import LobRecording
import MarketData

extension RecordedEngine {
    /// State of a symbol; nil if it is not known.
    package borrowing func mark(of symbol: SymbolName) -> BookMark? {
        switch engine {
        case .some(let engine): engine.mark(of: symbol)
        case nil: nil
        }
    }

    /// The status of a symbol; nil if it is not known.
    package borrowing func status(of symbol: SymbolName) -> SymbolStatus? {
        switch engine {
        case .some(let engine): engine.status(symbol)
        case nil: nil
        }
    }

    /// Calls `body` with the book of a symbol; nil if it is not known.
    package borrowing func withBook<R>(_ symbol: SymbolName, _ body: (borrowing OrderBook) -> R) -> R? {
        switch engine {
        case .some(let engine): engine.withBook(symbol, body)
        case nil: nil
        }
    }

    /// Counters of a symbol over all runs of the recorder.
    package borrowing func totals(of symbol: SymbolName) -> SymbolCounters {
        var totals = former[symbol]?.status.counters ?? SymbolCounters()
        if let counters = status(of: symbol)?.counters { totals.add(counters) }
        return totals
    }

    /// Symbols of earlier runs that the last run lacks, by name.
    package var departed: [Former] {
        former.values.filter { slots[$0.status.symbol] == nil }
            .sorted { "\($0.status.symbol)" < "\($1.status.symbol)" }
    }

    /// Whether a symbol's book is live here and was when recorded. A replay that starts midway knows less of
    /// the past than the recorder did, and must not trust more.
    package borrowing func isTrusted(_ symbol: SymbolName) -> Bool {
        guard let slot = slots[symbol] else { return false }
        return isKnown[slot] && (isExact || !isDoubted[slot]) && mark(of: symbol)?.state == .live
    }

    /// Delivers the symbols whose books or trust may have changed since the last call.
    package mutating func takeChanged(_ body: (SymbolName) -> Void) {
        guard let names = engine?.symbols else { return }
        engine?.takeChanged { slot in body(names[slot]) }
        // The recorder's trust is not a change in the engine.
        for slot in turned.sorted() where symbols.indices.contains(slot) { body(symbols[slot]) }
        turned.removeAll(keepingCapacity: true)
    }

    /// Number of times a symbol's book was replaced.
    package borrowing func replacementCount(of symbol: SymbolName) -> Int {
        switch engine {
        case .some(let engine): engine.replacementCount(of: symbol)
        case nil: 0
        }
    }

    /// Calls `body` with the depth update of the last message, if it was one.
    package borrowing func withLastUpdate(_ body: (borrowing DepthUpdate) -> Void) {
        switch engine {
        case .some(let engine): engine.withLastUpdate { update, _ in body(update) }
        case nil: break
        }
    }
}
