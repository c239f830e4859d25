// What the owner of an engine may read on the book thread; other threads use the mailboxes.

import DepthBook
import FeedPlan
import LobHandoff
import MarketData

extension BookEngine {
    /// Adds a symbol, spelt as the venue does in its messages (upper case); its first request follows when a
    /// connection is up.
    ///
    /// - Returns: its slot, also if it was there already; nil if the engine holds `symbolCountMax` symbols.
    @discardableResult
    public mutating func addSymbol(_ name: SymbolName) -> Int? {
        let held = table.slot(of: name)
        if held >= 0 { return held }
        if books.count >= configuration.symbolCountMax { return nil }
        let slot = table.add(name)
        let book = SymbolBook(name, shared)
        books.append(book)
        wakes.append(0)
        if let source = shared.connections.newest { book.connected(source) }
        note(slot)
        return slot
    }

    /// Symbols in the order in which they were added.
    public var symbols: [SymbolName] { table.names }

    /// The status of a symbol, nil if the engine does not hold it.
    public borrowing func status(_ name: SymbolName) -> SymbolStatus? {
        let slot = table.slot(of: name)
        if slot < 0 { return nil }
        return books[slot].status
    }

    /// Calls `body` with the served book of a symbol; nil if the engine does not hold it.
    public borrowing func withBook<R>(_ name: SymbolName, _ body: (borrowing OrderBook) throws -> R) rethrows
        -> R?
    {
        let slot = table.slot(of: name)
        if slot < 0 { return nil }
        return try body(books[slot].served.book)
    }

    /// The connection whose updates a symbol's book follows, nil if there is none.
    package borrowing func source(of name: SymbolName) -> UInt16? {
        let slot = table.slot(of: name)
        return slot < 0 ? nil : books[slot].source.connection
    }

    /// Symbol and last id of the depth update in the last frame, if that was one.
    package var lastUpdate: (symbol: SymbolName, last: UpdateID) {
        (parser.update.symbol, parser.update.last)
    }

    /// The mailbox in which the views of a symbol appear, for any number of readers on any thread; nil if the
    /// engine does not hold it. A view says by itself how far it can be trusted and how old it is.
    public borrowing func views(of name: SymbolName) -> LatestValueReader<BookView>? {
        let slot = table.slot(of: name)
        return slot < 0 ? nil : books[slot].mailboxes.views
    }

    /// The mailbox in which the best bid and ask of a symbol appear, as `views(of:)` and with the same
    /// versions, in a tenth of the bytes.
    public borrowing func tops(of name: SymbolName) -> LatestValueReader<TopOfBook>? {
        let slot = table.slot(of: name)
        return slot < 0 ? nil : books[slot].mailboxes.tops
    }

    /// The mailbox in which the status of a symbol appears every `statusEveryNs`, as `views(of:)`.
    public borrowing func statuses(of name: SymbolName) -> LatestValueReader<SymbolStatus>? {
        let slot = table.slot(of: name)
        return slot < 0 ? nil : books[slot].mailboxes.statuses
    }

    /// The mailbox in which the engine's counters appear every `statusEveryNs`.
    public borrowing func counterReadings() -> LatestValueReader<EngineCounters> { countersReader }

    /// Where a symbol's request for a snapshot stands among those of equal priority. O(slots / 8).
    public borrowing func snapshotRank(of name: SymbolName) -> SnapshotRank {
        let slot = table.slot(of: name)
        if slot < 0 { return SnapshotRank() }
        return books[slot].snapshotRank
    }

    /// Begins an audit of a symbol, as the audit period would.
    public mutating func audit(_ name: SymbolName, atNs: Int64) {
        let slot = table.slot(of: name)
        if slot >= 0 { books[slot].startCandidate(.audit) }
    }
}
