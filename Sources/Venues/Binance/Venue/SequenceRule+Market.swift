// The sequence rule of a market.
//
// An update begins at `U - 1` on spot, at `pu` on futures. Spot ids count every change, so ranges alone show
// a loss, and an update that overlaps the book is applied whole: its quantities are those of its last id.
// Futures ids have holes, so `U` says nothing and is not used; only the link `pu` can show a loss.
//
// The published procedures differ from this in four places; the rules here are the corrected ones:
// * spot, first update: `U <= lastUpdateId` would reject the clean boundary `U == lastUpdateId + 1`;
// * spot, snapshot too old: `lastUpdateId < U` would reject the same pair from the other end;
// * futures, first update: `U <= lastUpdateId` would reject `pu == lastUpdateId`, which is exact and common;
// * futures, duplicate: an update wholly inside the book is ignored and does not break the chain.
//
// Futures, `pu < book's id < u` once updates are chained: within one subscription every update begins where
// the previous one ended, so this cannot result from loss, duplication or reordering. The venue has broken
// its own chain. The quantities may well be right, but nothing proves it, and a snapshot costs little: it
// counts as a gap. The same shape is exact, and connects, while the chain is young: after a snapshot or as
// the first update of a new subscription, which is what `join` is for. A futures update that ends exactly at
// the snapshot also connects, and leaves the book where it is.

import BookSync
import MarketData

extension SequenceRule {
    /// Spot: ids are contiguous; ranges decide, at the start and later alike.
    public static let spot = SequenceRule(join: spotRange, follow: spotRange)

    /// USD-M and COIN-M futures: ids have holes, the link to the previous update decides.
    public static let futures = SequenceRule(join: futuresJoin, follow: futuresLink)

    /// The rule of a market.
    public static func of(_ market: Market) -> SequenceRule {
        switch market {
        case .spot: .spot
        case .usdm, .coinm: .futures
        }
    }
}

/// Stale iff `u <= L`; gap iff `U > L + 1`. After the first test `L < u`, so `L + 1` cannot overflow.
private func spotRange(_ update: UpdateRange, _ book: UpdateID) -> Continuity {
    if update.last <= book { return .stale }
    return update.first.value > book.value + 1 ? .gap : .connects
}

/// Stale iff `u < lastUpdateId`; connects iff `pu <= lastUpdateId <= u`. An update that ends exactly at the
/// snapshot changes nothing but anchors the chain. The parser rejects a futures update without `pu`; here it
/// is a gap.
private func futuresJoin(_ update: UpdateRange, _ book: UpdateID) -> Continuity {
    if update.last < book { return .stale }
    guard let begins = update.previousLast else { return .gap }
    return begins > book ? .gap : .connects
}

/// Stale iff `u <= L`; connects iff `pu == L`.
private func futuresLink(_ update: UpdateRange, _ book: UpdateID) -> Continuity {
    if update.last <= book { return .stale }
    return update.previousLast == book ? .connects : .gap
}

extension SequenceRule {
    /// Futures whose connections were recorded together: an update that begins before the book's id and ends
    /// after it lists whatever changed after the book, since its own connection has missed nothing.
    package static let severalConnections = SequenceRule(join: futures.join) { event, book in
        if event.last <= book { return .stale }
        guard let begins = event.previousLast else { return .gap }
        return begins > book ? .gap : .connects
    }
}
