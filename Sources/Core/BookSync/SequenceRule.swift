// Where an update stands relative to a book, from update ids alone. One value per family of markets.
//
// An update lists the absolute quantity, as of its last id, of every level that changed after some id. Call
// that id where the update *begins*: `U - 1` on spot, `pu` on futures. Everything follows from it:
//
//     last id <= book's id                   nothing new                        stale
//     begins <= book's id < last id          no change lies between the two     connects, applied whole
//     book's id < begins                     a change lies between the two      gap
//
// Spot ids count every change, so ranges alone show a loss, and an update that overlaps the book is applied
// whole: its quantities are those of its last id. Futures ids have holes, so `U` says nothing and is not
// read; only the link `pu` can show a loss.
//
// The published procedures differ from this in four places; the rules here are the corrected ones:
// * spot, first update: `U <= lastUpdateId` would reject the clean boundary `U == lastUpdateId + 1`;
// * spot, snapshot too old: `lastUpdateId < U` would reject the same pair from the other end;
// * futures, first update: `U <= lastUpdateId` would reject `pu == lastUpdateId`, which is exact and common;
// * futures, duplicate: an update that is wholly in the book is ignored and does not break the chain.
//
// Futures, `pu < book's id < u` once updates are chained: within one subscription every update begins where
// the one before it ended, so this cannot come from loss, duplication or reordering. The venue has broken its
// own chain. The quantities may well be right, but nothing proves it, and a snapshot costs little: it counts
// as a gap. The same shape is exact, and connects, where the chain is young: after a snapshot or as the first
// update of a new subscription, which is what `join` is for.
//
// Invariants, for any ids at all, inverted and extreme ones included:
// * whatever connects moves the book forward, or (futures join at `u == lastUpdateId`) leaves it where it is;
// * no arithmetic can overflow.

import MarketData

/// The sequence rule of a family of markets: two pure functions of ids.
///
/// A value rather than a type: the engine need not be generic over it, and a test can pass a wrong one.
public struct SequenceRule: Sendable {
    /// Judges an update against a book at this id that no update of the present subscription has reached yet:
    /// one loaded from a snapshot, or one kept across a change of connection.
    public let join: @Sendable (UpdateRange, UpdateID) -> Continuity
    /// Judges an update against the last id of the updates before it.
    public let follow: @Sendable (UpdateRange, UpdateID) -> Continuity

    /// A rule of these two functions.
    public init(
        join: @escaping @Sendable (UpdateRange, UpdateID) -> Continuity,
        follow: @escaping @Sendable (UpdateRange, UpdateID) -> Continuity
    ) {
        self.join = join
        self.follow = follow
    }

    /// Spot: ids are contiguous, so ranges decide, at the start and later alike.
    public static let spot = SequenceRule(join: spotRange, follow: spotRange)

    /// USD-M and COIN-M futures: ids have holes, so the link to the update before decides.
    public static let futures = SequenceRule(join: futuresJoin, follow: futuresLink)
}

/// Stale iff `u <= L`; gap iff `U > L + 1`. After the first test `L < u`, so `L + 1` cannot overflow.
private func spotRange(_ event: UpdateRange, _ book: UpdateID) -> Continuity {
    if event.last <= book { return .stale }
    return event.first.value > book.value + 1 ? .gap : .connects
}

/// Stale iff `u < lastUpdateId`; connects iff `pu <= lastUpdateId <= u`. An update that ends exactly at the
/// snapshot changes nothing, but anchors the chain. A futures update without `pu` is refused by the parser;
/// here it is a gap.
private func futuresJoin(_ event: UpdateRange, _ book: UpdateID) -> Continuity {
    if event.last < book { return .stale }
    guard let begins = event.previousLast else { return .gap }
    return begins > book ? .gap : .connects
}

/// Stale iff `u <= L`; connects iff `pu == L`.
private func futuresLink(_ event: UpdateRange, _ book: UpdateID) -> Continuity {
    if event.last <= book { return .stale }
    return event.previousLast == book ? .connects : .gap
}
