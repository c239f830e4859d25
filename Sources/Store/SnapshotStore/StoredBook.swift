// A full snapshot of a book, as it is kept.

import DepthBook
import MarketData

/// A book at one update id, and why it was kept.
package struct StoredBook: Hashable, Sendable {
    /// Why a book was kept.
    package enum Cause: String, Hashable, Sendable, CaseIterable {
        /// It was its turn.
        case period
        /// Somebody asked for it.
        case asked
        /// The run ended.
        case end
        /// An audit found a difference: this is the served book.
        case audited
        /// An audit found a difference: this is the venue's snapshot, brought to the same update id.
        case venue
    }

    /// Whose it is.
    package var symbol: SymbolName
    /// When it was taken, in nanoseconds since 1970.
    package var atNs: Int64
    /// Why it was kept.
    package var cause: Cause
    /// How far it could be trusted.
    package var state: BookState
    /// Why it was stale.
    package var reason: StaleReason
    /// Id, times, decimals, levels and how far they are proven.
    package var book: BookImage

    /// A snapshot of these parts.
    ///
    /// - Parameters:
    ///   - symbol: whose it is.
    ///   - atNs: when it was taken.
    ///   - cause: why it was kept.
    ///   - state: how far it could be trusted.
    ///   - reason: why it was stale.
    ///   - book: the book.
    package init(
        _ symbol: SymbolName, atNs: Int64, cause: Cause, state: BookState, reason: StaleReason,
        book: BookImage
    ) {
        (self.symbol, self.atNs, self.cause) = (symbol, atNs, cause)
        (self.state, self.reason, self.book) = (state, reason, book)
    }

    /// The standard checksum of its best levels.
    package var checksum: UInt32 {
        BookChecksum.standard.value(
            bids: book.bids, asks: book.asks,
            scales: book.scales ?? SymbolScales(priceDecimals: 0, quantityDecimals: 0))
    }

    /// Bytes that it occupies while it waits for the disk.
    var waitingBytes: Int { 256 + 16 * (book.bids.count + book.asks.count) }
}
