// A small deterministic generator for tests: the same seed gives the same run on every machine.

/// SplitMix64.
public struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    /// The generator of this seed.
    public init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z &>> 31)
    }

    /// A number in `0 ..< bound`.
    public mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// True with this probability.
    public mutating func chance(_ probability: Double) -> Bool {
        Double(next() &>> 11) * 0x1p-53 < probability
    }
}
