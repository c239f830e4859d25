// A stored full snapshot of a book.

import DepthBook
import MarketData

/// A book at one update id, and why it was stored.
package struct StoredBook: Hashable, Sendable {
    /// Why a book was stored.
    package enum Cause: String, Hashable, Sendable, CaseIterable {
        /// It was due.
        case period
        /// On request.
        case asked
        /// The run ended.
        case end
        /// An audit found a difference: this is the served book.
        case audited
        /// An audit found a difference: this is the venue's snapshot, brought to the same update id.
        case venue
    }

    /// Its symbol.
    package var symbol: SymbolName
    /// When it was taken, in nanoseconds since 1970.
    package var atNs: Int64
    /// Why it was stored.
    package var cause: Cause
    /// How far it could be trusted.
    package var state: BookState
    /// Why it was stale.
    package var reason: StaleReason
    /// Id, times, decimals, levels and proven ranges.
    package var book: BookImage

    /// A snapshot with these values.
    ///
    /// - Parameters:
    ///   - symbol: its symbol.
    ///   - atNs: when it was taken.
    ///   - cause: why it was stored.
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

    /// Bytes it occupies while waiting for the disk.
    var waitingBytes: Int { 256 + 16 * (book.bids.count + book.asks.count) }
}
