// A book's number for display: it knows its decimals, and whether it is known at all.

import MarketData

/// A decimal number that prints as the venue prints it, for example `61803.40000000`, or as `?` if it is not
/// known.
public struct PrintedDecimal: Hashable, Sendable, CustomStringConvertible {
    /// The number times 10 to its decimals; nil if it is not known.
    public let mantissa: Int64?
    /// Decimals, 0 … 18.
    public let decimals: Int

    init(_ mantissa: Int64?, decimals: UInt8) {
        self.mantissa = mantissa
        self.decimals = Int(decimals)
    }

    /// Its text. O(digits), with an allocation.
    public var description: String {
        guard let mantissa else { return "?" }
        return decimalText(mantissa: mantissa, decimals: decimals)
    }

    /// The number for models and plots, rounded as `SymbolScales.double` does; nil if it is not known.
    public var double: Double? {
        let scales = SymbolScales(priceDecimals: decimals, quantityDecimals: 0)
        return mantissa.map { scales.double(Price($0)) }
    }
}
