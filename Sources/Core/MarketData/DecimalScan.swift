// Text to mantissa: the definition of the decimal grammar. Every faster decimal reader in this package is
// tested against this one.
//
//     decimal = integer [ "." 1*DIGIT ]
//     integer = "0" / ( DIGIT1-9 *DIGIT )
//
// At most 19 digits in all and at most `Int64.max` as an integer. No sign, blank, exponent, leading zero or
// bare point.
//
// SAFETY: reads only `cursor ..< end`; both come from one buffer that the caller keeps alive.

/// Why a text is not a valid decimal.
public enum DecimalError: Error, Hashable, Sendable {
    /// No digit where one is required; also a sign, exponent, NaN, blank or empty text.
    case digitExpected
    /// A leading zero before another digit.
    case leadingZero
    /// More than 19 digits, or a mantissa beyond `Int64.max`.
    case overflow
}

/// Reads one decimal from the front of a byte range.
///
/// - Parameters:
///   - cursor: first byte of the number; moved past its last byte, or onto the offending byte on an error.
///   - end: one past the last readable byte.
///   - decimals: set to the number of digits after the point.
/// - Returns: the mantissa: all digits without the point.
/// - Complexity: O(digits). Allocates nothing.
@inlinable
@inline(__always)
public func scanDecimal(
    _ cursor: inout UnsafePointer<UInt8>, end: UnsafePointer<UInt8>, decimals: inout Int
) throws(DecimalError) -> Int64 {
    let start = unsafe cursor
    var mantissa: UInt64 = 0
    var p = unsafe cursor
    while unsafe p < end {
        let digit = unsafe p.pointee &- 0x30
        if digit > 9 { break }
        mantissa = mantissa &* 10 &+ UInt64(truncatingIfNeeded: digit)
        unsafe p += 1
        if unsafe p - start > 19 { unsafe cursor = unsafe p - 1; throw .overflow }
    }
    let integerDigits = unsafe p - start
    if integerDigits == 0 { unsafe cursor = unsafe p; throw .digitExpected }
    if unsafe integerDigits > 1 && start.pointee == 0x30 { unsafe cursor = unsafe start; throw .leadingZero }
    decimals = 0
    if unsafe p < end && p.pointee == 0x2E {
        unsafe p += 1
        let fraction = unsafe p
        while unsafe p < end {
            let digit = unsafe p.pointee &- 0x30
            if digit > 9 { break }
            mantissa = mantissa &* 10 &+ UInt64(truncatingIfNeeded: digit)
            unsafe p += 1
            if unsafe integerDigits + (p - fraction) > 19 { unsafe cursor = unsafe p - 1; throw .overflow }
        }
        decimals = unsafe p - fraction
        if decimals == 0 { unsafe cursor = unsafe p; throw .digitExpected }
    }
    unsafe cursor = unsafe p
    if mantissa > UInt64(Int64.max) { unsafe cursor = unsafe start; throw .overflow }
    return Int64(bitPattern: mantissa)
}

/// Writes a decimal with exactly `decimals` digits after the point.
///
/// - Parameters:
///   - mantissa: at least 0.
///   - decimals: 0 … 18.
///   - output: room for 21 bytes.
/// - Returns: the number of bytes written.
/// - Complexity: O(digits). Allocates nothing.
@inlinable
public func writeDecimal(_ mantissa: Int64, decimals: Int, to output: UnsafeMutablePointer<UInt8>) -> Int {
    var digitCount = 1
    var bound: UInt64 = 10
    let value = mantissa.magnitude
    while digitCount < 20 && value >= bound {
        digitCount += 1
        bound = digitCount < 20 ? bound &* 10 : .max
    }
    let printed = max(digitCount, decimals + 1)
    let length = decimals == 0 ? printed : printed + 1
    var rest = value
    var at = length - 1
    for place in 0..<printed {
        if decimals > 0 && place == decimals {
            unsafe output[at] = 0x2E
            at -= 1
        }
        unsafe output[at] = UInt8(truncatingIfNeeded: rest % 10) &+ 0x30
        rest /= 10
        at -= 1
    }
    return length
}
