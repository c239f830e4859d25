// What a replay compares with its books: digests, copies, and snapshots that are withheld from the engine.
//
// Where frames alone have made every book, a copy equals the book to the last level. After a gap, or from the
// middle of a run, snapshots are withheld: their effect depends on what is missing. A copy may then know more
// than the book, as after a deepening, but at the same id it agrees inside both proven ranges. A copy after a
// period in which the recorder did not trust its book may be any other book.
//
// SAFETY: bytes of a frame are read only during the call that lends them.

import BinanceVenue
import BookEngine
import BookSync
import DepthBook
import LobHandoff
import MarketData

extension RecordedEngine {
    /// How a copy compares with the book that the frames have made.
    enum CopyComparison: Hashable {
        /// They cannot be compared.
        case none
        /// The same.
        case same
        /// The same, as far as both are proven.
        case deeper
        /// A different book.
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

    /// Whether a book agrees with its symbol's, as far as both are proven.
    private func agrees(_ symbol: SymbolName, with other: inout OrderBook) -> Bool {
        guard let scales = withBook(symbol, { $0.scales }) ?? nil, let theirs = other.scales else {
            return true
        }
        if scales != theirs && !other.widen(to: scales.widened(by: theirs)) { return true }
        // The venue's decimals changed between the two.
        if other.scales != scales { return true }
        return withBook(symbol) { book in
            var comparison = BookComparison()
            return comparison.advance(book, other) == .equal
        } ?? true
    }

    /// Compares digests with the books, as far as they are known.
    mutating func compare(_ digests: BookDigests, _ atNs: Int64) {
        for entry in digests.entries {
            let slot = Int(entry.symbol)
            guard symbols.indices.contains(slot) else {
                counters.unreadableRecords += 1
                continue
            }
            if !isWanted(symbols[slot]) { continue }
            guard isKnown[slot], isExact || isTrusted(symbols[slot]),
                let own = withBook(symbols[slot], { ($0.lastUpdateID, $0.digest()) })
            else {
                counters.digestsUnknown += 1
                continue
            }
            counters.digestsCompared += 1
            levelsAllowed -= levelsPerFrame == nil ? 0 : levelCount(symbols[slot])
            if own == (entry.lastUpdateID, entry.digest) {
                counters.digestsAgreed += 1
            } else {
                mismatch(
                    symbols[slot], atNs,
                    own.0 == entry.lastUpdateID
                        ? "another digest at update \(own.0)"
                        : "at update \(own.0) where the recording was at \(entry.lastUpdateID)")
            }
        }
    }

    private borrowing func levelCount(_ symbol: SymbolName) -> Int {
        withBook(symbol) { $0.bids.count + $0.asks.count } ?? 0
    }

    /// Compares a venue snapshot that is withheld from the engine, if the book stands at its id.
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
