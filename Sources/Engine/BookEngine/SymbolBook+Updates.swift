// The effect of one depth update on one symbol. Every update of a held symbol goes through `receive`.

import BookSync
import DepthBook
import LobHandoff
import MarketData

extension SymbolBook {
    /// A parsed depth update of this symbol; `frame` holds its bytes.
    func receive(_ update: borrowing DepthUpdate, _ frame: Frame) {
        let ids = UpdateRange(update)
        if source.connection != frame.source && !takesOver(frame.source, ids) {
            counters.discarded += 1
            if !shared.connections.contains(frame.source) {
                return noteEarly(frame.source, ids.last, isUpdate: true)
            }
            if !isPlausible(ids.last) { return source.lost(on: frame.source) }
            return noteBeside(frame.source, ids)
        }
        if !isPlausible(ids.last) { return receiveImplausible() }
        noteArrival(frame, update.eventTimeUs, ids.last)
        if served.sync.isCollecting {
            forgetFormerTime(ids.last)
            if served.isCollecting && awaited.isOverdue(nowNs: shared.nowNs) { stopCollecting() }
            if !served.isCollecting {
                counters.discarded += 1
                gap.close()
                return awaited.passed(ids.last, nowNs: shared.nowNs)
            }
        }
        switch served.sync.receive(ids) {
        case .apply:
            // Nothing lies between this update and the book, so nothing was lost before it.
            if gap.isOpen && !isFollowedUnseen(ids.last) { settleGap() }
            source.ledOn(sentNs: lag.sentNs(arrivedNs: shared.nowNs))
            behind.end()
            apply(update, frame.receivedAtNs)
        case .discard:
            counters.discarded += 1
            // The candidate first: it may be what the stream continues.
            if candidate != nil { receiveInCandidate(update, ids, frame) }
            if lag.idsWentBack && served.sync.isLive {
                behind.noteLaterTime()
                if !gap.isOpen { suspectGap(.gap) }
            }
            judge()
            return noteBehind(ids.last)
        case .buffer:
            gap.close()
            behind.end()
            buffer(frame, ids.last)
        case .clearAndBuffer:
            counters.gaps += 1
            gap.close()
            served.buffer.removeAll()
            buffer(frame, ids.last)
        case .resync(let why, let attempt):
            if candidateLeadsOn(to: ids) { return followCandidate(why, update, ids, frame) }
            resync(why, ids, frame, attempt: attempt)
        }
        if candidate != nil { receiveInCandidate(update, ids, frame) }
    }

    /// Whether a partial depth has shown an update beyond this one, which may be what was lost.
    private func isFollowedUnseen(_ id: UpdateID) -> Bool {
        crossChecks.latestPartialID.map { $0 > id && isPlausible($0) } == true
    }

    /// An update on another connection than the book's. A newer one may take over; on the older one nothing
    /// newer than the book should be seen for long. One that was left may have been quiet, not dead or of
    /// another epoch: what it shows counts if it continues the book.
    private func noteBeside(_ connection: UInt16, _ ids: UpdateRange) {
        source.noted(connection, ids.last, nowNs: shared.nowNs)
        guard let present = source.connection, let own = served.sync.lastID, ids.last > own,
            !shared.connections.isNewer(connection, than: present),
            connection != source.abandoned || shared.configuration.rules.sequence.join(ids, own) == .connects,
            !shared.defect.ignoresEvidenceAhead, !shared.defect.ignoresOlderConnection
        else { return }
        ahead.note(ids.last, nowNs: shared.nowNs)
        wakeForEvidence()
    }

    /// An update while there is no book: later ids known for longer than an update takes are of an earlier
    /// epoch.
    private func forgetFormerTime(_ id: UpdateID) {
        let beforeNs = shared.nowNs &- behindLimitNs
        let isFormer = crossChecks.isBeyond(id, seenBeforeNs: beforeNs)
        if ahead.cameBack(to: id, seenBeforeNs: beforeNs) || isFormer { crossChecks.forgetFormerTime() }
    }

    /// Applies an update to the served book and checks the book against all available evidence.
    @inline(__always)
    private func apply(_ update: borrowing DepthUpdate, _ receivedAtNs: Int64) {
        do {
            try served.book.apply(update)
        } catch {
            counters.rescales += 1
            return restartBehind(UpdateRange(update).last, .rescale)
        }
        counters.applied += 1
        appliedAtNs = receivedAtNs
        plausibleIDs.accepted()
        if let extras = update.extras, !heed(extras, served) {
            return restartBehind(UpdateRange(update).last, .mismatch)
        }
        afterApply()
    }

    /// The book is unusable, and nothing keeps the updates that led to `id`: an older snapshot would lack
    /// them.
    func restartBehind(_ id: UpdateID, _ why: StaleReason) {
        let id = max(id, awaited.knownID)
        // What lies beyond it is still to come.
        var evidence = ahead
        evidence.reached(id)
        restart(why)
        ahead = evidence
        if !shared.defect.forgetsPassed { awaited.passed(id, nowNs: shared.nowNs) }
    }

    /// The same behind the updates that were kept for a snapshot.
    func restartBehindBuffer(_ why: StaleReason) { restartBehind(awaited.collectedID, why) }

    /// Heeds what the sender of an update adds to it: a book that has taken the update is proven no further
    /// than the sender's.
    ///
    /// - Returns: false if the sender's checksum differs from the book's.
    @inline(never)
    func heed(_ extras: UpdateExtras, _ owner: SyncedBook) -> Bool {
        owner.book.narrow(to: extras)
        return extras.checksum.map { !contradicts($0, owner) } ?? true
    }

    /// Whether the venue's checksum differs from the book's.
    func contradicts(_ told: UInt32, _ owner: SyncedBook) -> Bool {
        guard let rule = shared.configuration.checksum else { return false }
        counters.checksumsCompared += 1
        if rule.value(of: owner.book) != told { return true }
        counters.checksumsAgreed += 1
        return false
    }

    /// The served book advanced, by an update or by being replaced.
    func afterApply() {
        mailboxes.changed()
        if served.book.isCrossed {
            counters.crossings += 1
            return restartBehind(served.book.lastUpdateID, .crossed)
        }
        let id = served.book.lastUpdateID
        ahead.reached(id)
        if served.sync.isLive {
            loss.joined()
            if doubt.needsProof && (shared.trial.verdict == .accepted || shared.defect.joinsByIdsAlone) {
                believe()
            } else if doubt.isEarly && source.confirmNs == nil {
                vouch()
            }
        }
        if crossChecks.hasTickers { compareRememberedTicker(id) }
        if crossChecks.hasPartials { compareRememberedPartial(id) }
        compareWhatIsAhead()
        judge()
        if state != .live {
            wake(atNs: shared.nowNs &+ (reason == .shallow ? 0 : shared.configuration.doubtNsMin))
        }
    }

    /// The update does not continue the book: the book is no longer trusted, and updates are collected for
    /// the next one.
    private func resync(
        _ why: DepthSynchronizer.ResyncReason, _ ids: UpdateRange, _ frame: Frame, attempt: Int
    ) {
        // What is ahead of this update is still to come.
        var evidence = ahead
        evidence.reached(ids.last)
        lose(why == .gapWhileOffline ? .disconnected : .gap)
        ahead = evidence
        if why == .snapshotTooOld { counters.snapshotsTooOld += 1 } else { counters.gaps += 1 }
        behind.end()
        collectEarly()
        buffer(frame, ids.last)
        ask(attempt: attempt)
        judge()
    }

    /// Whether the update continues the candidate, though not the served book: what is missing between the
    /// two is in the snapshot.
    @inline(never)
    private func candidateLeadsOn(to ids: UpdateRange) -> Bool {
        guard let staging = candidate?.staging, staging.sync.lastID != nil else { return false }
        var sync = staging.sync
        return sync.receive(ids) == .apply
    }

    /// The candidate becomes the served book, and the update continues it: its snapshot is as good as one
    /// that would be requested now.
    @inline(never)
    private func followCandidate(
        _ why: DepthSynchronizer.ResyncReason, _ update: borrowing DepthUpdate, _ ids: UpdateRange,
        _ frame: Frame
    ) {
        if why == .snapshotTooOld { counters.snapshotsTooOld += 1 } else { counters.gaps += 1 }
        replaceByCandidate(why == .gapWhileOffline ? .disconnected : .gap)
        switch served.sync.receive(ids) {
        case .apply:
            source.ledOn(sentNs: lag.sentNs(arrivedNs: shared.nowNs))
            apply(update, frame.receivedAtNs)
        // The candidate was found to be wrong.
        case .buffer: buffer(frame, ids.last)
        case .discard, .clearAndBuffer, .resync: counters.discarded += 1
        }
    }

    /// Keeps updates for a snapshot about to be requested: REST lags the stream, so the first answer may well
    /// predate what arrives while the request is being sent. If that takes long, the buffer is freed.
    func collectEarly() {
        served.isCollecting = true
        if shared.configuration.requestsAreAnnounced { awaited.collectsEarly(nowNs: shared.nowNs) }
    }

    /// The request has not been sent for too long: frees the buffer until it is.
    private func stopCollecting() {
        served.isCollecting = false
        served.buffer.removeAll()
        _ = served.sync.restart()
    }

    /// Buffers a message for the book under construction.
    private func buffer(_ frame: Frame, _ id: UpdateID) {
        counters.buffered += 1
        awaited.collected(id, idsWentBack: lag.idsWentBack)
        if served.buffer.append(frame) { return }
        counters.bufferOverflows += 1
        _ = served.sync.restart()
        served.buffer.removeAll()
        // The buffered updates are lost to the outstanding request; its answer is tried all the same, unless
        // it is older than they are.
        awaited.passed(id, nowNs: shared.nowNs)
        served.isCollecting = !shared.configuration.requestsAreAnnounced
    }

    private func noteArrival(_ frame: Frame, _ eventTimeUs: Int64, _ id: UpdateID) {
        let nowNs = shared.nowNs
        silence.heard(nowNs: nowNs)
        heardAtNs = frame.receivedAtNs
        source.heard()
        if lag.note(
            eventTimeUs: eventTimeUs, id: id, on: frame.source, nowNs: nowNs, &shared.lag)
        {
            shared.connections.noteLag(lag.lagNs, nowNs: nowNs)
        }
    }

    // MARK: - Impossible ids, and ids that go back

    /// Whether a stream can have come this far since it was last heard.
    func isPlausible(_ id: UpdateID) -> Bool {
        let known = served.sync.lastID ?? served.sync.collectedID
        return plausibleIDs.isPlausible(id, after: known, heardNs: silence.heardNs, nowNs: shared.nowNs)
            || shared.defect.believesAbsurdIDs
    }

    /// An update with ids that no stream can have reached: it may stand in for a real one. If such ids
    /// continue, the venue has changed its numbering.
    private func receiveImplausible() {
        counters.implausible += 1
        if !plausibleIDs.refused() { return suspectGap(.gap) }
        counters.gaps += 1
        crossChecks.forgetFormerTime()
        restart(.gap)
    }

    /// An update wholly inside the book, or before what is collected. Single ones are duplicates. If nothing
    /// else arrives for too long, the venue has restarted its ids. After a snapshot that no update has
    /// reached yet, the stream may also be late: another snapshot tells.
    private func noteBehind(_ id: UpdateID) {
        let verdict = behind.note(nowNs: shared.nowNs, limitNs: behindLimitNs)
        guard case .tooLong(let ageNs) = verdict else { return }
        if let staging = candidate?.staging, staging.sync.isLive, let id = staging.sync.lastID,
            let own = served.sync.lastID, id < own
        {
            source.ledOn(sentNs: lag.sentNs(arrivedNs: shared.nowNs))
            return replaceByCandidate(.gap)
        }
        if case .joining(_, let asked) = served.sync.state, asked > 0 {
            if ageNs <= shared.configuration.snapshotAheadNsMax { return checkWhatIsAhead() }
            counters.snapshotsRefuted += 1
        } else {
            return restartOfAnotherTime(at: id)
        }
        behind.end()
        if doubt.needsProof || doubt.isBelievedUnproven { shared.refuted() }
        restartAnew(at: id)
    }

    /// The venue has restarted its ids, and the book is of the time before.
    ///
    /// - Parameter id: how far its stream has come since.
    func restartOfAnotherTime(at id: UpdateID) {
        counters.gaps += 1
        crossChecks.forgetFormerTime()
        behind.end()
        if doubt.needsProof || doubt.isBelievedUnproven { shared.refuted() }
        restartAnew(at: id)
    }

    /// What was collected before is of another time than `id`.
    private func restartAnew(at id: UpdateID) {
        restart(loss.reason(or: .gap))
        awaited.passed(id, nowNs: shared.nowNs)
    }

    private func checkWhatIsAhead() {
        if retries.urgent.notBeforeNs > shared.nowNs || !behind.takeCheck() { return }
        startCandidate(.check)
    }
}
