// The first time the venue's statement about its top of book disagreed with ours. Kept for display; nothing
// depends on it.

import DepthBook
import MarketData

/// The venue's quote and the book's at the same update id.
public struct VenueMismatch: Hashable, Sendable {
    /// Source of the venue's statement.
    public enum Check: Hashable, Sendable {
        /// A `bookTicker`.
        case ticker
        /// A partial-depth frame.
        case partialDepth
    }

    /// Bid and ask of one rank; nil if the side has no such level.
    public struct Quote: Hashable, Sendable {
        /// The bid.
        public var bid: PriceLevel?
        /// The ask.
        public var ask: PriceLevel?
    }

    /// Source of the venue's statement.
    public var check: Check
    /// Update id of both.
    public var at: UpdateID
    /// The first rank at which they differ; 0 is the best price.
    public var rank: Int
    /// The venue's levels at that rank.
    public var venue: Quote
    /// The book's levels at that rank.
    public var book: Quote
    /// Decimals of both.
    public var scales: SymbolScales
}

extension VenueMismatch {
    /// A ticker that contradicts the book.
    static func ticker(
        _ book: borrowing OrderBook, _ bid: PriceLevel, _ ask: PriceLevel, _ scales: SymbolScales
    ) -> VenueMismatch {
        VenueMismatch(
            check: .ticker, at: book.lastUpdateID, rank: 0,
            venue: Quote(
                bid: bid.quantity == .zero ? nil : bid, ask: ask.quantity == .zero ? nil : ask),
            book: Quote(bid: book.bestBid, ask: book.bestAsk), scales: scales)
    }

    /// A partial-depth frame that contradicts the book, at the first differing rank.
    static func partial(
        _ book: borrowing OrderBook, _ bids: [PriceLevel], _ asks: [PriceLevel], _ scales: SymbolScales
    ) -> VenueMismatch {
        let own = (bids: book.levels(.bid), asks: book.levels(.ask))
        var found = VenueMismatch(
            check: .partialDepth, at: book.lastUpdateID, rank: 0, venue: Quote(), book: Quote(),
            scales: scales)
        for rank in 0..<max(bids.count, asks.count) {
            found.rank = rank
            found.venue = Quote(bid: level(bids, rank), ask: level(asks, rank))
            found.book = Quote(bid: level(own.bids, rank), ask: level(own.asks, rank))
            if found.venue != found.book { break }
        }
        return found
    }

    private static func level(_ levels: [PriceLevel], _ rank: Int) -> PriceLevel? {
        rank < levels.count ? levels[rank] : nil
    }
}

extension BookEngine {
    /// The first mismatch of each kind for a symbol, in order of occurrence.
    public borrowing func mismatches(of name: SymbolName) -> [VenueMismatch] {
        let slot = table.slot(of: name)
        return slot < 0 ? [] : books[slot].crossChecks.mismatches
    }
}
