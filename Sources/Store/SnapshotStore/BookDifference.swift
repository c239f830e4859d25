// Differences between two snapshots of one book, level by level.
//
// Worst case: O(levels of both).

import DepthBook
import MarketData

/// The difference of two books.
package struct BookDifference: Hashable, Sendable {
    /// A price at which the books differ.
    package struct Level: Hashable, Sendable {
        /// Its side.
        package var side: Side
        /// The price, in `scales`.
        package var price: Price
        /// Quantity in the first book; zero if it has no such level.
        package var first: Quantity
        /// Quantity in the second book.
        package var second: Quantity
        /// Whether the price lies inside both proven ranges: elsewhere a level may be missing because it was
        /// not known.
        package var isProven: Bool
    }

    /// Decimals of the numbers.
    package var scales: SymbolScales
    /// The differences: bids, then asks, best first.
    package var levels: [Level] = []
    /// Number of equal levels.
    package var equalCount = 0

    /// The difference of two books.
    ///
    /// - Parameters:
    ///   - first: one of them.
    ///   - second: the other; nil is returned if their decimals cannot be reconciled.
    package init?(_ first: BookImage, _ second: BookImage) {
        let none = SymbolScales(priceDecimals: 0, quantityDecimals: 0)
        let (a, b) = (first.scales ?? second.scales ?? none, second.scales ?? first.scales ?? none)
        scales = a.widened(by: b)
        for side in Side.allCases {
            let (mine, theirs) = side == .bid ? (first.bids, second.bids) : (first.asks, second.asks)
            let proven =
                side == .bid ? (first.provenBids, second.provenBids) : (first.provenAsks, second.provenAsks)
            guard let own = BookDifference.scaled(mine, a, scales),
                let other = BookDifference.scaled(theirs, b, scales),
                let ownRange = proven.0.scaled(from: a, to: scales),
                let otherRange = proven.1.scaled(from: b, to: scales)
            else { return nil }
            walk(side, own, other, (ownRange, otherRange))
        }
    }

    /// Levels in other decimals, of which there are always at least as many.
    private static func scaled(
        _ levels: [PriceLevel], _ old: SymbolScales, _ new: SymbolScales
    ) -> [PriceLevel]? {
        if old == new { return levels }
        let scaled = levels.compactMap { $0.scaled(from: old, to: new) }
        return scaled.count == levels.count ? scaled : nil
    }

    private mutating func walk(
        _ side: Side, _ own: [PriceLevel], _ other: [PriceLevel], _ proven: (ProvenRange, ProvenRange)
    ) {
        var (i, j) = (0, 0)
        while i < own.count || j < other.count {
            let takesOwn =
                j >= other.count || (i < own.count && !side.isBetter(other[j].price, than: own[i].price))
            let takesOther =
                i >= own.count || (j < other.count && !side.isBetter(own[i].price, than: other[j].price))
            let price = takesOwn ? own[i].price : other[j].price
            let quantities = (takesOwn ? own[i].quantity : .zero, takesOther ? other[j].quantity : .zero)
            if takesOwn { i += 1 }
            if takesOther { j += 1 }
            if quantities.0 == quantities.1 {
                equalCount += 1
                continue
            }
            levels.append(
                Level(
                    side: side, price: price, first: quantities.0, second: quantities.1,
                    isProven: proven.0.reaches(price, on: side) && proven.1.reaches(price, on: side)))
        }
    }

    /// Number of differences where both books claim to know the level.
    package var provenCount: Int { levels.reduce(0) { $0 + ($1.isProven ? 1 : 0) } }
}
