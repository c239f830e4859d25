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

/// Candidates of a kind in a row that came to nothing, and when the next may begin.
struct CandidateRetry {
    private(set) var failures = 0
    var notBeforeNs: Int64 = 0
    private let doublingsMax: Int

    /// - Parameter doublingsMax: how often 1.25 s are doubled, at most.
    init(doublingsMax: Int) { self.doublingsMax = doublingsMax }

    /// What somebody waits for: 40 s at most.
    static let urgent = CandidateRetry(doublingsMax: 5)
    /// What may wait: eleven minutes at most.
    static let optional = CandidateRetry(doublingsMax: 9)

    /// One more failed.
    mutating func failed(nowNs: Int64) {
        failures = min(failures + 1, 9)
        notBeforeNs = nowNs &+ 1_250_000_000 << Int64(min(failures, doublingsMax))
    }
}

/// A candidate of one symbol.
struct Candidate {
    /// What it is for.
    var purpose: SnapshotPriority
    /// When it was requested, on the engine's clock.
    let begunNs: Int64
    /// Snapshots that were too old for the updates kept, and when to ask for the next one; nil when that is
    /// done.
    var tooOldCount = 0
    var askAgainNs: Int64?
    /// When its snapshot came, on the engine's clock; nil before.
    var joinedNs: Int64?
    /// Since when its book is ahead of the served one, on the engine's clock; later by the lag of a stream
    /// that is late. Nil while it is not.
    var aheadSinceNs: Int64?
    /// Its book; nil until somebody has to keep updates or levels for it.
    var track: SyncedBook?
    /// How far the comparison with the served book has come; nil while their ids differ.
    var comparison: BookComparison?
    /// The decimals in which it was begun.
    var comparedScales: SymbolScales?

    init(_ purpose: SnapshotPriority, begunNs: Int64) {
        self.purpose = purpose
        self.begunNs = begunNs
    }

    /// The id its book stands at; nil before the snapshot.
    var id: UpdateID? { track?.sync.lastID }
}
