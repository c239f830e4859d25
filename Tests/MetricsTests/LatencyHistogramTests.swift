import LobMetrics
import Testing

@Suite struct LatencyHistogramTests {
    /// Times of all magnitudes, none of them round.
    private static let times: [Int64] = (0..<4_000).map { index in
        let base = Int64(1) << Int64(index % 45)
        return base + Int64(index * 7_919) % base
    }

    @Test func sharesAreAtMostAQuarterTooLarge() throws {
        var histogram = LatencyHistogram()
        #expect(histogram.quantileNs(perMille: 500) == nil && histogram.worstNs == nil)
        for time in Self.times { histogram.add(ns: time) }
        let sorted = Self.times.sorted()
        #expect(histogram.count == sorted.count && histogram.worstNs == sorted.last)
        for perMille in [1, 10, 250, 500, 900, 990, 999, 1_000] {
            let exact = sorted[max((sorted.count * perMille + 999) / 1_000, 1) - 1]
            let found = try #require(histogram.quantileNs(perMille: perMille))
            #expect(found >= exact, "\(perMille)")
            // Longer ones than the last doubling are only known to be no longer than the longest.
            if exact >= 1_000 && exact < 33_000_000_000 {
                #expect(found <= exact + exact / 4 + 1, "\(perMille): \(exact) \(found)")
                // The estimate is of the same bucket.
                let estimate = try #require(histogram.estimateNs(perMille: perMille))
                #expect(estimate <= found && 4 * estimate >= 3 * exact)
            }
        }
    }

    @Test func anEstimateLiesEvenlyInItsBucket() {
        var histogram = LatencyHistogram()
        #expect(histogram.estimateNs(perMille: 500) == nil)
        for time in 0..<1_000 { histogram.add(ns: 64_000 + Int64(time) * 16) }
        #expect(histogram.estimateNs(perMille: 250) == 67_996)
        #expect(histogram.estimateNs(perMille: 500) == 71_992)
    }

    @Test func doublingsAreCumulative() {
        var histogram = LatencyHistogram()
        for time in Self.times { histogram.add(ns: time) }
        var before: (boundNs: Int64, count: Int) = (0, 0)
        for doubling in histogram.doublings {
            #expect(doubling.boundNs > before.boundNs && doubling.count >= before.count)
            #expect(doubling.count == Self.times.count { $0 < doubling.boundNs })
            before = doubling
        }
        #expect(before.count < histogram.count)
    }

    @Test func timesBeforeTheirBeginningCountAsNothing() {
        var histogram = LatencyHistogram()
        histogram.add(ns: -5)
        #expect(histogram.worstNs == 0 && histogram.sumNs == 0 && histogram.doublings[0].count == 1)
    }

    @Test func sumsStayAtTheLargestNumber() {
        var histogram = LatencyHistogram()
        for _ in 0..<3 { histogram.add(ns: .max) }
        #expect(histogram.sumNs == .max && histogram.count == 3 && histogram.worstNs == .max)
        #expect(histogram.quantileNs(perMille: 500) == .max)
        #expect(histogram.estimateNs(perMille: 999) ?? 0 > 0)
    }
}
