// How deep a snapshot may be, and what it costs.

/// A snapshot limit and what it costs.
public struct SnapshotLimit: Hashable, Sendable {
    /// Levels a side at most.
    public var levelCount: Int
    /// Request weight.
    public var weight: Int

    /// A limit and its weight.
    public init(levelCount: Int, weight: Int) {
        self.levelCount = levelCount
        self.weight = weight
    }
}
