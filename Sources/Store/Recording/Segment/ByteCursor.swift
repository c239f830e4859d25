// Numbers and texts of a recording in bytes: little endian, without padding. Reading never goes beyond the
// end and never traps: missing data is nil.

extension [UInt8] {
    /// Appends a number, little endian.
    package mutating func append<T: FixedWidthInteger>(little value: T) {
        for shift in stride(from: 0, to: T.bitWidth, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Appends bytes preceded by their 16-bit count; truncated to 65 535.
    package mutating func append(counted bytes: some Collection<UInt8>) {
        let kept = bytes.prefix(Int(UInt16.max))
        append(little: UInt16(kept.count))
        append(contentsOf: kept)
    }

    /// Appends a non-negative, usually small number: seven bits a byte, lowest first.
    package mutating func append(varying value: UInt64) {
        var rest = value
        while rest > 0x7F {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}

/// Reads consecutive numbers from bytes.
package struct ByteCursor {
    @usableFromInline let bytes: [UInt8]
    /// Position of the next one.
    @usableFromInline package internal(set) var offset: Int

    /// A cursor at an offset.
    ///
    /// - Parameters:
    ///   - bytes: the input.
    ///   - offset: position of the first number, not negative.
    package init(_ bytes: [UInt8], at offset: Int = 0) { (self.bytes, self.offset) = (bytes, offset) }

    /// Remaining bytes.
    @inlinable package var remaining: Int { Swift.max(bytes.count - offset, 0) }

    /// The next number; nil if incomplete.
    @inlinable package mutating func next<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T? {
        let length = T.bitWidth / 8
        if remaining < length { return nil }
        var value: T = 0
        for index in 0..<length { value |= T(truncatingIfNeeded: bytes[offset + index]) << (8 * T(index)) }
        offset += length
        return value
    }

    /// The next number in seven bits a byte; nil if it is not terminated, or exceeds 64 bits.
    package mutating func nextVarying() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = next(UInt8.self) else { return nil }
            if shift == 63 && byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    /// This many bytes; nil if incomplete.
    package mutating func next(count: Int) -> [UInt8]? {
        if count < 0 || remaining < count { return nil }
        defer { offset += count }
        return Array(bytes[offset..<(offset + count)])
    }

    /// Bytes preceded by their 16-bit count.
    package mutating func nextCounted() -> [UInt8]? {
        guard let count = next(UInt16.self) else { return nil }
        return next(count: Int(count))
    }
}
