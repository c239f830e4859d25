// What must hold after every frame. The checkers of each are in PipelineChecker*.swift; `Mistake` has for
// each a planted defect that it alone notices.
//
//     invariant     what must hold, and within which time
//     --------------|------------------------------------------------------------------------------------
//     levels        inside the proven range of a live book every level is the true one at its id, and none
//                   is missing
//     best          the best prices of a live view are proven, and the true ones at its id
//     shown         what is published is what the engine holds
//     crossed       no live view is crossed
//     handed        a live book is never behind an update that its connection handed to it, also before it
//                   was lost and rebuilt
//     carried       the venue has accepted the stream of a live book on its connection, but for a second
//     handover      a book that a planned renewal hands over has been seen on the new connection, or had no
//                   update on the old one meanwhile
//     unreadable    a message that may have been an update and could not be read costs trust, at once
//     dropped       so does one that was lost before the ring, at once; and the book is not live again behind
//                   it, unless a snapshot of the past has come
//     contradicted  a ticker of the very id of a live book agrees with it, at once
//     ahead         a ticker or partial depth ahead of a live book stays so for 2 s and two ticks; on
//                   futures, a ticker whose prices differ from the book's, while every later one does; and
//                   an update on another connection, for as much longer as a book may be late
//     silent        a live book's connection, if it was busy, is silent for 3 s and two ticks, while the
//                   venue sends
//     lagging       the last update of a live book came no later than `lagNsMax`, half a second and a tick
//     audit         a wrong level out of a false snapshot is gone after one and a half audit periods and 20 s
//                   in which the venue answers
//     missed        a book is not live when its stream is subscribed again, at once; and a live book is not
//                   behind what came between the two subscriptions, 2 s and two ticks after the answer to the
//                   second one
//     age           a live book is no more than 150 s behind what the venue sends, unless it bans us
//     alarms        without a false snapshot no ticker, partial depth, snapshot or audit contradicts a book
//     behind        a book is called behind only if it is
//     buffers       a buffer, all buffers together and the ring stay inside their bounds
//     terms         the venue has nothing to complain of: weights, requests during a ban, messages, dials
//     replica       a live book of the replica is the true one at its id, as far as it is proven, and has the
//                   digest of the primary's there; it comes back as the others do
//     recovery      when the faults have ended, every symbol is live and up to date in the stated time

/// One of the things that must hold after every frame.
package enum Invariant: String, CaseIterable, Sendable {
    /// See the table above.
    case levels, best, shown, crossed, handed, carried, handover, unreadable, dropped, contradicted, ahead
    /// See the table above.
    case silent, lagging, audit, missed, age, alarms, behind, buffers, terms, replica, recovery

    /// All of them.
    package static let all = Set(allCases)
    /// Those that follow from ids alone.
    package static let byIDs: Set<Invariant> = [
        .levels, .handed, .alarms, .behind, .buffers, .terms, .recovery,
    ]
}
