// The decimals of one symbol's numbers.

/// How many decimals the venue prints for one symbol.
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
