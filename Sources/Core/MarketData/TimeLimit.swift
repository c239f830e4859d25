// Durations clamped so that they can be added up, even those that stand for "never".

/// Durations, clamped so that sums of them, and their nanoseconds, never overflow.
package enum TimeLimit {
    /// Longest duration that is distinguished from "never", in milliseconds: 31 years.
    package static var longestMs: Int64 { 1_000_000_000_000 }

    /// A time in milliseconds; one beyond `longestMs` is `longestMs`.
    package static func ms(_ ms: Int64) -> Int64 { min(ms, longestMs) }

    /// A time in milliseconds; one beyond `longestMs` is `longestMs`.
    package static func ms(_ ms: Int) -> Int { Int(min(Int64(ms), longestMs)) }

    /// Nanoseconds of a time in milliseconds; one beyond `longestMs` counts as that, one below 0 as 0.
    package static func ns(_ ms: Int64) -> Int64 { min(max(ms, 0), longestMs) * 1_000_000 }

    /// Milliseconds of a duration, rounded away from zero; one beyond `longestMs` either way is as long as
    /// that.
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
