// The effect of time on a symbol: doubts not settled by updates request a snapshot, silence is checked, depth
// and proof are renewed. Evaluated only on `tick` frames, so replaying a capture without ticks never
// resubscribes.
//
// A book sets `wakeNs` to when it must be looked at; a look is cheap, and one that comes too early is
// harmless.

import DepthBook
import MarketData

extension SymbolBook {
    /// A check or proof that has not arrived after this long is given up.
    private static let checkNsMax: Int64 = 20_000_000_000

    /// Time has passed.
    func tick() {
        let nowNs = shared.nowNs
        woken()
        if candidate?.comparison != nil { settle() }
        guard source.connection != nil else { return }
        source.tick(nowNs: nowNs)
        if let overdueNs = source.overdueNs, overdueNs > nowNs { wake(atNs: overdueNs) }
        leaveIfLeftBehind()
        let isAtID = served.sync.lastID != nil
        if isAtID, let dueNs = evidenceDueNs, dueNs < nowNs { settleAhead() }
        if isAtID { wakeForEvidence() }
        giveUpBehind(nowNs)
        askAgain(nowNs)
        seekProof(nowNs)
        watchSilence(nowNs)
        startWhatIsDue(nowNs)
        judge()
    }

    /// Requests the snapshot that settles a doubt.
    func seekProof(_ nowNs: Int64) {
        if served.sync.lastID == nil { return }
        renewSubscription(nowNs)
        if candidate?.id != nil { return }
        if retries.urgent.notBeforeNs > nowNs { return wake(atNs: retries.urgent.notBeforeNs) }
        if doubt.needsProof { return seekProofOfReconnect(nowNs) }
        if gap.isOpen {
            let dueNs = gap.dueNs(after: shared.configuration.doubtNsMin)
            return dueNs <= nowNs ? startCandidate(.resync) : wake(atNs: dueNs)
        }
        if served.sync.isLive && source.leftOutNs == nil {
            guard let dueNs = source.confirmNs else { return seekProofOfTimeliness(nowNs) }
            wake(atNs: max(dueNs, nowNs &+ shared.configuration.doubtNsMin))
            return dueNs <= nowNs ? startCandidate(.check) : ()
        }
        // Joined to a snapshot, without an update yet: a second snapshot at the same id shows that it is
        // quiet.
        var dueNs = joins.dueNs(after: shared.configuration.doubtNsMin)
        if source.requestDueNs != nil { return }
        if source.leftOutNs != nil, let provableNs = source.provableNs { dueNs = max(dueNs, provableNs) }
        if dueNs > nowNs { return wake(atNs: dueNs) }
        startCandidate(.check)
    }

    /// A stream known to omit updates is resubscribed as soon as that is allowed, whatever else is under way:
    /// until then no snapshot proves anything, and a candidate would only wait.
    private func renewSubscription(_ nowNs: Int64) {
        guard let requestNs = source.requestDueNs else { return }
        if requestNs <= nowNs { resubscribe() }
        guard let againNs = source.requestDueNs else { return }
        wake(atNs: max(againNs, silence.subscribableNs(shared.configuration), nowNs &+ 1))
    }

    /// The last update arrived too late. If its connection has been quiet for twice as long, or for as long
    /// as counts as silence, the symbol may be quiet; otherwise the other symbols tell.
    private func seekProofOfTimeliness(_ nowNs: Int64) {
        if !isLagging { return }
        let othersNs = shared.connections.lagNotedNs(source.connection)
        let dueNs =
            max(silence.heardNs, othersNs) &+ min(2 * streamLagNs, shared.configuration.silenceNsMin)
        if dueNs <= nowNs { startCandidate(.check) } else { wake(atNs: dueNs) }
    }

    private func seekProofOfReconnect(_ nowNs: Int64) {
        if candidate.map({ $0.purpose <= .resync }) == true { return }
        if doubt.mayAsk(&shared.trial, nowNs: nowNs) { return startCandidate(.resync) }
        if served.sync.isLive && shared.trial.verdict == .accepted {
            believe()
        } else if shared.trial.verdict == .accepted {
            startCandidate(.check)
        } else {
            // The verdict comes by itself; this is for its turn to request.
            wake(atNs: nowNs &+ ReconnectTrial.whileNs)
        }
    }

    /// A stream that is silent for too long is checked; if the check fails to arrive, it is resubscribed.
    private func watchSilence(_ nowNs: Int64) {
        let dueNs = silence.dueNs(nowNs: nowNs, shared.configuration)
        if dueNs >= nowNs { return wake(atNs: dueNs == .max ? dueNs : dueNs + 1) }
        wake(atNs: nowNs &+ shared.configuration.doubtNsMin)
        if served.sync.lastID == nil { return resubscribe() }
        let isTelling = silence.isTelling(nowNs: nowNs, shared.configuration)
        guard let candidate else {
            if retries.urgent.notBeforeNs <= nowNs {
                startCandidate(.check)
            } else if isTelling {
                resubscribe()
            }
            return
        }
        if candidate.purpose != .check {
            startCandidate(.check)
        }
        if isTelling && nowNs &- candidate.begunNs > SymbolBook.checkNsMax { resubscribe() }
    }

    /// Starts whatever is due while nothing is in doubt.
    func startWhatIsDue(_ nowNs: Int64) {
        guard served.sync.isLive, !doubt.needsProof else { return }
        if reason == .shallow {
            return retries.urgent.notBeforeNs <= nowNs ? startCandidate(.shallow) : ()
        }
        if candidate != nil || state != .live || retries.optional.notBeforeNs > nowNs { return }
        let wanted = shared.configuration.provenLevelCountMin
        if wanted > 0 && isShallow(wanted) {
            startCandidate(.deepen)
        } else if let dueNs = audits.dueNs(everyNs: shared.configuration.auditEveryNs) {
            if dueNs <= nowNs { startCandidate(.audit) } else { wake(atNs: dueNs) }
        }
    }

    /// Whether a side has fewer proven levels than this; a fully known side has all there are.
    private func isShallow(_ wanted: Int) -> Bool {
        let counts = countProvenInTick()
        return Side.allCases.contains { side in
            served.book.proven(side) != .unbounded && counts[side] < wanted
        }
    }
}
