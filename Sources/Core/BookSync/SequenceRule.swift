// Where an update stands relative to a book, from update ids alone. One value per family of streams.
//
// An update lists the absolute quantity, as of its last id, of every level that changed after some id. Call
// that id where the update *begins*. Everything follows from it:
//
//     last id <= book's id                   nothing new                        stale
//     begins <= book's id < last id          no change lies between the two     connects, applied whole
//     book's id < begins                     a change lies between the two      gap
//
// Where it begins, and what an update that does not follow the one before means, is the venue's to say.
//
// Invariants that a rule keeps, for any ids at all, inverted and extreme ones included:
// * whatever connects moves the book forward, or leaves it where it is and only anchors the chain;
// * no arithmetic can overflow.

import MarketData

/// A sequence rule: two pure functions of ids.
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
}
