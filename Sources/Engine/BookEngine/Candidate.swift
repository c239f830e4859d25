// A book built from a fresh snapshot beside the served one: to prove it, widen it, or replace it.
//
// ```
// state        input                               next         meaning
// requested    request sent, or not announced      collecting   keeps updates
//              snapshot                            joined       needs no earlier updates
// collecting   snapshot, chain begins beyond it    –            too old: requested again
//              snapshot                            joined
// joined       at the id of the served book        compared     the state both head for
//              compared: equal                     gone         served book proven, or replaced by it
//              compared: different                 gone         and so is the served book
//              ahead for too long                  gone         becomes the served book, or both are equal
//                                                               and the symbol is merely quiet
//              behind for too long                 gone         requested again; eventually the book goes
// any          gap, crossed, refuted, failed       gone         retried later
// ```

import DepthBook
import FeedPlan
import MarketData

/// A symbol's candidate: its purpose, what it awaits, and since when.
///
/// ```
/// input            verdict
/// mayServe(p)      yes while it has no snapshot and a lesser purpose; its purpose is then p
/// tooOld           when to request again: in half a second, then twice as long each time; never after four
/// turnToAsk        request now, once; or when to; or nothing to request
/// joined, isAhead  –
/// ```
struct Candidate {
    /// What to do about a snapshot that was too old.
    enum Turn: Hashable {
        /// Nothing to request.
        case none
        /// Not before this time.
        case wait(untilNs: Int64)
        /// Request one now.
        case ask
    }

    /// How far REST normally lags the stream.
    private static let restLagNs: Int64 = 500_000_000
    private static let tooOldMax = 4

    /// Its purpose.
    private(set) var purpose: SnapshotPriority
    /// When it was requested, on the engine's clock.
    let begunNs: Int64
    /// Its book and synchronizer; nil until updates or levels must be kept for it.
    var staging: SyncedBook?
    /// Progress of the comparison with the served book; nil while their ids differ.
    var comparison: BookComparison?
    /// Decimals in which the comparison started.
    var comparedScales: SymbolScales?
    /// When its snapshot arrived, on the engine's clock; nil before.
    private(set) var joinedNs: Int64?
    /// Since when its book has been ahead of the served one, on the engine's clock; nil while it is not.
    private var aheadSinceNs: Int64?
    /// Snapshots that were too old for the updates kept.
    private var tooOldCount = 0
    private var isAnswered = false
    private var askAgainNs: Int64?

    /// A candidate without data.
    init(_ purpose: SnapshotPriority, begunNs: Int64) {
        self.purpose = purpose
        self.begunNs = begunNs
    }

    /// The id its book stands at; nil before the snapshot.
    var id: UpdateID? { staging?.sync.lastID }

    /// A snapshot has come, of whatever use it is; true for the first.
    mutating func isAnsweredFirst() -> Bool {
        defer { isAnswered = true }
        return !isAnswered
    }

    /// Raises its urgency if it has a lesser purpose and no snapshot yet; false if that is impossible.
    mutating func mayServe(_ wanted: SnapshotPriority) -> Bool {
        if purpose <= wanted || id != nil { return false }
        purpose = wanted
        return true
    }

    /// Its snapshot has arrived and is joined.
    mutating func joined(nowNs: Int64) { joinedNs = nowNs }

    /// It has stood beyond the served book since this time.
    mutating func isAhead(sinceNs: Int64) { aheadSinceNs = sinceNs }

    /// Since when it has been ahead of a served book at this id; nil if it is not.
    func aheadSinceNs(of own: UpdateID?) -> Int64? {
        guard let aheadSinceNs, let own, let id, id > own else { return nil }
        return aheadSinceNs
    }

    /// When to give it up because no update leads on from behind the served book; nil if it is not behind.
    ///
    /// - Parameters:
    ///   - own: id of the served book.
    ///   - heardNs: when the last update arrived.
    ///   - limitNs: how long updates may take.
    func behindUntilNs(_ own: UpdateID?, heardNs: Int64, limitNs: Int64) -> Int64? {
        guard let joinedNs, let own, let id, id < own else { return nil }
        return max(joinedNs, heardNs) &+ Candidate.restLagNs &+ limitNs
    }

    /// Its first updates turned out to begin beyond its snapshot: it awaits another one.
    mutating func lostSnapshot() { joinedNs = nil }

    /// Its snapshot ends before the collected updates begin. The updates are kept, so that they are there for
    /// a snapshot requested half a second, or some seconds, later.
    ///
    /// - Returns: when to request again; nil if it is given up.
    mutating func tooOld(nowNs: Int64) -> Int64? {
        guard tooOldCount < Candidate.tooOldMax, staging?.sync.collectedID != nil else { return nil }
        let dueNs = nowNs &+ Candidate.restLagNs << Int64(tooOldCount)
        tooOldCount += 1
        askAgainNs = dueNs
        return dueNs
    }

    /// What to request after a snapshot that was too old.
    mutating func turnToAsk(nowNs: Int64) -> Turn {
        guard let dueNs = askAgainNs else { return .none }
        if dueNs > nowNs { return .wait(untilNs: dueNs) }
        askAgainNs = nil
        return .ask
    }
}
