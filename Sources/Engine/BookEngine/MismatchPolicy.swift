// Reaction to a contradiction by the venue itself.

/// Reaction when the venue's own best price or top of book contradicts ours at the same update id.
public enum MismatchPolicy: Hashable, Sendable {
    /// Count it, mark the book stale and rebuild it.
    case resync
    /// Only count it.
    case count
}
