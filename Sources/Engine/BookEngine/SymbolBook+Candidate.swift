// The candidate beside the served book: begun, fed, compared, and what comes of it.

import BinanceVenue
import BookSync
import DepthBook
import FeedPlan
import LobHandoff
import MarketData

extension SymbolBook {
    /// Levels of two books compared in one go: some 20 µs.
    private static let comparedLevelsMax = 4096
    /// How far REST may usually be behind the stream.
    private static let restLagNs: Int64 = 500_000_000

    /// Begins a candidate, or makes one that was begun for less more urgent. Does nothing unless the served
    /// book stands at an id.
    func startCandidate(_ purpose: SnapshotPriority) {
        guard main.sync.lastID != nil, source != nil else { return }
        if let begun = candidate?.purpose {
            if begun <= purpose || candidate?.id != nil { return }
            candidate?.purpose = purpose
        } else {
            candidate = Candidate(purpose, begunNs: shared.nowNs)
            // What somebody waits for collects at once; the rest when its turn has come.
            if !configuration.requestsAreAnnounced || purpose < .deepen { snapshotRequested() }
        }
        requestSnapshot(purpose, attempt: purpose < .deepen ? urgentRetry.failures : optionalRetry.failures)
    }

    /// Gives the candidate up.
    /// - Parameter failed: whether it came to nothing by itself, so that the next one waits.
    func dropCandidate(failed: Bool) {
        guard let dropped = candidate else { return }
        candidate = nil
        if dropped.id == nil { cancelSnapshot() }
        if failed { countFailure(of: dropped.purpose) }
    }

    private func countFailure(of purpose: SnapshotPriority) {
        if purpose < .deepen {
            urgentRetry.failed(nowNs: shared.nowNs)
            wake(atNs: urgentRetry.notBeforeNs)
        } else {
            optionalRetry.failed(nowNs: shared.nowNs)
            wake(atNs: optionalRetry.notBeforeNs)
        }
    }

    /// The same update for the candidate.
    func receiveInCandidate(_ update: borrowing DepthUpdate, _ ids: UpdateRange, _ frame: Frame) {
        guard let track = candidate?.track else { return }
        switch track.sync.receive(ids) {
        case .discard: break
        case .buffer:
            if !track.buffer.append(frame) {
                // Its request keeps its place; it collects anew, and may find the snapshot too old.
                counters.bufferOverflows += 1
                track.buffer.removeAll()
                _ = track.sync.restart()
            }
        case .bufferAnew:
            track.buffer.removeAll()
            _ = track.buffer.append(frame)
        case .apply:
            do { try track.book.apply(update) } catch { return dropCandidate(failed: true) }
        case .resync(.snapshotTooOld, _):
            // REST was late: what comes from here on is kept for the next snapshot.
            candidate?.joinedNs = nil
            if !track.buffer.append(frame) { return dropCandidate(failed: true) }
            return candidateIsTooOld()
        case .resync: return dropCandidate(failed: true)
        }
        settle()
    }

    /// A snapshot while the served book stands at an id: asked for, or come by itself.
    func receiveCandidateSnapshot(_ parser: inout MessageParser, limit: Int?) {
        let id = parser.snapshot.lastUpdateID
        if candidate?.id != nil || source == nil {
            counters.discarded += 1
            return
        }
        if !isPlausible(id) {
            counters.implausible += 1
            return giveUpOfAnotherTime()
        }
        if candidate == nil { candidate = Candidate(.audit, begunNs: shared.nowNs) }
        snapshotRequested()
        guard let track = candidate?.track else { return }
        guard case .replay = track.sync.snapshotArrived(id) else { return candidateIsTooOld() }
        switch track.join(&parser, limit: limit, market: configuration.market, applied: { true }) {
        case .joined: break
        case .refuted:
            counters.snapshotsRefuted += 1
            return failCandidate()
        case .abandoned, .unusable, .implausible: return failCandidate()
        }
        counters.snapshots += 1
        candidate?.joinedNs = shared.nowNs
        if track.book.isCrossed && !shared.defect.promotesUnchecked {
            counters.snapshotsRefuted += 1
            return failCandidate()
        }
        guard let own = main.sync.lastID, let reached = track.sync.lastID else { return }
        // Ids may have gone back for good, or the book may be of another time; then the updates will lead on
        // from here.
        if reached < own && main.sync.isLive && !needsProof { return candidateIsTooOld() }
        if reached > own && !shared.defect.ignoresEvidenceAhead {
            // A stream that is late reaches it later.
            let sinceNs = shared.nowNs &+ streamLagNs
            candidate?.aheadSinceNs = sinceNs
            wake(atNs: sinceNs &+ aheadLimitNs)
        }
        if reached < own { giveUpBehind(shared.nowNs) }
        settle()
    }

    /// Gives up a candidate that no update leads on from behind the book: REST may have been late.
    func giveUpBehind(_ nowNs: Int64) {
        guard let joinedNs = candidate?.joinedNs, let theirs = candidate?.id, let own = main.sync.lastID,
            theirs < own
        else { return }
        let dueNs = max(joinedNs, heardNs) &+ SymbolBook.restLagNs &+ aheadLimitNs
        if dueNs > nowNs { return wake(atNs: dueNs) }
        giveUpOfAnotherTime()
    }

    /// A snapshot cannot be of the book's time. At the third in a row it is the book that is of another one,
    /// unless its stream goes on.
    private func giveUpOfAnotherTime() {
        if main.sync.isLive || urgentRetry.failures < 2 { return dropCandidate(failed: true) }
        forgetFormerTime()
        restart(loss == .none ? .gap : loss)
    }

    /// What is remembered of ids that are none any more.
    func forgetFormerTime() {
        tickers.removeAll()
        partials.removeAll()
    }

    /// The snapshot ends before what was collected begins: REST lags behind the stream. The updates are kept,
    /// so that one asked for half a second later finds them; or one some seconds later.
    private func candidateIsTooOld() {
        counters.snapshotsTooOld += 1
        guard let asked = candidate, let track = asked.track, asked.tooOldCount < 4,
            track.sync.collectedID != nil
        else { return failCandidate() }
        let dueNs = shared.nowNs &+ SymbolBook.restLagNs << Int64(asked.tooOldCount)
        candidate?.tooOldCount += 1
        candidate?.askAgainNs = dueNs
        wake(atNs: dueNs)
    }

    /// Asks for the next snapshot when its time has come.
    func askAgain(_ nowNs: Int64) {
        guard let dueNs = candidate?.askAgainNs, let purpose = candidate?.purpose else { return }
        if dueNs > nowNs { return wake(atNs: dueNs) }
        candidate?.askAgainNs = nil
        requestSnapshot(purpose, attempt: 0)
    }

    /// The candidate's snapshot was of no use: what is urgent is asked for again, as the planner finds fit.
    private func failCandidate() {
        guard let purpose = candidate?.purpose else { return }
        candidate = nil
        countFailure(of: purpose)
        if purpose < .check {
            urgentRetry.notBeforeNs = shared.nowNs
            startCandidate(purpose)
        }
    }

    // MARK: - The comparison

    /// Compares the two books, in slices, while they stand at the same id.
    func settle() {
        guard let track = candidate?.track, let id = main.sync.lastID, track.sync.lastID == id else {
            candidate?.comparison = nil
            return
        }
        if shared.defect.skipsEqualIDAudit && !(main.sync.isLive && track.sync.isLive) { return }
        switch compare(track, levelCountMax: SymbolBook.comparedLevelsMax) {
        case .unfinished: wake(atNs: shared.nowNs)
        case .equal: agreed(track)
        case .differ(let side, let level): contradicted(track, id, side, level)
        }
    }

    private func compare(_ track: SyncedBook, levelCountMax: Int) -> BookComparison.Progress {
        var comparison = candidate?.comparison ?? BookComparison()
        if let own = main.book.scales, let theirs = track.book.scales, own != theirs {
            let wide = own.widened(by: theirs)
            if main.book.widen(to: wide) { viewIsDue = true }
            _ = track.book.widen(to: wide)
        }
        // Where it has come to is a price in the decimals of the time.
        if candidate?.comparedScales != main.book.scales {
            comparison = BookComparison()
            candidate?.comparedScales = main.book.scales
        }
        let progress = comparison.advance(main.book, track.book, levelCountMax: levelCountMax)
        candidate?.comparison = comparison
        return progress
    }

    private func agreed(_ track: SyncedBook) {
        counters.auditsCompared += 1
        counters.auditsAgreed += 1
        finishCandidate(track)
        // The deeper of the two is served; the other one says the same of less.
        if reach(of: track.book) >= reach(of: main.book) { return serve(track) }
        proved(by: .snapshot)
        judge()
    }

    /// The candidate is served from now on, as the same book that it was compared with.
    private func serve(_ track: SyncedBook) {
        track.buffer.removeAll()
        main = track
        proved(by: .snapshot)
        afterApply()
    }

    private func contradicted(_ track: SyncedBook, _ id: UpdateID, _ side: Side, _ level: LevelDifference) {
        counters.auditsCompared += 1
        lastDifference = AuditDifference(
            at: id, side: side, level: level, snapshotID: track.snapshotID,
            scales: main.book.scales ?? SymbolScales(priceDecimals: 0, quantityDecimals: 0))
        if shared.defect.promotesUnchecked {
            main = track
            candidate = nil
            viewIsDue = true
            return
        }
        if needsProof || isBelievedUnproven { shared.refuted() }
        provenNs = shared.nowNs
        restart(.audit)
    }

    /// What agreement settles, whatever it was for.
    private func finishCandidate(_ track: SyncedBook) {
        guard let done = candidate else { return }
        candidate = nil
        urgentRetry = .urgent
        optionalRetry = .optional
        provenNs = shared.nowNs
        auditCount &+= 1
        ahead.reached(track.book.lastUpdateID)
        // Nothing has come since the snapshot: the symbol is where it was, however late its last update came.
        if let joinedNs = done.joinedNs, joinedNs > heardNs { (lagNs, lagNotedNs) = (0, joinedNs) }
        switch done.purpose {
        case .deepen, .shallow: counters.deepenings += 1
        case .check:
            counters.quietChecks += 1
            silence.startedAnew(nowNs: shared.nowNs)
        case .initial, .resync, .audit: break
        }
        // A candidate begun before the loss would have been given up.
        if hole.isOpen { closeHole() }
    }

    /// Proven levels of the worse side.
    private func reach(of book: borrowing OrderBook) -> Int {
        var reach = Int.max
        for side in Side.allCases where book.proven(side) != .unbounded {
            reach = min(reach, book.provenLevelCount(side))
        }
        return reach
    }

    // MARK: - Behind

    /// Something newer than the book has been in hand for too long. A candidate that is ahead with the same
    /// levels shows that only ids moved: the symbol is quiet. Otherwise updates are missing.
    func settleAhead() {
        if shared.defect.ignoresEvidenceAhead || ahead.oldestID.map({ isPlausible($0) }) == false {
            return ahead.removeAll()
        }
        // What is missing since a reconnect or a loss is no fault of the stream.
        let isExplained = hole.isOpen || (needsProof && !main.sync.isLive)
        if let track = candidate?.track, let theirs = track.sync.lastID, let own = main.sync.lastID,
            theirs > own
        {
            candidate?.comparison = nil
            if case .equal = compare(track, levelCountMax: .max) {
                counters.quietChecks += 1
                let isInDoubt = hole.isOpen || needsProof || streamDoubtedNs != nil
                finishCandidate(track)
                // On spot every id is of an update, and what it changed may lie deeper than the candidate
                // reaches: that is what is known at the later id, and the silence of the stream goes on. So
                // it is wherever updates may be missing.
                if configuration.market == .spot || isInDoubt { return serve(track) }
                silence.startedAnew(nowNs: shared.nowNs)
                proved(by: .snapshot)
                return judge()
            }
            counters.behind += 1
            if !isExplained { streamDoubtedNs = shared.nowNs }
            replaceByCandidate(.behind)
            if !isExplained { resubscribe() }
            return
        }
        counters.behind += 1
        if !isExplained { streamDoubtedNs = shared.nowNs }
        restart(.behind)
        if !isExplained { resubscribe() }
    }

    /// The candidate is the served book from now on: stale until something shows that the stream leads on.
    func replaceByCandidate(_ why: StaleReason) {
        guard let track = candidate?.track else { return }
        // What lies beyond the candidate speaks against it as well.
        let evidence = ahead
        if let theirs = track.sync.lastID, let own = main.sync.lastID, theirs < own { forgetFormerTime() }
        lose(why)
        ahead = evidence
        track.buffer.removeAll()
        main = track
        joinedNs = shared.nowNs
        joinChecks = 0
        appliedAtLoad = counters.applied
        provenNs = shared.nowNs
        afterApply()
        wakeForEvidence()
    }

    /// What is still ahead of a new book is looked at in time.
    func wakeForEvidence() {
        if let sinceNs = evidenceSinceNs { wake(atNs: sinceNs &+ aheadLimitNs &+ 1) }
    }

    /// Since when something has been ahead of the book, nil if nothing is.
    var evidenceSinceNs: Int64? {
        guard let sinceNs = candidate?.aheadSinceNs, let theirs = candidate?.id, let own = main.sync.lastID,
            theirs > own
        else { return ahead.sinceNs }
        return min(sinceNs, ahead.sinceNs ?? .max)
    }

    func resubscribe() {
        if !silence.maySubscribe(nowNs: shared.nowNs, configuration) { return }
        counters.resubscriptions += 1
        silence.startedAnew(nowNs: shared.nowNs)
        silence.subscribedNs = shared.nowNs
        shared.requests.append(.resubscribe(name))
    }
}
