// The engine's rules for a market.

import BookSync

extension Market {
    /// The rules of its streams and snapshots.
    public var rules: VenueRules {
        VenueRules(
            sequence: .of(self), updatesAreLinked: updatesAreLinked, idsAreContiguous: self == .spot,
            snapshotLevelCountMax: snapshotLimit(atLeast: .max).levelCount)
    }

    /// Whether each depth update names the last id of the previous one, `pu`.
    @inlinable
    public var updatesAreLinked: Bool { self != .spot }
}
