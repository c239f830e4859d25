// How late updates arrived over a whole run: worst and median, from counts in buckets that grow by a quarter,
// so that no single value has to be kept.

/// Lags of one book or of many.
package struct LagMeter: Sendable {
    /// Four buckets for each doubling, from a microsecond to beyond an hour.
    private static let bucketCount = 4 * 33
    private static let smallestNs: Int64 = 1_000

    private var counts: [Int]
    /// Lags added.
    package private(set) var count = 0
    /// The worst, in nanoseconds; nil before the first.
    package private(set) var worstNs: Int64?

    /// A meter without lags.
    package init() { counts = [Int](repeating: 0, count: LagMeter.bucketCount) }

    /// Adds a lag in nanoseconds; below 0 it counts as 0.
    package mutating func add(ns: Int64) {
        let ns = max(ns, 0)
        worstNs = max(worstNs ?? 0, ns)
        count += 1
        counts[LagMeter.bucket(ns)] += 1
    }

    /// Adds all of another meter.
    package mutating func add(_ other: LagMeter) {
        for index in counts.indices { counts[index] += other.counts[index] }
        count += other.count
        if let worst = other.worstNs { worstNs = max(worstNs ?? 0, worst) }
    }

    /// The median in nanoseconds, at most a quarter too large; nil before the first.
    package var medianNs: Int64? {
        guard let worstNs else { return nil }
        var rest = (count + 1) / 2
        for (index, count) in counts.enumerated() {
            rest -= count
            if rest <= 0 { return min(LagMeter.upperNs(index), worstNs) }
        }
        return worstNs
    }

    private static func bucket(_ ns: Int64) -> Int {
        if ns < smallestNs { return 0 }
        let us = UInt64(ns / smallestNs)
        let doublings = 63 - us.leadingZeroBitCount
        // The two bits after the first one tell the quarter.
        let quarter =
            doublings >= 2 ? Int((us >> UInt64(doublings - 2)) & 3) : Int((us << UInt64(2 - doublings)) & 3)
        return min(1 + 4 * doublings + quarter, bucketCount - 1)
    }

    /// The largest lag of a bucket.
    private static func upperNs(_ bucket: Int) -> Int64 {
        if bucket == 0 { return 0 }
        let (doublings, quarter) = ((bucket - 1) / 4, Int64((bucket - 1) % 4))
        return (smallestNs << Int64(doublings)) / 4 * (5 + quarter)
    }
}
