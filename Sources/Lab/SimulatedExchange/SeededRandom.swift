// Random numbers that are the same on every machine: integers only, no clock, no library function.
//
// xoshiro256** seeded by SplitMix64 (Blackman and Vigna, public domain algorithms). Distributions are tables
// of percentiles measured in real traffic and interpolated with integers, so no logarithm or exponential is
// ever computed.

/// A deterministic random number generator; equal seeds give equal draws for ever.
package struct SeededRandom: Hashable, Sendable {
    private var a: UInt64
    private var b: UInt64
    private var c: UInt64
    private var d: UInt64

    /// The generator of this seed.
    package init(_ seed: UInt64) {
        var state = seed
        func split() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            return SeededRandom.mix(state)
        }
        a = split()
        b = split()
        c = split()
        d = split()
    }

    /// The generator for one purpose: the same seed with another purpose gives unrelated draws.
    package init(_ seed: UInt64, purpose: UInt64) { self.init(seed ^ SeededRandom.mix(purpose &+ 1)) }

    /// SplitMix64's finisher: a bijection that spreads every bit.
    package static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z &>> 31)
    }

    /// The next 64 bits.
    package mutating func next() -> UInt64 {
        let rotated = b &* 5
        let result = ((rotated &<< 7) | (rotated &>> 57)) &* 9
        let shifted = b &<< 17
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= shifted
        d = (d &<< 45) | (d &>> 19)
        return result
    }

    /// 32 uniform bits.
    package mutating func uniform() -> UInt32 { UInt32(truncatingIfNeeded: next() &>> 32) }

    /// A number in `0 ..< bound`; 0 if the range is empty.
    package mutating func below(_ bound: Int) -> Int {
        bound <= 1 ? 0 : Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A number in the closed range.
    package mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(below(Int(range.upperBound - range.lowerBound) + 1))
    }

    /// True in `perMille` of 1000 cases.
    package mutating func chance(perMille: Int) -> Bool { below(1000) < perMille }
}
