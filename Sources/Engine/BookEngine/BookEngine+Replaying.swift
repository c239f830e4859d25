// What a replay of captures needs from an engine and a live feed does not: the state of a book after each
// frame, the last update, and restarting a symbol.

import BookSync
import DepthBook
import MarketData

/// State of a symbol, for a caller that checks after every frame.
package struct BookMark: Hashable, Sendable {
    /// How far the book is trusted.
    package var state: BookState
    /// Why it is stale.
    package var reason: StaleReason
    /// Update id of the book.
    package var lastUpdateID: UpdateID
    /// Times an update was found missing.
    package var gaps: Int
    /// Messages whose decimals differed from the book's.
    package var rescales: Int
}

extension SymbolBook {
    /// Its current state.
    var mark: BookMark {
        BookMark(
            state: state, reason: reason, lastUpdateID: served.book.lastUpdateID, gaps: counters.gaps,
            rescales: counters.rescales)
    }

    /// Takes over the mailboxes, counters and reports of a symbol being restarted.
    func inherit(_ former: SymbolBook) {
        counters = former.counters
        crossChecks.replaces(former.crossChecks)
        mailboxes.replaces(former.mailboxes)
    }
}

extension BookEngine {
    /// State of a symbol, nil if the engine does not hold it. O(1).
    package borrowing func mark(of name: SymbolName) -> BookMark? {
        let slot = table.slot(of: name)
        if slot < 0 { return nil }
        return books[slot].mark
    }

    /// The slot of a symbol, -1 if the engine does not hold it. O(1).
    package borrowing func place(of name: SymbolName) -> Int { table.slot(of: name) }

    /// State of the symbol in a slot.
    package borrowing func mark(at slot: Int) -> BookMark { books[slot].mark }

    /// The engine-wide number of the last loss of the book in a slot.
    package borrowing func lossNumber(at slot: Int) -> Int { books[slot].loss.number }

    /// Calls `body` with the served book in a slot.
    package borrowing func withBook<R>(at slot: Int, _ body: (borrowing OrderBook) -> R) -> R {
        body(books[slot].served.book)
    }

    /// Symbol, ids and event time in microseconds of the last frame, if it was a depth update.
    package var lastDepthUpdate: (symbol: SymbolName, ids: UpdateRange, timeUs: Int64) {
        (parser.update.symbol, UpdateRange(parser.update), parser.update.eventTimeUs)
    }

    /// Calls `body` with the depth update in the last frame, if it was one, and with the position of its
    /// stream name in the frame's bytes; nil without a wrapper.
    package borrowing func withLastUpdate<R>(_ body: (borrowing DepthUpdate, Range<Int>?) -> R) -> R {
        body(parser.update, parser.stream)
    }

    /// Restarts a symbol as if nothing were known about it; its counters continue. Readers created before
    /// receive nothing more.
    package mutating func reset(_ name: SymbolName) {
        let slot = table.slot(of: name)
        if slot < 0 { return }
        let book = SymbolBook(name, shared)
        book.inherit(books[slot])
        books[slot] = book
        if let source = shared.connections.newest { book.connected(source, isRefused: false) }
        note(slot)
    }
}
