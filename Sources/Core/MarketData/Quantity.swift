// A quantity: a decimal mantissa like `Price`.
//
// Invariant: a quantity is at least 0. `Int64.max` is a legal (saturated) quantity, so there is no sentinel
// value.

/// A quantity as a decimal mantissa in the symbol's quantity scale.
public struct Quantity: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The quantity times 10 to the symbol's quantity decimals.
    public var mantissa: Int64

    /// A quantity of this mantissa.
    @inlinable
    public init(_ mantissa: Int64) { self.mantissa = mantissa }

    /// Zero: in an update, the level is removed.
    @inlinable
    public static var zero: Quantity { Quantity(0) }

    /// Smaller quantity first.
    @inlinable
    public static func < (a: Quantity, b: Quantity) -> Bool { a.mantissa < b.mantissa }
}
