// Values: the numbers allowed here, and how to skip a value that is not needed.
//
// Integers are ids, times and codes: digits without sign (ids, times), leading zero, point or exponent, at
// most `Int64.max`. Whatever is skipped must still be JSON. SAFETY: `requireInteger` reads 16 bytes after
// comparing with `readableEnd`; the rest uses checked functions.
import CLobKernels
import MarketData

extension JSONCursor {
    /// 1 to 16 digits; anything else, longer integers included, is rejected.
    @inline(__always)
    mutating func requireInteger() throws(ParseError) -> Int64 {
        guard unsafe readableEnd - at >= 16 else { throw unexpected() }
        let digits = unsafe lob_leading_integer(at)
        if unsafe digits.count == 0 || (digits.count > 1 && at.pointee == 0x30) { throw unexpected() }
        unsafe at += digits.count
        return digits.value
    }

    /// An unsigned integer.
    mutating func integer() throws(ParseError) -> Int64 {
        let before = self
        var value: UInt64 = 0
        while unsafe at < end && at.pointee &- 0x30 <= 9 {
            if offset - before.offset == 19 { throw error(.numberTooLarge) }
            value = unsafe value &* 10 &+ UInt64(at.pointee &- 0x30)
            unsafe at += 1
        }
        if offset == before.offset { throw unexpected(.digitExpected) }
        if offset - before.offset > 1 && before.byte == 0x30 { throw before.error(.leadingZero) }
        if value > UInt64(Int64.max) { throw before.error(.numberTooLarge) }
        if byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e") { throw error(.fieldType) }
        return Int64(value)
    }

    /// An integer with an optional minus sign; `Int64.min` is out of range.
    mutating func signedInteger() throws(ParseError) -> Int64 {
        skip(UInt8(ascii: "-")) ? -(try integer()) : try integer()
    }

    /// One quoted decimal: the mantissa, and the number of digits after its point.
    @inline(__always)
    mutating func quotedDecimal(
        _ decimals: inout Int, else code: ParseError.Code
    ) throws(ParseError) -> Int64 {
        try expect(0x22, else: code)
        let mantissa: Int64
        do throws(DecimalError) {
            mantissa = try unsafe scanDecimal(&at, end: end, decimals: &decimals)
        } catch {
            throw decimalError(error)
        }
        try expect(0x22, else: .digitExpected)
        return mantissa
    }

    @inline(never)
    private func decimalError(_ reason: DecimalError) -> ParseError {
        switch reason {
        case .digitExpected: unexpected(.digitExpected)
        case .leadingZero: error(.leadingZero)
        case .overflow: error(.numberTooLarge)
        }
    }

    /// Skips one value of any kind.
    mutating func skipValue() throws(ParseError) {
        var depth = 0
        var objects: UInt64 = 0  // bit n: the n-th enclosing container is an object
        repeat {
            skipBlanks()
            let opening = byte
            if opening == UInt8(ascii: "{") || opening == UInt8(ascii: "[") {
                let isObject = opening == UInt8(ascii: "{")
                unsafe at += 1
                skipBlanks()
                if !skip(opening + 2) {
                    if depth == JSONCursor.depthMax { throw error(.nestedTooDeep) }
                    depth += 1
                    objects = objects << 1 | (isObject ? 1 : 0)
                    if isObject { try skipKey() }
                    continue
                }
            } else {
                try skipScalar(opening)
            }
            while depth > 0 {
                skipBlanks()
                if skip(UInt8(ascii: ",")) {
                    if objects & 1 == 1 { try skipKey() }
                    break
                }
                try expect(objects & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]"))
                depth -= 1
                objects >>= 1
            }
        } while depth > 0
    }

    private mutating func skipKey() throws(ParseError) {
        skipBlanks()
        if byte != 0x22 { throw unexpected() }
        _ = try string()
        skipBlanks()
        try expect(UInt8(ascii: ":"))
    }

    private mutating func skipScalar(_ first: UInt8) throws(ParseError) {
        switch first {
        case 0x22: _ = try string()
        case UInt8(ascii: "t"): try expect("true")
        case UInt8(ascii: "f"): try expect("false")
        case UInt8(ascii: "n"): try expect("null")
        default: try skipNumber()
        }
    }

    /// Skips this word.
    mutating func expect(_ literal: StaticString) throws(ParseError) {
        for index in 0..<literal.utf8CodeUnitCount { try unsafe expect((literal.utf8Start + index).pointee) }
    }

    private mutating func skipNumber() throws(ParseError) {
        _ = skip(UInt8(ascii: "-"))
        if !skip(UInt8(ascii: "0")) { try skipDigits() }
        if skip(UInt8(ascii: ".")) { try skipDigits() }
        if byte | 0x20 == UInt8(ascii: "e") {
            unsafe at += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { unsafe at += 1 }
            try skipDigits()
        }
    }

    private mutating func skipDigits() throws(ParseError) {
        if byte &- 0x30 > 9 { throw unexpected() }
        while byte &- 0x30 <= 9 { unsafe at += 1 }
    }
}

/// Microseconds since 1970 from a time in milliseconds (13 digits today) or microseconds (16 digits). The two
/// meet at 10^14: the year 5138 in the one unit, 1973 in the other.
@inline(__always)
func microseconds(_ time: Int64) -> Int64 { time < 100_000_000_000_000 ? time &* 1000 : time }
