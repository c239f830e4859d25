// The relation of an update to a book, from update ids alone. One value per family of streams.
//
// An update lists the absolute quantity, as of its last id, of every level that changed after some id. Call
// that id where the update *begins*. Then:
//
//     last id <= book's id                   nothing new                        stale
//     begins <= book's id < last id          no change lies between the two     connects, applied whole
//     book's id < begins                     a change lies between the two      gap
//
// The venue defines where an update begins and what it means if it does not follow the previous one.
//
// Invariants of every rule, for arbitrary ids, inverted and extreme ones included:
// * an update that connects moves the book forward, or leaves it in place and only anchors the chain;
// * no arithmetic can overflow.

import MarketData

/// A sequence rule: two pure functions of ids.
///
/// A value rather than a type: the engine need not be generic over it, and tests can pass a wrong one.
public struct SequenceRule: Sendable {
    /// Judges an update against a book that no update of the current subscription has reached yet: one loaded
    /// from a snapshot, or one kept across a change of connection.
    public let join: @Sendable (UpdateRange, UpdateID) -> Continuity
    /// Judges an update against the last id of the previous updates.
    public let follow: @Sendable (UpdateRange, UpdateID) -> Continuity

    /// A rule made of these two functions.
    public init(
        join: @escaping @Sendable (UpdateRange, UpdateID) -> Continuity,
        follow: @escaping @Sendable (UpdateRange, UpdateID) -> Continuity
    ) {
        self.join = join
        self.follow = follow
    }
}
