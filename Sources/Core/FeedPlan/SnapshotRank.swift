// Which of two snapshots of equal priority is wanted more.

/// Which of two snapshots of equal priority is wanted more.
public struct SnapshotRank: Hashable, Comparable, Sendable {
    /// Proven levels left on the worse side; `.max` where the side is known whole. For an audit, how often
    /// the book was proven: there may be more to prove than weight allows, and the symbol that has waited
    /// longest comes first, however often its audits came to nothing.
    public var provenLevelCount: Int
    /// Depth updates a minute.
    public var updatesPerMinute: Int

    /// A rank; by default the last.
    public init(provenLevelCount: Int = .max, updatesPerMinute: Int = 0) {
        self.provenLevelCount = provenLevelCount
        self.updatesPerMinute = updatesPerMinute
    }

    /// Fewer levels first, then more traffic.
    public static func < (a: SnapshotRank, b: SnapshotRank) -> Bool {
        (a.provenLevelCount, b.updatesPerMinute) < (b.provenLevelCount, a.updatesPerMinute)
    }
}
