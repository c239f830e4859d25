// One number in two scales. "9.0" and "9.00" are the same price: a venue that starts printing more decimals,
// or a recorder that strips zeros, changes no number.
//
// Invariant: a conversion is exact or refused; nothing is rounded.

extension SymbolScales {
    /// The wider of both, for prices and quantities separately.
    @inlinable
    public func widened(by other: SymbolScales) -> SymbolScales {
        SymbolScales(
            priceDecimals: Int(max(priceDecimals, other.priceDecimals)),
            quantityDecimals: Int(max(quantityDecimals, other.quantityDecimals)))
    }
}

extension Price {
    /// The same price with other decimals; nil if that is inexact or exceeds 18 digits.
    public func scaled(from old: UInt8, to new: UInt8) -> Price? {
        guard let mantissa = rescaled(mantissa, Int(new) - Int(old)), mantissa <= Price.mantissaMax else {
            return nil
        }
        return Price(mantissa)
    }
}

extension PriceLevel {
    /// The same level in other scales; nil if a number does not fit exactly. O(1).
    public func scaled(from old: SymbolScales, to new: SymbolScales) -> PriceLevel? {
        guard let price = price.scaled(from: old.priceDecimals, to: new.priceDecimals),
            let quantity = rescaled(
                quantity.mantissa, Int(new.quantityDecimals) - Int(old.quantityDecimals))
        else { return nil }
        return PriceLevel(price: price, quantity: Quantity(quantity))
    }
}

/// `mantissa × 10^places`, exactly, or nil.
private func rescaled(_ mantissa: Int64, _ places: Int) -> Int64? {
    if mantissa == 0 || places == 0 { return mantissa }
    var power: Int64 = 1
    for _ in 0..<min(abs(places), 18) { power *= 10 }
    if places > 0 {
        let (product, overflows) = mantissa.multipliedReportingOverflow(by: power)
        return overflows ? nil : product
    }
    let (quotient, rest) = mantissa.quotientAndRemainder(dividingBy: power)
    return rest == 0 ? quotient : nil
}
