// Evidence ahead of the served book, and what follows if the book does not reach it in time.

import BookSync
import DepthBook
import MarketData

extension SymbolBook {
    /// Something newer than the book has been known for too long. Where ids advance without the symbol, a
    /// candidate that is ahead with the same levels shows that it is quiet. Otherwise updates are missing.
    func settleAhead() {
        if shared.defect.ignoresEvidenceAhead || ahead.oldestID.map({ isPlausible($0) }) == false {
            return ahead.removeAll()
        }
        // Updates missed in a reconnect or a known loss are not the stream's fault.
        // Nor is what was seen, or requested, before its subscription was accepted.
        let isExplained =
            gap.isOpen || (doubt.needsProof && !served.sync.isLive)
            || aheadSinceNs.map { $0 < source.acceptedNs } == true
            || (aheadSinceNs == nil && candidate.map { $0.begunNs < source.acceptedNs } == true)
        if let staging = candidate?.staging, let theirs = staging.sync.lastID, let own = served.sync.lastID,
            theirs > own
        {
            candidate?.comparison = nil
            // Where every id belongs to an update, its changes may lie deeper than the candidate reaches: the
            // stream has omitted it, unless the reason is known.
            if isExplained || !shared.configuration.rules.idsAreContiguous,
                case .equal = compare(staging, levelCountMax: .max)
            {
                return foundQuiet(staging)
            }
            leftBehind(isExplained)
            replaceByCandidate(.behind)
        } else {
            leftBehind(isExplained)
            // Recent evidence counts against the next book too. Older evidence may belong to another id
            // epoch, but as long as nothing says so, a snapshot must have come as far.
            var evidence = ahead
            let shownID = ahead.oldestID ?? contrary.id
            _ = evidence.cameBack(to: UpdateID(0), seenBeforeNs: shared.nowNs &- aheadLimitNs)
            restartBehind(shownID ?? UpdateID(0), .behind)
            ahead = evidence
        }
        if !isExplained { resubscribe() }
    }

    /// A candidate at a later id has the same levels: only ids advanced, or what is known to be missing did
    /// not matter.
    private func foundQuiet(_ staging: SyncedBook) {
        counters.quietChecks += 1
        // Where updates may be missing, only the levels within the candidate's reach are known at the later
        // id.
        let isInDoubt = gap.isOpen || doubt.needsProof || source.leftOutNs != nil
        let askedNs = finishCandidate(staging, isDeeper: false)
        if isInDoubt { return serve(staging, askedNs: askedNs) }
        silence.foundQuiet(nowNs: shared.nowNs)
        proved(by: .snapshot, atNs: askedNs)
        judge()
    }

    /// The venue has moved on without the stream: the stream may be dead, even if one lost message would
    /// explain it.
    private func leftBehind(_ isExplained: Bool) {
        counters.behind += 1
        silence.leftBehind(nowNs: shared.nowNs)
        if !isExplained { source.leftOut(nowNs: shared.nowNs) }
    }

    /// Makes the candidate the served book: stale until something shows that the stream continues it.
    func replaceByCandidate(_ why: StaleReason) {
        guard let staging = candidate?.staging else { return }
        // Evidence beyond the candidate counts against it as well, unless it is of an earlier id epoch.
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

    /// Something was shown by a connection that is not up yet. Where ids advance without the symbol, only
    /// those of its updates say anything.
    func noteEarly(_ connection: UInt16, _ id: UpdateID, isUpdate: Bool) {
        if !isUpdate && !shared.configuration.rules.idsAreContiguous { return }
        if shared.connections.contains(connection) || !isPlausible(id) { return }
        source.notedEarly(connection, id)
    }

    /// A connection had come this far before it came up: no book from before that is right, nor handed over
    /// to it.
    func heedEarly(_ id: UpdateID, on connection: UInt16) {
        if served.sync.lastID.map({ id > $0 }) == false { return }
        if source.connection != connection { return source.lost(on: connection) }
        if served.sync.lastID != nil { ahead.note(id, nowNs: shared.nowNs) }
        awaited.passed(max(id, awaited.knownID), nowNs: shared.nowNs)
    }

    /// Schedules a look at what is still ahead of a new book; repeatedly if the stream is late, since it may
    /// be in time at any moment.
    func wakeForEvidence() {
        guard let dueNs = evidenceDueNs else { return }
        let againNs = shared.nowNs &+ shared.configuration.doubtNsMin
        wakeForEvidence(atNs: min(dueNs, max(dueNs &- streamLagNs, againNs)) &+ 1)
    }

    /// Since when the venue's stream has shown something ahead of the book.
    var aheadSinceNs: Int64? {
        guard let contraryNs = contrary.sinceNs else { return ahead.sinceNs }
        return min(contraryNs, ahead.sinceNs ?? .max)
    }

    /// When the evidence ahead of the book becomes too old; nil if there is none. A late stream reaches a
    /// candidate later, by as much as it is late.
    var evidenceDueNs: Int64? {
        if source.isOmitting(nowNs: shared.nowNs) { return aheadSinceNs.flatMap { _ in source.provableNs } }
        let byStreamNs = aheadSinceNs.map { $0 &+ aheadLimitNs }
        guard let sinceNs = candidate?.aheadSinceNs(of: served.sync.lastID) else { return byStreamNs }
        return min(sinceNs &+ aheadLimitNs &+ streamLagNs, byStreamNs ?? .max)
    }

    /// Requests a resubscription, if one is allowed yet. Whatever the venue sends between the end of the old
    /// subscription and the start of the new one is not seen: the book is in doubt from now on, until an
    /// update received under the new one continues it, or something from that time agrees with it.
    func resubscribe() {
        if state == .live && awaited.hasLasted(shared.nowNs) { silence.lasted(nowNs: shared.nowNs) }
        if silence.subscribableNs(shared.configuration) > shared.nowNs { return }
        counters.resubscriptions += 1
        silence.wantedSubscription(nowNs: shared.nowNs)
        if !shared.defect.believesResubscribed {
            source.resubscribed(
                nowNs: shared.nowNs, isAnnounced: shared.configuration.requestsAreAnnounced,
                isCarriedOut: shared.configuration.resubscribes)
            // Replica engines do not know of the request: they must doubt their books as well.
            shared.lossCount &+= 1
            loss.doubted(number: shared.lossCount)
        }
        shared.requests.append(.resubscribe(name))
        judge()
    }
}
