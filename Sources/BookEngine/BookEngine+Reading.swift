// What the owner of an engine, on the book thread, may look at; other threads use the mailboxes.

import BinanceDepth
import DepthBook
import Handoff
import MarketData

/// What an engine knows of one symbol, as a copy.
public struct SymbolStatus: Sendable {
    /// Name.
    public var symbol: SymbolName
    /// How far the book can be trusted.
    public var state: BookState
    /// Why it is stale.
    public var reason: StaleReason
    /// Update id of the book.
    public var lastUpdateID: UpdateID
    /// Decimals of the book; nil until its first level.
    public var scales: SymbolScales?
    /// How far the bids are known.
    public var provenBids: ProvenRange
    /// How far the asks are known.
    public var provenAsks: ProvenRange
    /// What happened.
    public var counters: SymbolCounters
    /// Bytes of messages that wait for a snapshot.
    public var bufferedBytes: Int
    /// When the last event was received, in nanoseconds; 0 if none was.
    public var lastEventAtNs: Int64
    /// The usual time between two events, smoothed over sixteen.
    public var usualIntervalNs: Int64
    /// The last difference an audit found.
    public var lastDifference: AuditDifference?
}

extension BookEngine {
    /// Adds a symbol; its first wish follows when a connection is up.
    ///
    /// - Returns: its slot, also if it was there already; nil if the engine holds `symbolCountMax` symbols.
    @discardableResult
    public mutating func addSymbol(_ name: SymbolName) -> Int? {
        let held = table.slot(of: name)
        if held >= 0 { return held }
        if books.count >= configuration.symbolCountMax { return nil }
        let slot = table.add(name)
        let book = SymbolBook(name, configuration, defect)
        books.append(book)
        if let source = connections.newest {
            book.source = source
            book.subscribe(&wishes)
        }
        return slot
    }

    /// Symbols in the order in which they were added.
    public var symbols: [SymbolName] { table.names }

    /// The status of a symbol, nil if the engine does not hold it.
    public borrowing func status(_ name: SymbolName) -> SymbolStatus? {
        let slot = table.slot(of: name)
        if slot < 0 { return nil }
        let symbol = books[slot]
        return SymbolStatus(
            symbol: name, state: symbol.state, reason: symbol.reason,
            lastUpdateID: symbol.main.book.lastUpdateID, scales: symbol.main.book.scales,
            provenBids: symbol.main.book.provenBids, provenAsks: symbol.main.book.provenAsks,
            counters: symbol.counters,
            bufferedBytes: symbol.main.buffer.byteCount + (symbol.shadow?.buffer.byteCount ?? 0),
            lastEventAtNs: symbol.lastEventAtNs, usualIntervalNs: symbol.usualIntervalNs,
            lastDifference: symbol.lastDifference)
    }

    /// Lets `body` look at the served book of a symbol; nil if the engine does not hold it.
    public borrowing func withBook<R>(_ name: SymbolName, _ body: (borrowing OrderBook) throws -> R) rethrows
        -> R?
    {
        let slot = table.slot(of: name)
        if slot < 0 { return nil }
        return try body(books[slot].main.book)
    }

    /// The mailbox in which the views of a symbol appear, for any number of readers on any thread.
    public borrowing func views(of name: SymbolName) -> LatestValueReader<BookView>? {
        let slot = table.slot(of: name)
        return slot < 0 ? nil : books[slot].reader
    }

    /// Begins an audit of a symbol, as the period of the configuration would.
    public mutating func audit(_ name: SymbolName, atNs: Int64) {
        let slot = table.slot(of: name)
        if slot >= 0 { books[slot].startShadow(.audit, atNs: atNs, &wishes) }
    }
}
