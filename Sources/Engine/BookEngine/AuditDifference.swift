// A difference found by an audit.

import DepthBook
import MarketData

/// A difference found by an audit.
public struct AuditDifference: Hashable, Sendable, BitwiseCopyable {
    /// Update id at which both books stood.
    public var at: UpdateID
    /// Side of the difference.
    public var side: Side
    /// The first differing level; `own` is from the served book, `other` from the venue's snapshot.
    public var level: LevelDifference
    /// Update id of the snapshot before it was brought to `at`.
    public var snapshotID: UpdateID
    /// Decimals of both.
    public var scales: SymbolScales

    /// The difference as text: `bid 61250.10: 0.300 here, 0.450 in the snapshot, at update id 7`.
    public var text: String {
        "\(side) \(scales.text(level.price)): \(scales.text(level.own)) here, "
            + "\(scales.text(level.other)) in the snapshot, at update id \(at)"
    }
}
