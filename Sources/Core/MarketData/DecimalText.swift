// Decimals for command lines, JSON output and logs. The message path uses `scanDecimal` directly.
//
// SAFETY: pointers do not leave the closure that created them; the scratch exceeds the longest decimal.

extension SymbolScales {
    /// The price as the venue prints it, for example `"61803.40000000"`.
    public func text(_ price: Price) -> String {
        decimalText(mantissa: price.mantissa, decimals: Int(priceDecimals))
    }

    /// The quantity as the venue prints it, for example `"0.50000000"`.
    public func text(_ quantity: Quantity) -> String {
        decimalText(mantissa: quantity.mantissa, decimals: Int(quantityDecimals))
    }

    /// The price as a `Double`, for models and plots: correctly rounded if the mantissa has at most 53 bits,
    /// otherwise within one unit in the last place.
    public func double(_ price: Price) -> Double { decimal(price.mantissa, Int(priceDecimals)) }

    /// The quantity as a `Double`, rounded as a price.
    public func double(_ quantity: Quantity) -> Double { decimal(quantity.mantissa, Int(quantityDecimals)) }

    private func decimal(_ mantissa: Int64, _ decimals: Int) -> Double {
        // Powers of ten up to 10^22 are exact.
        var power = 1.0
        for _ in 0..<decimals { power *= 10 }
        return Double(mantissa) / power
    }

    /// Parses a price in these scales; fewer decimals than the scale's are padded exactly.
    ///
    /// - Throws: `DecimalError.overflow` also beyond the 18 digits of a legal price.
    public func price(_ text: String) throws(DecimalError) -> Price {
        let price = Price(try mantissa(text, decimals: Int(priceDecimals)))
        if price.mantissa > Price.mantissaMax { throw .overflow }
        return price
    }

    /// Parses a quantity in these scales; fewer decimals than the scale's are padded exactly.
    public func quantity(_ text: String) throws(DecimalError) -> Quantity {
        Quantity(try mantissa(text, decimals: Int(quantityDecimals)))
    }
}

/// The decimal text of `mantissa × 10^-decimals`, with exactly that many decimals (0 … 18) and a minus sign
/// if negative.
public func decimalText(mantissa: Int64, decimals: Int) -> String {
    precondition((0...18).contains(decimals), "decimals out of range")
    let text = unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 40) { scratch in
        let length = unsafe writeDecimal(mantissa, decimals: decimals, to: scratch.baseAddress!)
        return unsafe String(decoding: UnsafeBufferPointer(rebasing: scratch[..<length]), as: UTF8.self)
    }
    return mantissa < 0 ? "-" + text : text
}

/// Parses a decimal as a mantissa with `decimals` digits (0 … 18) after the point; a nonzero excess digit is
/// an overflow.
public func mantissa(_ text: String, decimals: Int) throws(DecimalError) -> Int64 {
    precondition((0...18).contains(decimals), "decimals out of range")
    var copy = text
    var found = 0
    let scanned = copy.withUTF8 { bytes -> Result<Int64, DecimalError> in
        guard var cursor = bytes.baseAddress else { return .failure(.digitExpected) }
        let end = unsafe cursor + bytes.count
        do throws(DecimalError) {
            let value = try unsafe scanDecimal(&cursor, end: end, decimals: &found)
            return unsafe cursor == end ? .success(value) : .failure(.digitExpected)
        } catch {
            return .failure(error)
        }
    }
    var value = try scanned.get()
    while found < decimals {
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        if overflow { throw .overflow }
        value = product
        found += 1
    }
    while found > decimals {
        if value % 10 != 0 { throw .overflow }
        value /= 10
        found -= 1
    }
    return value
}
