// A histogram of durations, in buckets four to a doubling: gives any quantile; monitoring gets the doublings.
//
// Invariant: `counts` add up to `count`. The bound that represents a duration exceeds it by at most a
// quarter.
//
// Stored inline, so that it can be passed to other threads through a mailbox.

/// Distribution of a duration over a whole run.
package struct LatencyHistogram: Hashable, Sendable, BitwiseCopyable {
    private static let smallestNs: Int64 = 1_000
    private static let doublingCount = 25

    private var counts = InlineArray<102, Int>(repeating: 0)
    /// Number of durations added.
    package private(set) var count = 0
    /// Their sum in nanoseconds, saturating.
    package private(set) var sumNs: Int64 = 0
    /// The longest, in nanoseconds; nil before the first.
    package private(set) var worstNs: Int64?

    /// An empty histogram.
    package init() {}

    /// Adds a duration in nanoseconds; a negative one counts as 0.
    package mutating func add(ns: Int64) {
        let ns = max(ns, 0)
        counts[LatencyHistogram.bucket(ns)] += 1
        count += 1
        let (sum, isHuge) = sumNs.addingReportingOverflow(ns)
        sumNs = isHuge ? .max : sum
        worstNs = max(worstNs ?? 0, ns)
    }

    /// Adds all durations of another histogram.
    package mutating func add(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        count += other.count
        let (sum, isHuge) = sumNs.addingReportingOverflow(other.sumNs)
        sumNs = isHuge ? .max : sum
        if let worst = other.worstNs { worstNs = max(worstNs ?? 0, worst) }
    }

    package static func == (a: LatencyHistogram, b: LatencyHistogram) -> Bool {
        a.buckets == b.buckets && a.sumNs == b.sumNs && a.worstNs == b.worstNs
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(buckets)
        hasher.combine(sumNs)
    }

    /// The count of each bucket, for a file.
    package var buckets: [Int] { counts.indices.map { counts[$0] } }

    /// A histogram from stored counts; nil if they are inconsistent.
    ///
    /// - Parameters:
    ///   - buckets: as returned by `buckets`.
    ///   - sumNs: sum of all durations.
    ///   - worstNs: the longest.
    package init?(buckets: [Int], sumNs: Int64, worstNs: Int64?) {
        if buckets.count != counts.count || buckets.contains(where: { $0 < 0 }) || sumNs < 0 { return nil }
        var sum = 0
        for bucket in buckets {
            let (next, isHuge) = sum.addingReportingOverflow(bucket)
            if isHuge { return nil }
            sum = next
        }
        if (sum > 0) != (worstNs != nil) { return nil }
        for index in buckets.indices { counts[index] = buckets[index] }
        count = sum
        (self.sumNs, self.worstNs) = (sumNs, worstNs)
    }

    /// The duration that `perMille` in a thousand do not exceed, at most a quarter too large; from 33 s on,
    /// the longest one. Nil if empty.
    package func quantileNs(perMille: Int) -> Int64? {
        guard let worstNs else { return nil }
        var rest = max((count * perMille + 999) / 1_000, 1)
        for index in counts.indices {
            rest -= counts[index]
            if rest <= 0 { return index == counts.count - 1 ? worstNs : min(bound(index), worstNs) }
        }
        return worstNs
    }

    /// The median, as `quantileNs`.
    package var medianNs: Int64? { quantileNs(perMille: 500) }

    /// The same estimated: as if the durations of a bucket lay evenly in it. Nil if empty.
    package func estimateNs(perMille: Int) -> Int64? {
        guard let worstNs else { return nil }
        var rest = max((count * perMille + 999) / 1_000, 1)
        var low: Int64 = 0
        for index in counts.indices {
            let high = index == counts.count - 1 ? worstNs : min(bound(index), worstNs)
            if rest <= counts[index] {
                let width = Double(high - low) * Double(rest) / Double(counts[index])
                return width < 1e18 ? low + Int64(width) : high
            }
            rest -= counts[index]
            low = high
        }
        return worstNs
    }

    /// For each doubling its bound in nanoseconds and the number of durations below it.
    package var doublings: [(boundNs: Int64, count: Int)] {
        var (found, sum): ([(boundNs: Int64, count: Int)], Int) = ([], counts[0])
        found.append((LatencyHistogram.smallestNs, sum))
        for doubling in 0..<LatencyHistogram.doublingCount {
            for quarter in 1...4 { sum += counts[4 * doubling + quarter] }
            found.append((LatencyHistogram.smallestNs << Int64(doubling + 1), sum))
        }
        return found
    }

    private static func bucket(_ ns: Int64) -> Int {
        if ns < smallestNs { return 0 }
        let doubling = 63 - (ns / smallestNs).leadingZeroBitCount
        if doubling >= doublingCount { return 1 + 4 * doublingCount }
        let low = smallestNs << Int64(doubling)
        return 1 + 4 * doubling + Int((ns - low) * 4 / low)
    }

    /// Lower bound of the next bucket.
    private func bound(_ bucket: Int) -> Int64 {
        if bucket == 0 { return LatencyHistogram.smallestNs }
        let low = LatencyHistogram.smallestNs << Int64((bucket - 1) / 4)
        return low + low / 4 * Int64((bucket - 1) % 4 + 1)
    }
}
