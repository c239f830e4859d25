// Exponential delays after failures, shared by connections and requests.

/// Exponential delays with jitter from a seeded generator.
struct Backoff: Sendable {
    let firstMs: Int64
    let maxMs: Int64
    private var seed: UInt64

    init(firstMs: Int64, maxMs: Int64, seed: UInt64) {
        self.firstMs = firstMs
        self.maxMs = maxMs
        self.seed = seed
    }

    /// The delay after the `attempt`-th consecutive failure, from 1: between half and all of `firstMs ×
    /// 2^(attempt - 1)`, at most `maxMs`.
    mutating func delayMs(attempt: Int) -> Int64 {
        let full = Self.doubled(firstMs, times: attempt - 1, max: maxMs)
        return full - Int64(next() % UInt64(full / 2 + 1))
    }

    /// A random time of 0 … `maxMs`.
    mutating func jitterMs(_ maxMs: Int64) -> Int64 { Int64(next() % UInt64(maxMs + 1)) }

    /// `value × 2^times`, at most `max`, without overflow.
    static func doubled(_ value: Int64, times: Int, max: Int64) -> Int64 {
        var value = min(value, max)
        for _ in 0..<Swift.max(times, 0) {
            if value >= max - value { return max }
            value += value
        }
        return value
    }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        seed &+= 0x9E37_79B9_7F4A_7C15
        var z = seed
        z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z &>> 31)
    }
}
