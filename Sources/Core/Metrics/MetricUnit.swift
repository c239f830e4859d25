// Units of stored numbers.

/// Unit of a stored number.
package enum MetricUnit: Sendable, CaseIterable {
    /// Plain counts.
    case count
    /// Bytes.
    case bytes
    /// Nanoseconds, a duration or since 1970.
    case nanoseconds
    /// Microseconds.
    case microseconds
    /// Milliseconds.
    case milliseconds

    /// Number of this unit in one base unit.
    var perBaseUnit: Double {
        switch self {
        case .count, .bytes: 1
        case .nanoseconds: 1e9
        case .microseconds: 1e6
        case .milliseconds: 1e3
        }
    }
}
