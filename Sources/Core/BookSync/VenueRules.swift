// The venue properties the engine depends on, passed as a value so that the engine knows no venue.

import MarketData

/// How ids and snapshots behave on all streams of an engine.
public struct VenueRules: Sendable {
    /// How updates follow a book and each other.
    public var sequence: SequenceRule
    /// Whether each update names the last id of the previous one; if so, an update without it is malformed.
    public var updatesAreLinked: Bool
    /// Whether every id belongs to an update of its symbol. If so, a ticker, partial depth or snapshot with a
    /// later id than the book's proves that updates are missing.
    public var idsAreContiguous: Bool
    /// Levels per side of the deepest snapshot. A side of this length may be truncated, whatever was
    /// requested.
    public var snapshotLevelCountMax: Int

    /// Rules of a venue.
    public init(
        sequence: SequenceRule, updatesAreLinked: Bool, idsAreContiguous: Bool, snapshotLevelCountMax: Int
    ) {
        self.sequence = sequence
        self.updatesAreLinked = updatesAreLinked
        self.idsAreContiguous = idsAreContiguous
        self.snapshotLevelCountMax = snapshotLevelCountMax
    }
}
