// A copy of a book compared with the true one: inside the proven range every level must be present and equal,
// and none may be missing.

import DepthBook
import MarketData

/// Compares a book, in whatever form, with a true book of the same update id.
package struct TruthComparison {
    /// The first difference; nil if there is none.
    package private(set) var difference: String?
    /// Number of levels found equal.
    package private(set) var levelCount = 0
    private let truth: TrueBook
    private let scales: SymbolScales
    private let factors: (price: Int64, quantity: Int64)

    /// - Parameter scales: decimals of the copy.
    package init(_ truth: TrueBook, _ scales: SymbolScales) {
        (self.truth, self.scales) = (truth, scales)
        if let factors = truth.factors(to: scales) {
            self.factors = factors
        } else {
            factors = (1, 1)
            difference = "the book has fewer decimals than the venue"
        }
    }

    /// Compares one side.
    ///
    /// - Parameters:
    ///   - proven: how far the copy claims to know everything.
    ///   - forEachLevel: calls its argument with every level of the copy, best first, until that returns
    ///     false.
    package mutating func compare(
        _ side: Side, proven: ProvenRange, _ forEachLevel: ((PriceLevel) -> Bool) -> Void
    ) {
        if difference != nil { return }
        let levels = truth[side]
        var rank = 0
        var found: String?
        forEachLevel { level in
            if !proven.reaches(level.price, on: side) { return false }
            let wanted = rank < levels.count ? exact(levels.level(rank: rank)) : nil
            if wanted != level {
                found = "\(side) rank \(rank) is \(text(level)), the venue has \(wanted.map(text) ?? "none")"
                return false
            }
            rank += 1
            return true
        }
        levelCount += rank
        difference = found
        if found != nil || rank >= levels.count { return }
        // The venue's next level must lie outside the proven range.
        let next = exact(levels.level(rank: rank)).price
        if proven.reaches(next, on: side) {
            difference = "\(side) \(scales.text(next)) is missing though it is proven"
        }
    }

    private func text(_ level: PriceLevel) -> String {
        "\(scales.text(level.price)) × \(scales.text(level.quantity))"
    }

    private func exact(_ level: PriceLevel) -> PriceLevel {
        PriceLevel(level.price.mantissa * factors.price, level.quantity.mantissa * factors.quantity)
    }
}
