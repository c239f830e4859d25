// Times so long that nothing ever ends them, in a form that can be added up.

/// Lengths of time, kept so small that sums of them, and their nanoseconds, are numbers.
public enum TimeLimit {
    /// Longest time that is told from never, in milliseconds: 31 years.
    public static var longestMs: Int64 { 1_000_000_000_000 }

    /// A time in milliseconds; one beyond `longestMs` is `longestMs`.
    public static func ms(_ ms: Int64) -> Int64 { min(ms, longestMs) }

    /// A time in milliseconds; one beyond `longestMs` is `longestMs`.
    public static func ms(_ ms: Int) -> Int { Int(min(Int64(ms), longestMs)) }

    /// Nanoseconds of a time in milliseconds; one beyond `longestMs` counts as that, one below 0 as 0.
    public static func ns(_ ms: Int64) -> Int64 { min(max(ms, 0), longestMs) * 1_000_000 }
}
