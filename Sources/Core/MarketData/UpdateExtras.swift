// What some senders add to a depth update: venues a checksum, servers of this package how far their own book
// is proven.
//
// Invariant: the ranges only ever make a book's own narrower, so that they may be taken from anybody.

/// Members of a depth update that most updates do not have.
public struct UpdateExtras: Hashable, Sendable, BitwiseCopyable {
    /// The sender's checksum of the book after this update; nil if it sends none.
    public var checksum: UInt32?
    /// How far the sender's bids are proven after this update; unbounded if it says nothing.
    public var provenBids = ProvenRange.unbounded
    /// How far the sender's asks are proven after this update; unbounded if it says nothing.
    public var provenAsks = ProvenRange.unbounded
    /// Decimals of the prices of both ranges.
    public var priceDecimals: UInt8 = 0

    /// Nothing.
    public init() {}

    /// What this and a later update prove together: no more than either. Checksums are of one update, and
    /// are left out.
    package func narrowed(by other: UpdateExtras) -> UpdateExtras {
        var both = UpdateExtras()
        both.priceDecimals = max(priceDecimals, other.priceDecimals)
        both.provenBids = range(.bid, both.priceDecimals)
            .narrowed(by: other.range(.bid, both.priceDecimals), on: .bid)
        both.provenAsks = range(.ask, both.priceDecimals)
            .narrowed(by: other.range(.ask, both.priceDecimals), on: .ask)
        return both
    }

    /// A side's range with these decimals, or the next narrower one.
    package func range(_ side: Side, _ decimals: UInt8) -> ProvenRange {
        (side == .bid ? provenBids : provenAsks).fitted(from: priceDecimals, to: decimals, on: side)
    }
}
