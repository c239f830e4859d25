// Requests for this venue's snapshots.

import FeedPlan

extension SnapshotPlanner {
    /// Requests a snapshot of a symbol with at least `levelCount` levels per side, or the deepest there is.
    ///
    /// - Parameters:
    ///   - key: the symbol and its market.
    ///   - priority: its purpose.
    ///   - levelCount: minimum levels per side.
    ///   - attempt: consecutive failed snapshots of this symbol so far; the request waits accordingly.
    ///   - rank: its place among those of equal priority.
    ///   - nowMs: the time.
    public mutating func request(
        _ key: SnapshotKey, _ priority: SnapshotPriority, levelCount: Int, attempt: Int = 0,
        rank: SnapshotRank = SnapshotRank(), nowMs: Int64
    ) -> Acceptance {
        precondition(key.market.weightPool == pool, "a symbol of another weight pool")
        let limit = key.market.snapshotLimit(atLeast: levelCount)
        return request(key, priority, limit, attempt: attempt, rank: rank, nowMs: nowMs)
    }
}
