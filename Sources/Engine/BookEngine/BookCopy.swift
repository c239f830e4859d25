// A served book as a value, and how an engine uses one in place of a venue snapshot.
//
// Levels and ids are taken from the book directly, so nothing is rounded or printed on the way. Only proven
// levels are copied. A snapshot states one limit for both sides, and a shorter side counts as complete; the
// limit of a copy is the length of the shorter side that is known only down to a price, so no side ever
// claims more than the book did. A complete side may claim less: it then counts as known down to its last
// level.
//
// Worst case: O(levels), with two allocations.

import BinanceVenue
import BookSync
import DepthBook
import MarketData

/// The proven levels of a live book at one update id.
public struct BookCopy: Sendable {
    /// Symbol of the book.
    public let symbol: SymbolName
    /// Update id of the book.
    public let lastUpdateID: UpdateID
    /// Venue's event time of this state in microseconds; 0 if unknown.
    public let eventTimeUs: Int64
    /// Decimals of the levels; nil if there are none.
    public let scales: SymbolScales?
    /// How far the bids were known.
    public let provenBids: ProvenRange
    /// How far the asks were known.
    public let provenAsks: ProvenRange
    /// All proven bids, best first.
    public let bids: [PriceLevel]
    /// All proven asks, best first.
    public let asks: [PriceLevel]
    /// The last tick the engine had processed.
    package let tickNs: Int64

    init(_ symbol: SymbolName, _ book: borrowing OrderBook, tickNs: Int64, claimsAll: Bool = false) {
        self.symbol = symbol
        self.tickNs = tickNs
        lastUpdateID = book.lastUpdateID
        eventTimeUs = book.eventTimeUs
        scales = book.scales
        provenBids = claimsAll ? .unbounded : book.provenBids
        provenAsks = claimsAll ? .unbounded : book.provenAsks
        bids = BookCopy.proven(.bid, book)
        asks = BookCopy.proven(.ask, book)
    }

    private static func proven(_ side: Side, _ book: borrowing OrderBook) -> [PriceLevel] {
        let range = book.proven(side)
        var levels: [PriceLevel] = []
        levels.reserveCapacity(book.provenLevelCount(side))
        book.forEachLevel(side) { level in
            if !range.reaches(level.price, on: side) { return false }
            levels.append(level)
            return true
        }
        return levels
    }

    /// The copy as a snapshot frame, as the venue might have sent it; nil if it has no levels.
    package func snapshotFrame(_ dialect: WireDialect) -> [UInt8]? {
        var snapshot = DepthSnapshot()
        snapshot.take(self)
        var encoder = MessageEncoder(dialect)
        do throws(EncoderError) { try encoder.append(snapshot) } catch { return nil }
        var bytes = SnapshotEnvelope(symbol: symbol, limit: limit ?? 0).bytes
        encoder.append(to: &bytes)
        return bytes
    }

    /// The limit with which these levels, as a snapshot, prove no more than the book did; nil if both sides
    /// are complete.
    var limit: Int? {
        let bounded = [(provenBids, bids.count), (provenAsks, asks.count)].filter { $0.0 != .unbounded }
        return bounded.map(\.1).min()
    }
}

extension DepthSnapshot {
    /// Loads the levels of a copy.
    fileprivate mutating func take(_ copy: BookCopy) {
        reset()
        symbol = copy.symbol
        lastUpdateID = copy.lastUpdateID
        eventTimeUs = copy.eventTimeUs
        scales = copy.scales
        bids.assign(copy.bids)
        asks.assign(copy.asks)
    }
}

extension BookEngine {
    /// A copy of a live book; nil if the engine does not hold the symbol or does not trust its book, or not
    /// for long: what it still waits for would not be told with the copy. Thread: the book thread, between
    /// two frames. O(levels).
    public borrowing func copy(of name: SymbolName) -> BookCopy? {
        let slot = table.slot(of: name)
        if slot < 0 || !books[slot].isLastingly { return nil }
        return BookCopy(
            name, books[slot].served.book, tickNs: shared.clock.tickNs,
            claimsAll: shared.defect.copiesClaimAll)
    }

    /// Uses a copy of another engine's book as the requested snapshot.
    mutating func receive(_ copy: BookCopy) {
        let slot = table.slot(of: copy.symbol)
        if slot < 0 { return }
        parser.snapshot.take(copy)
        books[slot].receiveSnapshot(&parser, limit: copy.limit)
        note(slot)
        if shared.takeVerdict() { tellVerdict() }
    }

    /// A copy of a symbol's book was requested: messages may be needed from now on.
    mutating func copyRequested(of name: SymbolName) {
        let slot = table.slot(of: name)
        if slot < 0 { return }
        books[slot].snapshotAnnounced()
        note(slot)
    }

    /// The copied engine has learnt more of a book.
    mutating func deepen(_ name: SymbolName) {
        let slot = table.slot(of: name)
        if slot < 0 { return }
        books[slot].startCandidate(.deepen)
        note(slot)
    }

    /// The copied engine has given up its own book.
    ///
    /// - Returns: whether there was a book to give up here too.
    mutating func distrust(_ name: SymbolName) -> Bool {
        let slot = table.slot(of: name)
        if slot < 0 || books[slot].served.sync.lastID == nil { return false }
        books[slot].restart(.audit)
        note(slot)
        return true
    }
}
