// What to do about a contradiction by the venue itself.

/// What to do when the venue's own best price or top of book contradicts ours at the same update id.
public enum MismatchPolicy: Hashable, Sendable {
    /// Count it, flag the book as stale and rebuild it.
    case resync
    /// Count it.
    case count
}
