// The sums of a walk from the best level outwards, and how exact they are.

import MarketData

/// Where a walk from the best level outwards ended, and thus what its sums mean.
public enum WalkEnd: Hashable, Sendable, BitwiseCopyable {
    /// Everything requested was found: the sums are exact.
    case complete
    /// The venue itself has no further level on this side: the sums are exact but less than requested.
    case sideEnds
    /// The venue's next level is not known to the reader: the sums are lower bounds.
    case rangeEnds
    /// The notional including the next level exceeds 128 bits: the sums are lower bounds. It takes 19 levels
    /// of the greatest legal price and quantity.
    case numbersEnd
}

/// Sums over the known levels of one side, from the best outwards.
public struct DepthSum: Hashable, Sendable, BitwiseCopyable {
    /// Number of levels summed, a partly taken one included.
    public var levelCount = 0
    /// Sum of the quantities, in quantity mantissas.
    public var quantity: Int128 = 0
    /// Sum of price times quantity; its decimals are those of a price plus those of a quantity.
    public var notional: Int128 = 0
    /// The worst price in the sums, nil if they hold no level.
    public var worst: Price?
    /// Why the sums end there.
    public var end = WalkEnd.complete

    @usableFromInline
    init() {}

    /// Whether the sums are exact; otherwise they are lower bounds.
    @inlinable
    public var isExact: Bool { end == .complete || end == .sideEnds }

    /// The average price, weighted by quantity, in price mantissas; nil if the sums hold no quantity.
    @inlinable
    public var averagePrice: ExactRatio? { quantity > 0 ? ExactRatio(notional, quantity) : nil }

    /// Adds a quantity at a price; false, with nothing added, if a sum would not fit.
    @inlinable
    mutating func add(_ price: Price, _ added: Int64) -> Bool {
        // A product of two Int64 always fits; their quantities would need 2^64 levels to overflow.
        let (sum, overflow) = notional.addingReportingOverflow(Int128(price.mantissa) * Int128(added))
        if overflow { return false }
        notional = sum
        quantity += Int128(added)
        levelCount += 1
        worst = price
        return true
    }
}
