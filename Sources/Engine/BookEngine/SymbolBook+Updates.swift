// What one depth update does to one symbol. Every update of a held symbol comes through `receive`.

import BookSync
import DepthBook
import LobHandoff
import MarketData

extension SymbolBook {
    /// A depth update of this symbol, already parsed; `frame` holds its bytes.
    func receive(_ update: borrowing DepthUpdate, _ frame: Frame) {
        let ids = UpdateRange(update)
        if source != frame.source && !takesOver(frame.source, ids) {
            counters.discarded += 1
            return noteOther(frame.source, ids.last)
        }
        if !isPlausible(ids.last) { return receiveImplausible() }
        noteArrival(frame, update.eventTimeUs)
        if main.sync.isCollecting && !main.isCollecting {
            counters.discarded += 1
            hole.reason = .none
            passedID = ids.last
            return
        }
        switch main.sync.receive(ids) {
        case .apply:
            // Nothing lies between this update and the book, so nothing was lost before it.
            if hole.isOpen { closeHole() }
            behind.count = 0
            apply(update, frame.receivedAtNs)
        case .discard:
            counters.discarded += 1
            // The candidate first: it may be what the stream leads on.
            if candidate != nil { receiveInCandidate(update, ids, frame) }
            return noteBehind()
        case .buffer:
            hole.reason = .none
            behind.count = 0
            // What came before was none of this stream, or of a former time.
            if ids.last < passedID { passedID = UpdateID(0) }
            buffer(frame)
        case .bufferAnew:
            counters.gaps += 1
            hole.reason = .none
            main.buffer.removeAll()
            buffer(frame)
        case .resync(let why, let attempt): resync(why, ids, frame, attempt: attempt)
        }
        if candidate != nil { receiveInCandidate(update, ids, frame) }
    }

    /// Applies an update to the served book and checks what it can be checked against.
    @inline(__always)
    private func apply(_ update: borrowing DepthUpdate, _ receivedAtNs: Int64) {
        do {
            try main.book.apply(update)
        } catch {
            counters.rescales += 1
            return restart(.rescale)
        }
        counters.applied += 1
        appliedAtNs = receivedAtNs
        implausibleRun = 0
        afterApply()
    }

    /// The served book moved, by an update or by becoming the served one.
    func afterApply() {
        viewIsDue = true
        if main.book.isCrossed {
            counters.crossings += 1
            return restart(.crossed)
        }
        let id = main.book.lastUpdateID
        ahead.reached(id)
        if main.sync.isLive {
            hasJoined = true
            loss = .none
            if needsProof && (shared.trial.verdict == .accepted || shared.defect.joinsByIdsAlone) {
                believe()
            }
        }
        if tickers.count > 0 { compareRememberedTicker(id) }
        if !partials.isEmpty { compareRememberedPartial(id) }
        judge()
        if state != .live { wake(atNs: shared.nowNs &+ (reason == .shallow ? 0 : configuration.doubtNsMin)) }
    }

    /// The update does not continue the book: believes it no longer, and collects for the next one.
    private func resync(
        _ why: DepthSynchronizer.ResyncReason, _ ids: UpdateRange, _ frame: Frame, attempt: Int
    ) {
        // What is ahead of this update, too, is still to come.
        let evidence = ahead
        lose(why == .missedWhileAway ? .disconnected : .gap)
        if why == .gap { ahead = evidence }
        if why == .snapshotTooOld { counters.snapshotsTooOld += 1 } else { counters.gaps += 1 }
        behind.count = 0
        main.isCollecting = !configuration.requestsAreAnnounced
        if main.isCollecting {
            buffer(frame)
        } else {
            passedID = ids.last
            _ = main.sync.restart()
        }
        ask(attempt: attempt)
        judge()
    }

    /// Keeps a message for the book under construction.
    private func buffer(_ frame: Frame) {
        counters.buffered += 1
        if main.buffer.append(frame) { return }
        counters.bufferOverflows += 1
        _ = main.sync.restart()
        main.buffer.removeAll()
        // What was there is lost to the request under way; its answer is tried all the same.
        main.isCollecting = !configuration.requestsAreAnnounced
    }

    private func noteArrival(_ frame: Frame, _ eventTimeUs: Int64) {
        let nowNs = shared.nowNs
        // What lies between two subscriptions says nothing of the symbol.
        if silence.isHeard {
            let intervalNs = nowNs &- heardNs
            usualIntervalNs += usualIntervalNs == 0 ? intervalNs : (intervalNs - usualIntervalNs) / 16
        }
        heardNs = nowNs
        heardAtNs = frame.receivedAtNs
        isHeardBesideNewest = true
        streamDoubtedNs = nil
        silence.heard(nowNs: nowNs)
        // A time that does not move is no time.
        if eventTimeUs <= 0 || eventTimeUs == lastEventTimeUs { return }
        lastEventTimeUs = eventTimeUs
        lagNs = shared.lag.lagNs(eventTimeUs: eventTimeUs, nowNs: nowNs)
        lagNotedNs = nowNs
        shared.connections.noteLag(lagNs, nowNs: nowNs)
    }

    // MARK: - Ids that cannot be, and ids that go back

    /// Whether a stream can have come so far since it was heard last.
    func isPlausible(_ id: UpdateID) -> Bool {
        guard let reference = main.sync.lastID ?? main.sync.collectedID else { return true }
        if shared.defect.believesAbsurdIDs { return true }
        let beyond = id.value.subtractingReportingOverflow(reference.value)
        if !beyond.overflow && beyond.partialValue <= configuration.idsPerSecondMax { return true }
        let seconds = 60 + max(shared.nowNs &- heardNs, 0) / 1_000_000_000
        let budget = seconds.multipliedReportingOverflow(by: configuration.idsPerSecondMax)
        return budget.overflow || (!beyond.overflow && beyond.partialValue <= budget.partialValue)
    }

    /// An update with ids that no stream can have reached: it may stand for a real one. If they go on, the
    /// venue counts otherwise than before.
    private func receiveImplausible() {
        counters.implausible += 1
        implausibleRun += 1
        if implausibleRun < 3 { return openHole(.gap) }
        implausibleRun = 0
        counters.gaps += 1
        forgetFormerTime()
        restart(.gap)
    }

    /// An update that is wholly in the book, or behind what is collected. Single ones are duplicates. Where
    /// nothing else comes for too long, the venue has begun its ids anew. Behind a snapshot that no update
    /// has reached yet the stream may also be late: another snapshot tells.
    private func noteBehind() {
        if behind.count == 0 { behind = BehindRun(sinceNs: shared.nowNs) }
        behind.count += 1
        // What comes late is behind for as long as it is late.
        let ageNs = shared.nowNs &- behind.sinceNs
        if behind.count < 3 || ageNs <= aheadLimitNs &+ lagNs { return }
        if let track = candidate?.track, track.sync.isLive, let id = track.sync.lastID,
            let own = main.sync.lastID, id < own
        {
            return replaceByCandidate(.gap)
        }
        if case .joining(_, let asked) = main.sync.state, asked > 0 {
            if ageNs <= configuration.snapshotAheadNsMax { return checkWhatIsAhead() }
            counters.snapshotsRefuted += 1
        } else {
            counters.gaps += 1
            forgetFormerTime()
        }
        behind.count = 0
        if needsProof || isBelievedUnproven { shared.refuted() }
        restart(loss == .none ? .gap : loss)
    }

    private func checkWhatIsAhead() {
        if behind.isChecked || urgentRetry.notBeforeNs > shared.nowNs { return }
        behind.isChecked = true
        startCandidate(.check)
    }
}
