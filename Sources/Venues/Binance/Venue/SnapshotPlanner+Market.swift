// Requests for this venue's snapshots.

import FeedPlan

extension SnapshotPlanner {
    /// Asks for a snapshot of a symbol with at least `levelCount` levels a side, as far as the market has
    /// such.
    ///
    /// - Parameters:
    ///   - key: the symbol and its market.
    ///   - priority: what the snapshot is for.
    ///   - levelCount: levels a side to have at least.
    ///   - attempt: fruitless snapshots of this symbol in a row before this one; it waits accordingly.
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
