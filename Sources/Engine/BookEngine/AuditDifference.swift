// The difference that an audit found.

import DepthBook
import MarketData

/// The difference that an audit found.
public struct AuditDifference: Hashable, Sendable, BitwiseCopyable {
    /// Update id at which both books stood.
    public var at: UpdateID
    /// Side of the difference.
    public var side: Side
    /// The first level that differs; `own` is the served book's, `other` the venue's snapshot's.
    public var level: LevelDifference
    /// Update id of the snapshot, before it was brought to `at`.
    public var snapshotID: UpdateID
    /// Decimals of both.
    public var scales: SymbolScales

    /// The difference for people: `bid 61250.10: 0.300 here, 0.450 in the snapshot, at update id 7`.
    public var text: String {
        "\(side) \(scales.text(level.price)): \(scales.text(level.own)) here, "
            + "\(scales.text(level.other)) in the snapshot, at update id \(at)"
    }
}
