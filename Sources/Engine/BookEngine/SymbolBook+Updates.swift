// What one depth update does to one symbol. Every update of a held symbol comes through `receive`.

import BookSync
import DepthBook
import LobHandoff
import MarketData

extension SymbolBook {
    /// A depth update of this symbol, already parsed; `frame` holds its bytes.
    func receive(_ update: borrowing DepthUpdate, _ frame: Frame) {
        let ids = UpdateRange(update)
        if source.connection != frame.source && !takesOver(frame.source, ids) {
            counters.discarded += 1
            if !isPlausible(ids.last) { return source.lost(on: frame.source) }
            return source.noted(frame.source, ids.last, nowNs: shared.nowNs)
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
            if gap.isOpen { settleGap() }
            source.ledOn(atNs: shared.nowNs)
            behind.end()
            apply(update, frame.receivedAtNs)
        case .discard:
            counters.discarded += 1
            // The candidate first: it may be what the stream leads on.
            if candidate != nil { receiveInCandidate(update, ids, frame) }
            return noteBehind()
        case .buffer:
            gap.close()
            behind.end()
            awaited.collected(ids.last)
            buffer(frame)
        case .bufferAnew:
            counters.gaps += 1
            gap.close()
            served.buffer.removeAll()
            buffer(frame)
        case .resync(let why, let attempt): resync(why, ids, frame, attempt: attempt)
        }
        if candidate != nil { receiveInCandidate(update, ids, frame) }
    }

    /// An update while there is no book: what is known of later ids for longer than an update takes is not of
    /// this time.
    private func forgetFormerTime(_ id: UpdateID) {
        if ahead.cameBack(to: id, seenBeforeNs: shared.nowNs &- behindLimitNs) {
            crossChecks.forgetFormerTime()
        }
    }

    /// Applies an update to the served book and checks the book against everything available.
    @inline(__always)
    private func apply(_ update: borrowing DepthUpdate, _ receivedAtNs: Int64) {
        do {
            try served.book.apply(update)
        } catch {
            counters.rescales += 1
            return restart(.rescale)
        }
        counters.applied += 1
        appliedAtNs = receivedAtNs
        plausibleIDs.accepted()
        if let told = update.checksum, contradicts(told, served) { return restart(.mismatch) }
        afterApply()
    }

    /// Whether the venue's checksum is not the book's.
    @inline(never)
    func contradicts(_ told: UInt32, _ owner: SyncedBook) -> Bool {
        guard let rule = shared.configuration.checksum else { return false }
        counters.checksumsCompared += 1
        if rule.value(of: owner.book) != told { return true }
        counters.checksumsAgreed += 1
        return false
    }

    /// The served book moved, by an update or by becoming the served one.
    func afterApply() {
        mailboxes.changed()
        if served.book.isCrossed {
            counters.crossings += 1
            return restart(.crossed)
        }
        let id = served.book.lastUpdateID
        ahead.reached(id)
        if served.sync.isLive {
            loss.joined()
            if doubt.needsProof && (shared.trial.verdict == .accepted || shared.defect.joinsByIdsAlone) {
                believe()
            }
        }
        if crossChecks.hasTickers { compareRememberedTicker(id) }
        if crossChecks.hasPartials { compareRememberedPartial(id) }
        judge()
        if state != .live {
            wake(atNs: shared.nowNs &+ (reason == .shallow ? 0 : shared.configuration.doubtNsMin))
        }
    }

    /// The update does not continue the book: it is no longer trusted, and updates are collected for the next
    /// one.
    private func resync(
        _ why: DepthSynchronizer.ResyncReason, _ ids: UpdateRange, _ frame: Frame, attempt: Int
    ) {
        // What is ahead of this update is still to come, too.
        let evidence = ahead
        lose(why == .missedWhileAway ? .disconnected : .gap)
        if why == .gap { ahead = evidence }
        if why == .snapshotTooOld { counters.snapshotsTooOld += 1 } else { counters.gaps += 1 }
        behind.end()
        collectEarly()
        buffer(frame)
        ask(attempt: attempt)
        judge()
    }

    /// Keeps updates for a snapshot that is about to be requested: REST is behind the stream, so that the
    /// first answer may well be older than what comes when the request is sent. Where that takes long, what
    /// was kept is given back.
    func collectEarly() {
        served.isCollecting = true
        if shared.configuration.requestsAreAnnounced { awaited.collectsEarly(nowNs: shared.nowNs) }
    }

    /// The request has not been sent for too long: what was kept is given back until it is.
    private func stopCollecting() {
        served.isCollecting = false
        served.buffer.removeAll()
        _ = served.sync.restart()
    }

    /// Keeps a message for the book under construction.
    private func buffer(_ frame: Frame) {
        counters.buffered += 1
        if served.buffer.append(frame) { return }
        counters.bufferOverflows += 1
        _ = served.sync.restart()
        served.buffer.removeAll()
        // What was there is lost to the request under way; its answer is tried all the same.
        served.isCollecting = !shared.configuration.requestsAreAnnounced
    }

    private func noteArrival(_ frame: Frame, _ eventTimeUs: Int64, _ id: UpdateID) {
        let nowNs = shared.nowNs
        silence.heard(nowNs: nowNs)
        heardAtNs = frame.receivedAtNs
        source.heard()
        if lag.note(eventTimeUs: eventTimeUs, id: id, nowNs: nowNs, &shared.lag) {
            shared.connections.noteLag(lag.lagNs, nowNs: nowNs)
        }
    }

    // MARK: - Ids that cannot be, and ids that go back

    /// Whether a stream can have come so far since it was heard last.
    func isPlausible(_ id: UpdateID) -> Bool {
        let known = served.sync.lastID ?? served.sync.collectedID
        return plausibleIDs.isPlausible(id, after: known, heardNs: silence.heardNs, nowNs: shared.nowNs)
            || shared.defect.believesAbsurdIDs
    }

    /// An update with ids that no stream can have reached: it may stand for a real one. If such ids go on,
    /// the venue counts differently than before.
    private func receiveImplausible() {
        counters.implausible += 1
        if !plausibleIDs.refused() { return suspectGap(.gap) }
        counters.gaps += 1
        crossChecks.forgetFormerTime()
        restart(.gap)
    }

    /// An update that is wholly in the book, or before what is collected. Single ones are duplicates. If
    /// nothing else comes for too long, the venue has restarted its ids. After a snapshot that no update has
    /// reached yet, the stream may also be late: another snapshot tells.
    private func noteBehind() {
        let verdict = behind.note(nowNs: shared.nowNs, limitNs: behindLimitNs)
        guard case .tooLong(let ageNs) = verdict else { return }
        if let staging = candidate?.staging, staging.sync.isLive, let id = staging.sync.lastID,
            let own = served.sync.lastID, id < own
        {
            source.ledOn(atNs: shared.nowNs)
            return replaceByCandidate(.gap)
        }
        if case .joining(_, let asked) = served.sync.state, asked > 0 {
            if ageNs <= shared.configuration.snapshotAheadNsMax { return checkWhatIsAhead() }
            counters.snapshotsRefuted += 1
        } else {
            counters.gaps += 1
            crossChecks.forgetFormerTime()
        }
        behind.end()
        if doubt.needsProof || doubt.isBelievedUnproven { shared.refuted() }
        restart(loss.reason(or: .gap))
    }

    private func checkWhatIsAhead() {
        if retries.urgent.notBeforeNs > shared.nowNs || !behind.takeCheck() { return }
        startCandidate(.check)
    }
}
