// Depth of a snapshot and its cost.

/// A snapshot limit and its cost.
public struct SnapshotLimit: Hashable, Sendable {
    /// Most levels per side.
    public var levelCount: Int
    /// Request weight.
    public var weight: Int

    /// A limit and its weight.
    public init(levelCount: Int, weight: Int) {
        self.levelCount = levelCount
        self.weight = weight
    }
}
