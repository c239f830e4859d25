// Numbers and texts of a recording as bytes: little endian, without padding. Reading never goes beyond the
// end and never traps: what is missing is nil.

extension [UInt8] {
    /// Appends a number, little endian.
    package mutating func append<T: FixedWidthInteger>(little value: T) {
        for shift in stride(from: 0, to: T.bitWidth, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Appends bytes behind their count of 16 bits; beyond 65 535 they are cut.
    package mutating func append(counted bytes: some Collection<UInt8>) {
        let kept = bytes.prefix(Int(UInt16.max))
        append(little: UInt16(kept.count))
        append(contentsOf: kept)
    }

    /// Appends a number that is not negative and mostly small: seven bits a byte, the lowest first.
    package mutating func append(varying value: UInt64) {
        var rest = value
        while rest > 0x7F {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// Overwrites a number of 32 bits that was appended before.
    package mutating func replace(at offset: Int, little value: UInt32) {
        for index in 0..<4 { self[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index))) }
    }
}

/// Reads numbers from bytes, one after the other.
package struct ByteCursor {
    private let bytes: [UInt8]
    /// Where the next one begins.
    package private(set) var offset: Int

    /// A cursor at an offset.
    ///
    /// - Parameters:
    ///   - bytes: what is read.
    ///   - offset: of the first number, not negative.
    package init(_ bytes: [UInt8], at offset: Int = 0) { (self.bytes, self.offset) = (bytes, offset) }

    /// Bytes that are left.
    package var remaining: Int { Swift.max(bytes.count - offset, 0) }

    /// The next number; nil if its bytes are not all there.
    package mutating func next<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T? {
        let length = T.bitWidth / 8
        if remaining < length { return nil }
        var value: T = 0
        for index in 0..<length { value |= T(truncatingIfNeeded: bytes[offset + index]) << (8 * T(index)) }
        offset += length
        return value
    }

    /// The next number of seven bits a byte; nil if it does not end, or has more than 64 bits.
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

    /// So many bytes; nil if they are not all there.
    package mutating func next(count: Int) -> [UInt8]? {
        if count < 0 || remaining < count { return nil }
        defer { offset += count }
        return Array(bytes[offset..<(offset + count)])
    }

    /// Bytes behind their count of 16 bits.
    package mutating func nextCounted() -> [UInt8]? {
        guard let count = next(UInt16.self) else { return nil }
        return next(count: Int(count))
    }
}
