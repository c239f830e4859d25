// A book that is built beside the served one from a fresh snapshot: to prove it, to widen it, or to take its
// place.
//
// ```
// state        input                               next         meaning
// requested    request sent, or nobody says so     collecting   keeps updates
//              snapshot                            joined       it needs none that came before
// collecting   snapshot, chain begins beyond it    –            too old: asked for again
//              snapshot                            joined
// joined       at the id of the served book        compared     whatever the two wait for
//              compared: equal                     gone         served book proven, or replaced by it
//              compared: different                 gone         and so is the served book
//              ahead for too long                  gone         it is the served book from now on, or both
//                                                               are equal and the symbol is merely quiet
//              behind for too long                 gone         asked for again; in the end the book goes
// any          gap, crossed, refuted, failed       gone         tried again later
// ```

import DepthBook
import FeedPlan
import MarketData

/// A candidate of one symbol: what it is for, what it waits for, and since when.
///
/// ```
/// input            verdict
/// mayServe(p)      yes while it has no snapshot and was begun for less; it is for p then
/// tooOld           when to ask again: half a second later, then twice as long each time; never after four
/// turnToAsk        ask, once; or the time when to; or nothing to ask for
/// joined, isAhead  –
/// ```
struct Candidate {
    /// What to do about a snapshot that was too old.
    enum Turn: Hashable {
        /// Nothing is to be asked for.
        case none
        /// Not before this time.
        case wait(untilNs: Int64)
        /// Ask for one now.
        case ask
    }

    /// How far REST may usually be behind the stream.
    private static let restLagNs: Int64 = 500_000_000
    private static let tooOldMax = 4

    /// What it is for.
    private(set) var purpose: SnapshotPriority
    /// When it was requested, on the engine's clock.
    let begunNs: Int64
    /// Its book and the synchronizer of that; nil until somebody has to keep updates or levels for it.
    var staging: SyncedBook?
    /// How far the comparison with the served book has come; nil while their ids differ.
    var comparison: BookComparison?
    /// The decimals in which that was begun.
    var comparedScales: SymbolScales?
    /// When its snapshot came, on the engine's clock; nil before.
    private(set) var joinedNs: Int64?
    /// Since when its book is ahead of the served one, on the engine's clock; later by the lag of a stream
    /// that is late. Nil while it is not.
    private var aheadSinceNs: Int64?
    /// Snapshots that were too old for the updates kept.
    private var tooOldCount = 0
    private var askAgainNs: Int64?

    /// A candidate that has nothing yet.
    init(_ purpose: SnapshotPriority, begunNs: Int64) {
        self.purpose = purpose
        self.begunNs = begunNs
    }

    /// The id its book stands at; nil before the snapshot.
    var id: UpdateID? { staging?.sync.lastID }

    /// Makes it more urgent if it was begun for less and has no snapshot yet; false if that is of no use.
    mutating func mayServe(_ wanted: SnapshotPriority) -> Bool {
        if purpose <= wanted || id != nil { return false }
        purpose = wanted
        return true
    }

    /// Its snapshot has come and is joined.
    mutating func joined(nowNs: Int64) { joinedNs = nowNs }

    /// It stands beyond the served book since this time.
    mutating func isAhead(sinceNs: Int64) { aheadSinceNs = sinceNs }

    /// Since when it has been ahead of a served book at this id, nil if it is not.
    func aheadSinceNs(of own: UpdateID?) -> Int64? {
        guard let aheadSinceNs, let own, let id, id > own else { return nil }
        return aheadSinceNs
    }

    /// When it is given up because no update leads on from behind the served book; nil if it is not behind.
    ///
    /// - Parameters:
    ///   - own: where the served book stands.
    ///   - heardNs: when the last update came.
    ///   - limitNs: how long updates may take.
    func behindUntilNs(_ own: UpdateID?, heardNs: Int64, limitNs: Int64) -> Int64? {
        guard let joinedNs, let own, let id, id < own else { return nil }
        return max(joinedNs, heardNs) &+ Candidate.restLagNs &+ limitNs
    }

    /// The chain of its first updates turned out to begin beyond its snapshot: it waits for another one.
    mutating func lostSnapshot() { joinedNs = nil }

    /// Its snapshot ends before what was collected begins. The updates are kept, so that one asked for half a
    /// second later finds them; or one some seconds later.
    ///
    /// - Returns: when to ask again; nil if it is given up.
    mutating func tooOld(nowNs: Int64) -> Int64? {
        guard tooOldCount < Candidate.tooOldMax, staging?.sync.collectedID != nil else { return nil }
        let dueNs = nowNs &+ Candidate.restLagNs << Int64(tooOldCount)
        tooOldCount += 1
        askAgainNs = dueNs
        return dueNs
    }

    /// What to ask for now after a snapshot that was too old.
    mutating func turnToAsk(nowNs: Int64) -> Turn {
        guard let dueNs = askAgainNs else { return .none }
        if dueNs > nowNs { return .wait(untilNs: dueNs) }
        askAgainNs = nil
        return .ask
    }
}
