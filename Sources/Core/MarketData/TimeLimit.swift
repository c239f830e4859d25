// Durations clamped so that sums never overflow, even of values that mean "never".

/// Durations clamped so that neither their sums nor their nanoseconds overflow.
package enum TimeLimit {
    /// Longest duration distinguished from "never", in milliseconds: 31 years.
    package static var longestMs: Int64 { 1_000_000_000_000 }

    /// Milliseconds, at most `longestMs`.
    package static func ms(_ ms: Int64) -> Int64 { min(ms, longestMs) }

    /// Milliseconds, at most `longestMs`.
    package static func ms(_ ms: Int) -> Int { Int(min(Int64(ms), longestMs)) }

    /// Milliseconds as nanoseconds, clamped to 0 … `longestMs`.
    package static func ns(_ ms: Int64) -> Int64 { min(max(ms, 0), longestMs) * 1_000_000 }

    /// A duration in milliseconds, rounded away from zero and clamped to ±`longestMs`.
    package static func ms(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        let longestSeconds = longestMs / 1000
        if seconds >= longestSeconds { return longestMs }
        if seconds <= -longestSeconds { return -longestMs }
        let perMs: Int64 = 1_000_000_000_000_000
        let isWhole = attoseconds % perMs == 0
        return seconds * 1000 + attoseconds / perMs + (isWhole ? 0 : attoseconds.signum())
    }
}
