// What time does to a symbol: doubts that updates have not settled ask for a snapshot, silence is checked,
// depth and proof are renewed. No tick, no judgement: a replay of frames without ticks is what it was.
//
// A book says by `wakeNs` when it wants to be looked at; a look is cheap, and one that comes too early does
// no harm.

import BinanceVenue
import DepthBook
import MarketData

extension SymbolBook {
    /// A check or proof that has not come after this long is given up.
    private static let checkNsMax: Int64 = 20_000_000_000

    /// Time passed.
    func tick() {
        let nowNs = shared.nowNs
        wakeNs = .max
        if candidate?.comparison != nil { settle() }
        guard source != nil else { return }
        let isAtID = main.sync.lastID != nil
        if isAtID, let sinceNs = evidenceSinceNs, sinceNs &+ aheadLimitNs < nowNs { settleAhead() }
        if isAtID { wakeForEvidence() }
        giveUpBehind(nowNs)
        askAgain(nowNs)
        seekProof(nowNs)
        watchSilence(nowNs)
        startWhatIsDue(nowNs)
        judge()
    }

    /// Asks for the snapshot that settles what is in doubt.
    private func seekProof(_ nowNs: Int64) {
        if main.sync.lastID == nil || candidate?.id != nil { return }
        if urgentRetry.notBeforeNs > nowNs { return wake(atNs: urgentRetry.notBeforeNs) }
        if needsProof { return seekProofOfReconnect(nowNs) }
        if hole.isOpen {
            let dueNs = hole.sinceNs &+ configuration.doubtNsMin
            return dueNs <= nowNs ? startCandidate(.resync) : wake(atNs: dueNs)
        }
        if main.sync.isLive && streamDoubtedNs == nil { return seekProofOfTimeliness(nowNs) }
        // Joined to a snapshot, and no update yet: a second one at the same id shows that it is quiet.
        let dueNs = joinedNs &+ configuration.doubtNsMin << Int64(min(joinChecks, 9))
        if dueNs > nowNs { return wake(atNs: dueNs) }
        joinChecks += 1
        startCandidate(.check)
    }

    /// The last update came too late. If nothing has come on its connection for twice as long, the symbol may
    /// be quiet; otherwise that tells.
    private func seekProofOfTimeliness(_ nowNs: Int64) {
        if !isLagging || shared.connections.lagNs(source, sinceNs: lagNotedNs) != nil { return }
        let dueNs = heardNs &+ 2 * lagNs
        if dueNs <= nowNs { startCandidate(.check) } else { wake(atNs: dueNs) }
    }

    private func seekProofOfReconnect(_ nowNs: Int64) {
        if candidate.map({ $0.purpose <= .resync }) == true { return }
        if shared.trial.mayAsk(&askedInTrial, nowNs: nowNs) { return startCandidate(.resync) }
        if main.sync.isLive && shared.trial.verdict == .accepted {
            believe()
        } else if shared.trial.verdict == .accepted {
            startCandidate(.check)
        } else {
            // The verdict comes by itself; this is for its turn to ask.
            wake(atNs: nowNs &+ ReconnectTrial.whileNs)
        }
    }

    /// A stream that is silent for too long is checked; one whose check does not come is subscribed anew.
    private func watchSilence(_ nowNs: Int64) {
        let dueNs = silence.dueNs(nowNs: nowNs, usualIntervalNs, configuration)
        if dueNs >= nowNs { return wake(atNs: dueNs == .max ? dueNs : dueNs + 1) }
        wake(atNs: nowNs &+ configuration.doubtNsMin)
        if main.sync.lastID == nil { return resubscribe() }
        guard let candidate else {
            if urgentRetry.notBeforeNs <= nowNs { startCandidate(.check) } else { resubscribe() }
            return
        }
        if candidate.purpose != .check {
            startCandidate(.check)
        }
        if nowNs &- candidate.begunNs > SymbolBook.checkNsMax { resubscribe() }
    }

    /// Begins what is due while nothing is in doubt.
    func startWhatIsDue(_ nowNs: Int64) {
        guard main.sync.isLive, !needsProof else { return }
        if reason == .shallow {
            return urgentRetry.notBeforeNs <= nowNs ? startCandidate(.shallow) : ()
        }
        if candidate != nil || state != .live || optionalRetry.notBeforeNs > nowNs { return }
        let wanted = configuration.provenLevelCountMin
        if wanted > 0 && isShallow(wanted) {
            startCandidate(.deepen)
        } else if auditPeriodNs > 0 {
            let dueNs = provenNs &+ auditPeriodNs
            if dueNs <= nowNs { startCandidate(.audit) } else { wake(atNs: dueNs) }
        }
    }

    /// The period of audits, a little different for each symbol and each time: those of a whole market do not
    /// fall due together.
    private var auditPeriodNs: Int64 {
        let periodNs = configuration.auditEveryNs
        if periodNs <= 0 { return 0 }
        var hash = (UInt64(truncatingIfNeeded: name.quickHash) &+ auditCount) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash &>> 32
        let quarterNs = periodNs / 4
        if quarterNs <= 0 { return periodNs }
        return periodNs &- Int64(hash % UInt64(quarterNs))
    }

    /// Whether a side has fewer proven levels than are wanted; one that is known whole has all there are.
    private func isShallow(_ wanted: Int) -> Bool {
        let counts = countProvenInTick()
        return Side.allCases.contains { side in
            main.book.proven(side) != .unbounded && counts[side] < wanted
        }
    }
}

/// The proven levels of a book, and of which state of it they were counted.
struct ProvenCounts {
    var bids = 0
    var asks = 0
    var updatesApplied = -1
    var snapshotsLoaded = -1

    subscript(side: Side) -> Int { side == .bid ? bids : asks }
}

extension SymbolBook {
    /// Proven levels of both sides, counted anew only if the book has moved. O(slots / 8).
    func countProven() -> ProvenCounts {
        if !isCounted { count() }
        return provenCounts
    }

    /// The same while the tick has time for it; otherwise those of before.
    func countProvenInTick() -> ProvenCounts {
        if !isCounted && (provenCounts.updatesApplied < 0 || shared.countableSlots > 0) { count() }
        return provenCounts
    }

    private var isCounted: Bool {
        provenCounts.updatesApplied == counters.applied && provenCounts.snapshotsLoaded == counters.snapshots
    }

    private func count() {
        provenCounts.bids = main.book.provenLevelCount(.bid)
        provenCounts.asks = main.book.provenLevelCount(.ask)
        provenCounts.updatesApplied = counters.applied
        provenCounts.snapshotsLoaded = counters.snapshots
        shared.countableSlots -= main.book.slotCount
    }
}
