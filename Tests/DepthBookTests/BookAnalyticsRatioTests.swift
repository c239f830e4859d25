import DepthBook
import TestSupport
import Testing

@Suite struct BookAnalyticsRatioTests {
    private static let rules: [FloatingPointRoundingRule] = [
        .toNearestOrAwayFromZero, .toNearestOrEven, .up, .down, .towardZero, .awayFromZero,
    ]

    @Test func equalAndOrderedByValue() {
        #expect(ExactRatio(2, 4) == ExactRatio(1, 2))
        #expect(ExactRatio(-1, 2) < ExactRatio(-1, 3))
        #expect(ExactRatio(1, 3) < ExactRatio(1, 2))
        #expect(ExactRatio(.max - 1, .max) < ExactRatio(1, 1))
        #expect(ExactRatio(.max - 2, .max - 1) < ExactRatio(.max - 1, .max))
        #expect(ExactRatio(.min, .max) < ExactRatio(-1, 1))
        #expect(ExactRatio(7, 2).description == "7/2")
    }

    /// Every small fraction by every rule against the rule that `Double` itself documents; such small
    /// fractions with a power of two below are exact in it, and the others are never as near to a half as its
    /// error.
    @Test func smallFractions() {
        for numerator in -60...60 {
            for denominator in 1...12 {
                for rule in BookAnalyticsRatioTests.rules {
                    let ratio = ExactRatio(Int128(numerator), Int128(denominator))
                    let wanted = (Double(numerator) / Double(denominator)).rounded(rule)
                    #expect(ratio.rounded(rule) == Int128(wanted), "\(ratio) \(rule)")
                }
            }
        }
    }

    /// Wide numbers: the result times the denominator encloses the numerator.
    @Test func wideFractions() {
        var random = SeededRandom(seed: 41)
        for _ in 0..<2_000 {
            let numerator = Int128(truncatingIfNeeded: random.next()) << 62 | Int128(random.below(1 << 60))
            let denominator = Int128(random.next()) << Int128(random.below(40)) + 1
            let ratio = ExactRatio(numerator, denominator)
            let (quotient, rest) = numerator.quotientAndRemainder(dividingBy: denominator)
            #expect(ratio.rounded(.towardZero) == quotient)
            let below = rest < 0 ? quotient - 1 : quotient
            #expect(ratio.rounded(.down) == below)
            #expect(ratio.rounded(.up) == (rest == 0 ? below : below + 1))
        }
    }

    @Test func decimals() {
        #expect(ExactRatio(2, 3).rounded(decimals: 4, .toNearestOrEven) == 6667)
        #expect(ExactRatio(-2, 3).rounded(decimals: 4, .toNearestOrEven) == -6667)
        #expect(ExactRatio(-2, 3).rounded(decimals: 4, .up) == -6666)
        #expect(
            ExactRatio(1, 3).rounded(decimals: 38, .down) == Int128("33333333333333333333333333333333333333")!
        )
        // The product with 10^38 needs far more than 128 bits, the quotient does not.
        #expect(
            ExactRatio(.max, .max).rounded(decimals: 38, .down) == Int128(
                "1" + String(repeating: "0", count: 38))!)
    }

    @Test func whatDoesNotFitIsNil() {
        #expect(ExactRatio(.max, 1).rounded(.up) == .max)
        #expect(ExactRatio(.max, 1).rounded(decimals: 1, .up) == nil)
        #expect(ExactRatio(.max, 1).rounded(decimals: 38, .up) == nil)
        #expect(ExactRatio(.min, 1).rounded(.up) == nil)
        #expect(ExactRatio(Int128(Int64.max) * 2 + 1, 2).price(.up) == nil)
        #expect(ExactRatio(Int128(Int64.max) * 2 + 1, 2).price(.down)?.mantissa == .max)
    }
}
