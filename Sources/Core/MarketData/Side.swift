// The two sides of a book.

/// A side of the book.
public enum Side: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// Buyers; the best is the highest price.
    case bid
    /// Sellers; the best is the lowest price.
    case ask

    /// The opposite side.
    @inlinable
    public var opposite: Side { self == .bid ? .ask : .bid }

    /// Whether `a` is a better price than `b` on this side.
    @inlinable
    public func isBetter(_ a: Price, than b: Price) -> Bool { self == .bid ? a > b : a < b }
}
