// Order statistics: medians over repetitions and percentiles of one repetition's messages.

import Histogram

typealias LatencyHistogram = Histogram<UInt64>

extension LatencyHistogram {
    /// A histogram of ticks with three significant digits; 2^34 ticks are seconds on every known counter.
    static func ofTicks() -> LatencyHistogram {
        LatencyHistogram(highestTrackableValue: 1 << 34, numberOfSignificantValueDigits: .three)
    }
}

/// Percentiles of single-message times.
struct LatencyProfile {
    var p50 = 0.0
    var p90 = 0.0
    var p99 = 0.0
    var p999 = 0.0
    var max = 0.0

    init() {}

    /// The percentiles of a histogram of ticks, in ticks.
    init(_ histogram: LatencyHistogram) {
        p50 = Double(histogram.valueAtPercentile(50))
        p90 = Double(histogram.valueAtPercentile(90))
        p99 = Double(histogram.valueAtPercentile(99))
        p999 = Double(histogram.valueAtPercentile(99.9))
        max = Double(histogram.maxRecorded)
    }

    /// The median of every percentile over repetitions.
    init(medianOf profiles: [LatencyProfile]) {
        p50 = median(profiles.map(\.p50))
        p90 = median(profiles.map(\.p90))
        p99 = median(profiles.map(\.p99))
        p999 = median(profiles.map(\.p999))
        max = median(profiles.map(\.max))
    }

    /// The same in another unit.
    func scaled(by factor: Double) -> LatencyProfile {
        var copy = self
        copy.p50 *= factor
        copy.p90 *= factor
        copy.p99 *= factor
        copy.p999 *= factor
        copy.max *= factor
        return copy
    }
}

/// The middle value, or the mean of the two middle ones; 0 of nothing.
func median(_ values: [Double]) -> Double { quantile(values, 0.5) }

/// The value below which this share of the values lies, interpolated; 0 of nothing.
func quantile(_ values: [Double], _ share: Double) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    let position = share * Double(sorted.count - 1)
    let below = Int(position)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (sorted[above] - sorted[below]) * (position - Double(below))
}
