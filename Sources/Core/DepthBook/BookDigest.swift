// The digest of a whole book, defined over its levels alone, so that anyone can compute it.
//
//     h = 0x6C6F62626F6F6B31
//     for each side, bids then asks:
//         for each level, best first: h = mix(h, price mantissa); h = mix(h, quantity mantissa)
//         h = mix(h, number of levels)
//     mix(h, x) = (h xor x) × 0x9E3779B97F4A7C15 mod 2^64, then h xor (h >> 32)
//
// Not cryptographic: it detects differences, not tampering.

import MarketData

/// A running digest of a book.
public struct BookDigest: Sendable, BitwiseCopyable {
    /// The digest of what has been added so far.
    public private(set) var value: UInt64 = 0x6C6F_6262_6F6F_6B31
    private var count: UInt64 = 0

    /// The initial digest.
    public init() {}

    @inline(__always)
    private mutating func mix(_ x: UInt64) {
        value = (value ^ x) &* 0x9E37_79B9_7F4A_7C15
        value ^= value &>> 32
    }

    /// Adds the next level of the current side.
    @inline(__always)
    public mutating func add(_ level: PriceLevel) {
        mix(UInt64(bitPattern: level.price.mantissa))
        mix(UInt64(bitPattern: level.quantity.mantissa))
        count &+= 1
    }

    /// Ends the current side.
    public mutating func endSide() {
        mix(count)
        count = 0
    }

    /// The digest of a book given as two arrays, best first.
    public static func digest(bids: [PriceLevel], asks: [PriceLevel]) -> UInt64 {
        var digest = BookDigest()
        for level in bids { digest.add(level) }
        digest.endSide()
        for level in asks { digest.add(level) }
        digest.endSide()
        return digest.value
    }
}
