// Order among snapshots of equal priority.

/// Order among snapshots of equal priority.
public struct SnapshotRank: Hashable, Comparable, Sendable {
    /// Proven levels left on the worse side; `.max` if the side is fully known. For an audit, how often the
    /// book was proven: weight may not suffice for all, and the symbol that has waited longest goes first,
    /// even if its earlier audits were inconclusive.
    public var provenLevelCount: Int
    /// Depth updates per minute.
    public var updatesPerMinute: Int

    /// A rank; the default is the last.
    public init(provenLevelCount: Int = .max, updatesPerMinute: Int = 0) {
        self.provenLevelCount = provenLevelCount
        self.updatesPerMinute = updatesPerMinute
    }

    /// Fewer levels first, then more traffic.
    public static func < (a: SnapshotRank, b: SnapshotRank) -> Bool {
        (a.provenLevelCount, b.updatesPerMinute) < (b.provenLevelCount, a.updatesPerMinute)
    }
}
