// The units that numbers are counted in.

/// Unit of a stored number.
package enum MetricUnit: Sendable, CaseIterable {
    /// Things.
    case count
    /// Bytes.
    case bytes
    /// Nanoseconds, of a span or since 1970.
    case nanoseconds
    /// Microseconds.
    case microseconds
    /// Milliseconds.
    case milliseconds

    /// What the name of a metric ends with, before `_total`: its base unit; "" for things.
    package var suffix: String {
        switch self {
        case .count: ""
        case .bytes: "_bytes"
        case .nanoseconds, .microseconds, .milliseconds: "_seconds"
        }
    }

    /// How many of this unit make one of the base unit.
    var perBaseUnit: Double {
        switch self {
        case .count, .bytes: 1
        case .nanoseconds: 1e9
        case .microseconds: 1e6
        case .milliseconds: 1e3
        }
    }
}
