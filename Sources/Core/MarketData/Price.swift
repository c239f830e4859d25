// A price: a decimal mantissa, never floating point.
//
// A price is `mantissa × 10^-priceDecimals` and a quantity `mantissa × 10^-quantityDecimals`. The decimals
// are those the venue prints for the symbol (`SymbolScales`), stored once per symbol. At that scale `Int64`
// always suffices: the venue itself stores both numbers in one.
//
// Invariant: a price on the wire is at least 0 and has at most 18 digits. Prices need not be multiples of the
// tick size.

/// A price as a decimal mantissa in the symbol's price scale.
public struct Price: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The price times 10 to the symbol's price decimals.
    public var mantissa: Int64

    /// The largest legal mantissa: 18 digits. The venue's largest price × 10^8 is about 1.4 × 10^17.
    public static var mantissaMax: Int64 { 999_999_999_999_999_999 }

    /// A price of this mantissa.
    @inlinable
    public init(_ mantissa: Int64) { self.mantissa = mantissa }

    /// Lower price first, on either side.
    @inlinable
    public static func < (a: Price, b: Price) -> Bool { a.mantissa < b.mantissa }
}
