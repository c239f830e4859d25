// The numbers of a book: decimal mantissas, never floating point.
//
// A price is `mantissa × 10^-priceDecimals` and a quantity `mantissa × 10^-quantityDecimals`; the decimals
// are those the venue prints for the symbol (`SymbolScales`) and are held once per symbol, not per number.
// With that scale `Int64` always suffices: the venue itself keeps both numbers in one.
//
// Invariants
// * A price on the wire is at least 0 and has at most 18 digits; prices need not be multiples of a tick.
// * A quantity is at least 0. `Int64.max` is a legal (saturated) quantity, so there is no sentinel value.

/// A price as a decimal mantissa in the symbol's price scale.
@frozen
public struct Price: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The price times 10 to the symbol's price decimals.
    public var mantissa: Int64

    /// The largest legal mantissa: 18 digits. The venue's largest price × 10^8 is about 1.4 × 10^17.
    public static var mantissaMax: Int64 { 999_999_999_999_999_999 }

    /// A price of this mantissa.
    @inlinable
    public init(_ mantissa: Int64) { self.mantissa = mantissa }

    /// Lower price first, whatever the side.
    @inlinable
    public static func < (a: Price, b: Price) -> Bool { a.mantissa < b.mantissa }
}

/// A quantity as a decimal mantissa in the symbol's quantity scale.
@frozen
public struct Quantity: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The quantity times 10 to the symbol's quantity decimals.
    public var mantissa: Int64

    /// A quantity of this mantissa.
    @inlinable
    public init(_ mantissa: Int64) { self.mantissa = mantissa }

    /// No quantity: in an update, the level is removed.
    @inlinable
    public static var zero: Quantity { Quantity(0) }

    /// Smaller quantity first.
    @inlinable
    public static func < (a: Quantity, b: Quantity) -> Bool { a.mantissa < b.mantissa }
}

/// One price of one side and the absolute quantity resting there. 16 bytes; price first.
@frozen
public struct PriceLevel: Hashable, Sendable, BitwiseCopyable {
    /// The price, in the symbol's price scale.
    public var price: Price
    /// The absolute quantity, in the symbol's quantity scale; zero means "no such level".
    public var quantity: Quantity

    /// A level of these two numbers.
    @inlinable
    public init(price: Price, quantity: Quantity) {
        self.price = price
        self.quantity = quantity
    }

    /// A level of these two mantissas.
    @inlinable
    public init(_ price: Int64, _ quantity: Int64) {
        self.price = Price(price)
        self.quantity = Quantity(quantity)
    }
}

/// A side of the book.
@frozen
public enum Side: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// Buyers; the best is the highest price.
    case bid
    /// Sellers; the best is the lowest price.
    case ask

    /// The side across the spread.
    @inlinable
    public var opposite: Side { self == .bid ? .ask : .bid }

    /// Whether `a` is a better price than `b` on this side.
    @inlinable
    public func isBetter(_ a: Price, than b: Price) -> Bool { self == .bid ? a > b : a < b }
}

/// How many decimals the venue prints for one symbol.
@frozen
public struct SymbolScales: Hashable, Sendable, BitwiseCopyable {
    /// Decimals of a price, 0 … 18.
    public let priceDecimals: UInt8
    /// Decimals of a quantity, 0 … 18.
    public let quantityDecimals: UInt8

    /// Scales of these decimals, each 0 … 18: no text that `scanDecimal` accepts has more.
    @inlinable
    public init(priceDecimals: Int, quantityDecimals: Int) {
        precondition(
            (0...18).contains(priceDecimals) && (0...18).contains(quantityDecimals), "decimals out of range")
        self.priceDecimals = UInt8(truncatingIfNeeded: priceDecimals)
        self.quantityDecimals = UInt8(truncatingIfNeeded: quantityDecimals)
    }
}

/// A position in the stream of book changes of one symbol; the venue's `U`, `u`, `pu` and `lastUpdateId`.
@frozen
public struct UpdateID: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// The number as the venue sends it; beyond 32 bits on every market.
    public var value: Int64

    /// The update id of this number.
    @inlinable
    public init(_ value: Int64) { self.value = value }

    /// Earlier first.
    @inlinable
    public static func < (a: UpdateID, b: UpdateID) -> Bool { a.value < b.value }

    /// The number in decimal.
    public var description: String { String(value) }
}
