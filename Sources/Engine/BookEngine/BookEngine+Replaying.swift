// What a replay of captures needs from an engine and a live feed does not: where a book stands after each
// frame, which update was the last, and to begin a symbol again.

import BookSync
import DepthBook
import MarketData

/// Where a symbol stands, for a caller that checks after every frame.
package struct BookMark: Hashable, Sendable {
    /// How far the book is believed.
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
    /// Where it stands.
    var mark: BookMark {
        BookMark(
            state: state, reason: reason, lastUpdateID: served.book.lastUpdateID, gaps: counters.gaps,
            rescales: counters.rescales)
    }

    /// Takes over what readers and people keep of a symbol that begins again.
    func inherit(_ former: SymbolBook) {
        counters = former.counters
        crossChecks.replaces(former.crossChecks)
        mailboxes.replaces(former.mailboxes)
    }
}

extension BookEngine {
    /// Where a symbol stands, nil if the engine does not hold it. O(1).
    package borrowing func mark(of name: SymbolName) -> BookMark? {
        let slot = table.slot(of: name)
        if slot < 0 { return nil }
        return books[slot].mark
    }

    /// The slot of a symbol, -1 if the engine does not hold it. O(1).
    package borrowing func place(of name: SymbolName) -> Int { table.slot(of: name) }

    /// Where the symbol of a slot stands.
    package borrowing func mark(at slot: Int) -> BookMark { books[slot].mark }

    /// Number of the last loss of the book in a slot among those of the engine.
    package borrowing func lossNumber(at slot: Int) -> Int { books[slot].loss.number }

    /// Calls `body` with the served book in a slot.
    package borrowing func withBook<R>(at slot: Int, _ body: (borrowing OrderBook) -> R) -> R {
        body(books[slot].served.book)
    }

    /// Symbol, ids and event time in microseconds of the depth update in the last frame, if that was one.
    package var lastDepthUpdate: (symbol: SymbolName, ids: UpdateRange, timeUs: Int64) {
        (parser.update.symbol, UpdateRange(parser.update), parser.update.eventTimeUs)
    }

    /// Calls `body` with the depth update in the last frame, if that was one, and with the place of the name
    /// of its stream among the bytes of the frame; nil without wrapper.
    package borrowing func withLastUpdate<R>(_ body: (borrowing DepthUpdate, Range<Int>?) -> R) -> R {
        body(parser.update, parser.stream)
    }

    /// Begins a symbol again, as if nothing were known of it; its counters go on. Readers handed out before
    /// get nothing more.
    package mutating func beginAnew(_ name: SymbolName) {
        let slot = table.slot(of: name)
        if slot < 0 { return }
        let book = SymbolBook(name, shared)
        book.inherit(books[slot])
        books[slot] = book
        if let source = shared.connections.newest { book.connected(source) }
        note(slot)
    }
}
