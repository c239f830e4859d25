// What an engine must know of a venue: a value, so that it knows no venue.

import MarketData

/// What holds for the ids and snapshots of all streams of an engine.
public struct VenueRules: Sendable {
    /// How updates follow a book and each other.
    public var sequence: SequenceRule
    /// Whether each update names the last id of the one before it; one that does not is malformed then.
    public var updatesAreLinked: Bool
    /// Whether every id belongs to an update of its symbol: then a ticker, a partial depth or a snapshot with
    /// a later id than the book's proves that updates are missing.
    public var idsAreContiguous: Bool
    /// Levels a side of the deepest snapshot: one that long may go on behind its end, whatever was asked for.
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
