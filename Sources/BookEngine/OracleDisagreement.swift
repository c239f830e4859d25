// The first time something that the venue says of the top of its book disagreed with ours. Kept for people;
// nothing depends on it.

import BinanceDepth
import DepthBook
import MarketData

/// What the venue said, and what the book said at the same update id.
public struct OracleDisagreement: Hashable, Sendable {
    /// What speaks for the venue.
    public enum Oracle: Hashable, Sendable {
        /// A `bookTicker`.
        case ticker
        /// A partial-depth frame.
        case partialDepth
    }

    /// Bid and ask of one rank; nil where the side has no such level.
    public struct Quote: Hashable, Sendable {
        /// The bid.
        public var bid: PriceLevel?
        /// The ask.
        public var ask: PriceLevel?
    }

    /// What spoke for the venue.
    public var oracle: Oracle
    /// Update id of both.
    public var at: UpdateID
    /// The first rank at which they differ; 0 is the best price.
    public var rank: Int
    /// The venue's levels of that rank.
    public var venue: Quote
    /// The book's levels of that rank.
    public var book: Quote
    /// Decimals of both.
    public var scales: SymbolScales
}

extension SymbolBook {
    /// A ticker contradicts the book.
    func note(bid: PriceLevel, ask: PriceLevel, _ scales: SymbolScales) {
        if disagreements.contains(where: { $0.oracle == .ticker }) { return }
        disagreements.append(
            OracleDisagreement(
                oracle: .ticker, at: main.book.lastUpdateID, rank: 0,
                venue: .init(
                    bid: bid.quantity == .zero ? nil : bid, ask: ask.quantity == .zero ? nil : ask),
                book: .init(bid: main.book.bestBid, ask: main.book.bestAsk), scales: scales))
    }

    /// A partial-depth frame contradicts the book.
    func note(_ partial: borrowing DepthSnapshot) {
        if disagreements.contains(where: { $0.oracle == .partialDepth }) { return }
        guard let scales = partial.scales else { return }
        let rankCount = max(partial.bids.count, partial.asks.count)
        let venue = quotes(partial.bids.array(), partial.asks.array(), rankCount)
        let own = quotes(main.book.levels(.bid), main.book.levels(.ask), rankCount)
        guard let rank = venue.indices.first(where: { venue[$0] != own[$0] }) else { return }
        disagreements.append(
            OracleDisagreement(
                oracle: .partialDepth, at: partial.lastUpdateID, rank: rank, venue: venue[rank],
                book: own[rank], scales: scales))
    }

    private func quotes(
        _ bids: [PriceLevel], _ asks: [PriceLevel], _ rankCount: Int
    ) -> [OracleDisagreement.Quote] {
        (0..<rankCount).map { rank in
            OracleDisagreement.Quote(
                bid: rank < bids.count ? bids[rank] : nil, ask: rank < asks.count ? asks[rank] : nil)
        }
    }
}

extension BookEngine {
    /// The first disagreement of each oracle of a symbol, in the order in which they came.
    public borrowing func disagreements(of name: SymbolName) -> [OracleDisagreement] {
        let slot = table.slot(of: name)
        return slot < 0 ? [] : books[slot].disagreements
    }
}
