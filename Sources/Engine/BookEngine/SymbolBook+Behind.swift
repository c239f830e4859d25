// What is ahead of the served book, and what comes of it if the book does not reach it in time.

import BookSync
import DepthBook
import MarketData

extension SymbolBook {
    /// Something newer than the book has been in hand for too long. Where ids move without the symbol, a
    /// candidate that is ahead with the same levels shows that it is quiet. Otherwise updates are missing.
    func settleAhead() {
        if shared.defect.ignoresEvidenceAhead || ahead.oldestID.map({ isPlausible($0) }) == false {
            return ahead.removeAll()
        }
        // What is missing since a reconnect or a loss is no fault of the stream.
        let isExplained = gap.isOpen || (doubt.needsProof && !served.sync.isLive)
        if let staging = candidate?.staging, let theirs = staging.sync.lastID, let own = served.sync.lastID,
            theirs > own
        {
            candidate?.comparison = nil
            // Where every id is of an update, what it changed may lie deeper than the candidate reaches: the
            // stream has left it out, unless it is known why.
            if isExplained || !shared.configuration.rules.idsAreContiguous,
                case .equal = compare(staging, levelCountMax: .max)
            {
                return foundQuiet(staging)
            }
            leftBehind(isExplained)
            replaceByCandidate(.behind)
        } else {
            leftBehind(isExplained)
            // What was seen lately speaks against the next book too; what is older may be of another time.
            var evidence = ahead
            _ = evidence.cameBack(to: UpdateID(0), seenBeforeNs: shared.nowNs &- aheadLimitNs)
            restart(.behind)
            ahead = evidence
        }
        if !isExplained { resubscribe() }
    }

    /// A candidate at a later id has the same levels: only ids moved, or what is known to be missing did not
    /// matter.
    private func foundQuiet(_ staging: SyncedBook) {
        counters.quietChecks += 1
        // Where updates may be missing, only what the candidate reaches is known at the later id.
        let isInDoubt = gap.isOpen || doubt.needsProof || source.leftOutNs != nil
        let askedNs = finishCandidate(staging, isDeeper: false)
        if isInDoubt { return serve(staging, askedNs: askedNs) }
        silence.startedAnew(nowNs: shared.nowNs)
        proved(by: .snapshot, atNs: askedNs)
        judge()
    }

    /// The venue has moved on without the stream: perhaps the stream is dead, also where one message that was
    /// lost explains it.
    private func leftBehind(_ isExplained: Bool) {
        counters.behind += 1
        silence.leftBehind(nowNs: shared.nowNs)
        if !isExplained { source.leftOut(nowNs: shared.nowNs) }
    }

    /// The candidate is the served book from now on: stale until something shows that the stream leads on.
    func replaceByCandidate(_ why: StaleReason) {
        guard let staging = candidate?.staging else { return }
        // What lies beyond the candidate speaks against it as well, unless it is of a former time.
        var evidence = ahead
        if let theirs = staging.sync.lastID, let own = served.sync.lastID, theirs < own {
            crossChecks.forgetFormerTime()
            evidence.removeAll()
        }
        lose(why)
        ahead = evidence
        staging.buffer.removeAll()
        served = staging
        joins.joined(nowNs: shared.nowNs)
        appliedAtLoad = counters.applied
        audits.looked(nowNs: shared.nowNs)
        afterApply()
        wakeForEvidence()
    }

    /// What is still ahead of a new book is looked at in time; where the stream is late, again and again: it
    /// may be in time any moment.
    func wakeForEvidence() {
        guard let dueNs = evidenceDueNs else { return }
        let againNs = shared.nowNs &+ shared.configuration.doubtNsMin
        wakeForEvidence(atNs: min(dueNs, max(dueNs &- streamLagNs, againNs)) &+ 1)
    }

    /// When what is ahead of the book will have been so for too long, nil if nothing is. A stream that is
    /// late reaches a candidate later; for as long as it is.
    var evidenceDueNs: Int64? {
        let byStreamNs = ahead.sinceNs.map { $0 &+ aheadLimitNs }
        guard let sinceNs = candidate?.aheadSinceNs(of: served.sync.lastID) else { return byStreamNs }
        return min(sinceNs &+ aheadLimitNs &+ streamLagNs, byStreamNs ?? .max)
    }

    /// Asks for a new subscription, if that is allowed yet. What the venue sends between the end of the old
    /// one and the beginning of the new one is not seen: the book is in doubt from now on, until an update
    /// that came behind the new one continues it, or something of then agrees with it.
    func resubscribe() {
        if silence.subscribableNs(shared.configuration) > shared.nowNs { return }
        counters.resubscriptions += 1
        silence.wantedSubscription(nowNs: shared.nowNs)
        if !shared.defect.believesResubscribed {
            source.resubscribed(nowNs: shared.nowNs)
            // Engines beside this one do not know of the request: they are to doubt their books as well.
            shared.lossCount &+= 1
            loss.doubted(number: shared.lossCount)
        }
        shared.requests.append(.resubscribe(name))
        judge()
    }
}
