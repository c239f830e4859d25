// What an engine's owner may read on the book thread; other threads use the mailboxes.

import DepthBook
import FeedPlan
import LobHandoff
import MarketData

extension BookEngine {
    /// Adds a symbol, spelt as in the venue's messages (upper case); its first request follows once a
    /// connection is up.
    ///
    /// - Returns: its slot, even if it was already there; nil if the engine holds `symbolCountMax` symbols.
    @discardableResult
    public mutating func addSymbol(_ name: SymbolName) -> Int? {
        let held = table.slot(of: name)
        if held >= 0 { return held }
        if books.count >= configuration.symbolCountMax { return nil }
        let slot = table.add(name)
        let book = SymbolBook(name, shared)
        books.append(book)
        wakes.append(0)
        hot.append(HotLines())
        hints.add(name)
        if let source = shared.connections.newest { book.connected(source, isRefused: false) }
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

    /// Symbol and last id of the last frame, if it was a depth update.
    package var lastUpdate: (symbol: SymbolName, last: UpdateID) {
        (parser.update.symbol, parser.update.last)
    }

    /// The last frame, if it was a ticker.
    package var lastTicker: BookTicker { parser.ticker }

    /// The mailbox of a symbol's views, for any number of readers on any thread; nil if the engine does not
    /// hold it. A view states how far it can be trusted and how old it is.
    public borrowing func views(of name: SymbolName) -> LatestValueReader<BookView>? {
        let slot = table.slot(of: name)
        return slot < 0 ? nil : books[slot].mailboxes.views
    }

    /// The mailbox of a symbol's best bid and ask, like `views(of:)` and with the same versions, in a tenth
    /// of the bytes.
    public borrowing func tops(of name: SymbolName) -> LatestValueReader<TopOfBook>? {
        let slot = table.slot(of: name)
        return slot < 0 ? nil : books[slot].mailboxes.tops
    }

    /// The mailbox of a symbol's status, published every `statusEveryNs`, like `views(of:)`.
    public borrowing func statuses(of name: SymbolName) -> LatestValueReader<SymbolStatus>? {
        let slot = table.slot(of: name)
        return slot < 0 ? nil : books[slot].mailboxes.statuses
    }

    /// The mailbox of the engine's counters, published every `statusEveryNs`.
    public borrowing func counterReadings() -> LatestValueReader<EngineCounters> { countersReader }

    /// Rank of a symbol's snapshot request among those of equal priority. O(slots / 8).
    public borrowing func snapshotRank(of name: SymbolName) -> SnapshotRank {
        let slot = table.slot(of: name)
        if slot < 0 { return SnapshotRank() }
        return books[slot].snapshotRank
    }

    /// Starts an audit of a symbol, as the audit schedule would.
    public mutating func audit(_ name: SymbolName, atNs: Int64) {
        let slot = table.slot(of: name)
        if slot >= 0 { books[slot].startCandidate(.audit) }
    }
}
