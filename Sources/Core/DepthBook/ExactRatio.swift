// Prices between two levels and shares of a whole are fractions. Kept as fractions they lose nothing; a
// caller that needs a decimal chooses the rounding.
//
// Invariants
// * `denominator` is at least 1. The fraction need not be reduced: 2/4 equals 1/2.
// * Comparing and rounding use 256-bit products, so no intermediate step overflows; a result that needs more
//   than 127 bits is nil.

import MarketData

/// An exact fraction of two 128-bit integers.
public struct ExactRatio: Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// The numerator.
    public let numerator: Int128
    /// The denominator, at least 1.
    public let denominator: Int128

    /// The fraction of these two; `denominator` must be positive.
    @inlinable
    public init(_ numerator: Int128, _ denominator: Int128) {
        precondition(denominator > 0, "a denominator must be positive")
        self.numerator = numerator
        self.denominator = denominator
    }

    /// The fraction times 10 to `decimals`, rounded to an integer by `rule`.
    ///
    /// A price in this form is a mantissa with `decimals` digits more than the symbol's price decimals.
    /// - Parameters:
    ///   - decimals: digits to keep after the point, 0 … 38.
    ///   - rule: how to round; there is no default.
    /// - Returns: nil if the result does not fit.
    public func rounded(decimals: Int = 0, _ rule: FloatingPointRoundingRule) -> Int128? {
        precondition((0...38).contains(decimals), "decimals out of range")
        var power: UInt128 = 1
        for _ in 0..<decimals { power *= 10 }
        let divisor = denominator.magnitude
        let product = numerator.magnitude.multipliedFullWidth(by: power)
        if product.high >= divisor { return nil }
        var (quotient, rest) = divisor.dividingFullWidth(product)
        if ExactRatio.roundsAway(quotient, rest, of: divisor, negative: numerator < 0, rule) {
            let (next, overflow) = quotient.addingReportingOverflow(1)
            if overflow { return nil }
            quotient = next
        }
        guard let magnitude = Int128(exactly: quotient) else { return nil }
        return numerator < 0 ? -magnitude : magnitude
    }

    private static func roundsAway(
        _ quotient: UInt128, _ rest: UInt128, of divisor: UInt128, negative: Bool,
        _ rule: FloatingPointRoundingRule
    ) -> Bool {
        if rest == 0 { return false }
        let left = divisor - rest
        switch rule {
        case .towardZero: return false
        case .awayFromZero: return true
        case .up: return !negative
        case .down: return negative
        case .toNearestOrAwayFromZero: return rest >= left
        case .toNearestOrEven: return rest > left || (rest == left && quotient % 2 == 1)
        @unknown default: return false
        }
    }

    /// The fraction rounded to the symbol's price scale by `rule`, if it is a price; nil if it does not fit.
    public func price(_ rule: FloatingPointRoundingRule) -> Price? {
        guard let rounded = rounded(rule), let mantissa = Int64(exactly: rounded) else { return nil }
        return Price(mantissa)
    }

    /// Numerator and denominator, for example `"200101/2"`.
    public var description: String { "\(numerator)/\(denominator)" }

    /// Whether both are the same number, reduced or not.
    public static func == (a: ExactRatio, b: ExactRatio) -> Bool {
        let (x, y) = cross(a, b)
        return x.high == y.high && x.low == y.low
    }

    /// Smaller number first.
    public static func < (a: ExactRatio, b: ExactRatio) -> Bool {
        let (x, y) = cross(a, b)
        return x.high == y.high ? x.low < y.low : x.high < y.high
    }

    private typealias Wide = (high: Int128, low: UInt128)

    private static func cross(_ a: ExactRatio, _ b: ExactRatio) -> (Wide, Wide) {
        (
            a.numerator.multipliedFullWidth(by: b.denominator),
            b.numerator.multipliedFullWidth(by: a.denominator)
        )
    }
}
