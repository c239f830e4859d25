// A distribution taken from real traffic: eleven percentiles, interpolated with integers.

/// A distribution given by its percentiles 0, 1, 5, 10, 25, 50, 75, 90, 95, 99 and 100.
///
/// Between two of them it is linear; in the last segment, where the tail is heaviest, quadratic.
package struct QuantileTable: Hashable, Sendable {
    /// The values at the eleven percentiles, ascending.
    package let values: [Int64]

    /// The percentile at which a segment starts. A switch, because a table would be bounds-checked and
    /// reference-counted at every draw.
    private static func start(_ segment: Int) -> UInt64 {
        switch segment {
        case 0: 0
        case 1: 1
        case 2: 5
        case 3: 10
        case 4: 25
        case 5: 50
        case 6: 75
        case 7: 90
        case 8: 95
        case 9: 99
        default: 100
        }
    }

    private static let lastSegment = 9

    /// The distribution with these eleven ascending values.
    package init(_ values: [Int64]) {
        precondition(values.count == QuantileTable.lastSegment + 2, "a table has eleven percentiles")
        precondition(zip(values, values.dropFirst()).allSatisfy { $0 <= $1 }, "percentiles ascend")
        self.values = values
    }

    /// A uniform distribution.
    package init(even range: ClosedRange<Int64>) {
        let width = range.upperBound - range.lowerBound
        self.init((0...10).map { range.lowerBound + width * Int64(QuantileTable.start($0)) / 100 })
    }

    /// The value below which a share `uniform / 2^32` of the distribution lies.
    package func value(at uniform: UInt32) -> Int64 {
        let position = UInt64(uniform) &* 100
        var segment = 0
        while segment < QuantileTable.lastSegment && position >= QuantileTable.start(segment + 1) &<< 32 {
            segment += 1
        }
        let start = QuantileTable.start(segment)
        let width = QuantileTable.start(segment + 1) - start
        var fraction = (position &- start &<< 32) / width
        if segment == QuantileTable.lastSegment { fraction = (fraction &* fraction) &>> 32 }
        let low = values[segment]
        let scaled = UInt64(values[segment + 1] - low).multipliedFullWidth(by: fraction)
        return low + Int64(bitPattern: scaled.high &<< 32 | scaled.low &>> 32)
    }

    /// A random value.
    package func draw(_ random: inout SeededRandom) -> Int64 { value(at: random.uniform()) }

    /// The value of `other` at the percentile at which this distribution has `value`.
    package func counterpart(of value: Int64, in other: QuantileTable) -> Int64 {
        var segment = 0
        while segment < QuantileTable.lastSegment && value >= values[segment + 1] { segment += 1 }
        let width = values[segment + 1] - values[segment]
        let low = other.values[segment]
        if width == 0 { return low }
        let into = min(Swift.max(value - values[segment], 0), width)
        return low + (other.values[segment + 1] - low) * into / width
    }
}
