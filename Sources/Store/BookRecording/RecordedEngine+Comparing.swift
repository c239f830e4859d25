// What a replay holds against its books besides digests: copies, and snapshots that the engine does not get.
//
// Where the frames alone have made every book, a copy is the book to the last level. Behind a hole, or from
// the middle of a run, snapshots are left out: what they led to depends on what is missing. A copy may then
// say more than the book, as a deepening does, but at the same id it says nothing else inside what is proven
// of both. A copy behind a time in which the recorder did not believe its book may be any other book.
//
// SAFETY: bytes of a frame are read during the call that lends them.

import BinanceVenue
import BookEngine
import BookSync
import DepthBook
import LobHandoff
import MarketData

extension RecordedEngine {
    /// What a copy is beside the book that the frames have made.
    enum CopyComparison: Hashable {
        /// They cannot be compared.
        case none
        /// The same.
        case same
        /// The same, as far as both are proven.
        case deeper
        /// Another book.
        case different
    }

    /// Compares a copy with the book of its symbol.
    func compare(_ image: ServedImage, _ slot: Int) -> CopyComparison {
        if !isKnown[slot] { return .none }
        let own = engine?.image(of: image.symbol)
        let isSameID = own?.book.lastUpdateID == image.book.lastUpdateID
        if isSameID && own?.book.digest == image.book.digest { return .same }
        if isExact { return .different }
        if !isSameID || wasDoubted[slot] { return .none }
        var other = OrderBook(levelCountMax: max(image.book.bids.count, image.book.asks.count, 1))
        other.restore(image.book)
        return agrees(image.symbol, with: &other) ? .deeper : .different
    }

    /// Whether a book says the same as that of its symbol, as far as both are proven.
    private func agrees(_ symbol: SymbolName, with other: inout OrderBook) -> Bool {
        guard let scales = withBook(symbol, { $0.scales }) ?? nil, let theirs = other.scales else {
            return true
        }
        if scales != theirs && !other.widen(to: scales.widened(by: theirs)) { return true }
        // The decimals of the venue have changed between the two.
        if other.scales != scales { return true }
        return withBook(symbol) { book in
            var comparison = BookComparison()
            return comparison.advance(book, other) == .equal
        } ?? true
    }

    /// Compares a snapshot of the venue that the engine does not get, where the book stands at its id.
    mutating func compare(snapshot frame: Frame) {
        guard let envelope = SnapshotEnvelope(unsafe frame.bytes.span), isTrusted(envelope.symbol),
            let id = mark(of: envelope.symbol)?.lastUpdateID
        else { return }
        do throws(ParseError) {
            try unsafe parser.parseSnapshot(
                UnsafeBufferPointer(rebasing: frame.bytes[SnapshotEnvelope.length...]),
                readableAfter: frame.readableAfter)
        } catch { return }
        if parser.snapshot.lastUpdateID != id { return }
        var other = OrderBook(levelCountMax: max(parser.snapshot.bids.count, parser.snapshot.asks.count, 1))
        other.load(parser.snapshot, limit: envelope.limit == 0 ? nil : envelope.limit)
        counters.snapshotsCompared += 1
        if agrees(envelope.symbol, with: &other) {
            counters.snapshotsAgreed += 1
        } else {
            mismatch(envelope.symbol, frame.receivedAtNs, "a snapshot at update \(id) is another book")
        }
    }
}
