// Sums, notionals and fractions as decimals, with 128-bit mantissas.

import MarketData

/// A decimal of 128 bits: `mantissa × 10^-decimals`.
package struct WideDecimal: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// All digits.
    package var mantissa: Int128
    /// Number of digits after the point, 0 … 38.
    package var decimals: Int

    /// A decimal of this mantissa; `decimals` must be 0 … 38.
    package init(_ mantissa: Int128, decimals: Int) {
        precondition((0...38).contains(decimals), "decimals out of range")
        (self.mantissa, self.decimals) = (mantissa, decimals)
    }

    /// Parses a text without sign or exponent, such as `0.25`, with exactly this many decimals.
    ///
    /// - Returns: nil if the text is not a decimal, has nonzero excess digits, or does not fit.
    package init?(_ text: String, decimals: Int) {
        var value: Int128 = 0
        var (digitCount, left): (Int, Int?) = (0, nil)
        for byte in text.utf8 {
            if byte == UInt8(ascii: ".") {
                if left != nil || digitCount == 0 { return nil }
                left = decimals
                continue
            }
            guard (0x30...0x39).contains(byte) else { return nil }
            digitCount += 1
            if let rest = left {
                if rest == 0 {
                    if byte != 0x30 { return nil }
                    continue
                }
                left = rest - 1
            }
            guard let next = WideDecimal.appending(Int128(byte - 0x30), to: value) else { return nil }
            value = next
        }
        if digitCount == 0 || text.utf8.last == UInt8(ascii: ".") { return nil }
        for _ in 0..<(left ?? decimals) {
            guard let next = WideDecimal.appending(0, to: value) else { return nil }
            value = next
        }
        self.init(value, decimals: decimals)
    }

    private static func appending(_ digit: Int128, to value: Int128) -> Int128? {
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        if overflow { return nil }
        let (sum, isOver) = product.addingReportingOverflow(digit)
        return isOver ? nil : sum
    }

    /// The text with exactly `decimals` digits after the point, for example `"-0.0500"`.
    package var description: String {
        var digits = String(mantissa.magnitude)
        if digits.utf8.count <= decimals {
            digits = String(repeating: "0", count: decimals + 1 - digits.utf8.count) + digits
        }
        let point = digits.index(digits.endIndex, offsetBy: -decimals)
        let text = decimals == 0 ? digits : digits[..<point] + "." + digits[point...]
        return mantissa < 0 ? "-" + text : String(text)
    }
}
