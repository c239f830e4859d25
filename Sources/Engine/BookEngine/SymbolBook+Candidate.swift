// The candidate beside the served book: starting, feeding, comparing, and the outcome.

import BinanceVenue
import BookSync
import DepthBook
import FeedPlan
import LobHandoff
import MarketData

extension SymbolBook {
    /// Levels compared per slice: some 20 µs.
    private static let comparedLevelsMax = 4096

    /// Starts a candidate, or raises the urgency of an existing one. Does nothing unless the served book
    /// stands at an id.
    func startCandidate(_ purpose: SnapshotPriority) {
        guard served.sync.lastID != nil, source.connection != nil else { return }
        if candidate != nil {
            if candidate?.mayServe(purpose) != true { return }
        } else {
            // An answer to what was requested before would not show what has been lost since.
            if awaited.isUnderWay { cancelSnapshot() }
            candidate = Candidate(purpose, begunNs: shared.nowNs)
            // Urgent candidates collect at once, the others when their request is sent.
            if !shared.configuration.requestsAreAnnounced || purpose < .deepen { snapshotRequested() }
        }
        requestSnapshot(purpose, attempt: retries.failures(of: purpose))
    }

    /// Gives the candidate up.
    /// - Parameter failed: whether it failed by itself, so that the next one waits.
    func dropCandidate(failed: Bool) {
        guard let dropped = candidate else { return }
        candidate = nil
        if dropped.id == nil { cancelSnapshot() }
        if failed { wake(atNs: retries.failed(dropped.purpose, nowNs: shared.nowNs)) }
    }

    /// The same update, for the candidate.
    func receiveInCandidate(_ update: borrowing DepthUpdate, _ ids: UpdateRange, _ frame: Frame) {
        guard let staging = candidate?.staging else { return }
        switch staging.sync.receive(ids) {
        case .discard: break
        case .buffer:
            if !staging.buffer.append(frame) {
                // Its request keeps its place; it collects anew, and may find the snapshot too old.
                counters.bufferOverflows += 1
                staging.buffer.removeAll()
                _ = staging.sync.restart()
            }
        case .clearAndBuffer:
            staging.buffer.removeAll()
            _ = staging.buffer.append(frame)
        case .apply:
            do { try staging.book.apply(update) } catch { return dropCandidate(failed: true) }
            if let extras = update.extras, !heed(extras, staging) { return dropCandidate(failed: true) }
        case .resync(.snapshotTooOld, _):
            // REST was late: updates from here on are kept for the next snapshot.
            candidate?.lostSnapshot()
            if !staging.buffer.append(frame) { return dropCandidate(failed: true) }
            return candidateIsTooOld()
        case .resync: return dropCandidate(failed: true)
        }
        settle()
    }

    /// A snapshot, requested or not, while the served book stands at an id.
    ///
    /// - Parameter askedNs: when it was requested, if that is known, or now.
    func receiveCandidateSnapshot(_ parser: inout MessageParser, limit: Int?, askedNs: Int64) {
        let id = parser.snapshot.lastUpdateID
        if candidate?.id != nil || source.connection == nil {
            counters.discarded += 1
            return
        }
        if !isPlausible(id) {
            counters.implausible += 1
            return giveUpOfAnotherTime()
        }
        if candidate == nil { candidate = Candidate(.audit, begunNs: askedNs) }
        if candidate?.isAnsweredFirst() == true && candidate?.purpose == .check { joins.checked() }
        snapshotRequested()
        guard let staging = candidate?.staging else { return }
        guard case .replay = staging.sync.snapshotArrived(id) else { return candidateIsTooOld() }
        switch staging.join(
            &parser, limit: limit, isLinked: shared.configuration.rules.updatesAreLinked,
            applied: { extras in extras.map { heed($0, staging) } ?? true })
        {
        case .joined: break
        case .refuted:
            counters.snapshotsRefuted += 1
            return failCandidate()
        case .crossed:
            counters.snapshots += 1
            counters.snapshotsRefuted += 1
            return failCandidate()
        case .abandoned, .unusable, .implausible: return failCandidate()
        }
        counters.snapshots += 1
        candidate?.joined(nowNs: shared.nowNs)
        guard let own = served.sync.lastID, let reached = staging.sync.lastID else { return }
        // Ids may have gone back for good, or the book may be of another epoch; the updates will then
        // continue from here.
        if reached < own && served.sync.isLive {
            let isOfAnotherTime = gap.isOpen && behind.idsWentBack || isLongBelow(candidate?.begunNs)
            if isOfAnotherTime { return restartOfAnotherTime(at: reached) }
            if !doubt.needsProof { return candidateIsTooOld() }
        }
        if reached > own && !shared.defect.ignoresEvidenceAhead {
            candidate?.isAhead(sinceNs: shared.nowNs)
            wakeForEvidence()
        }
        if reached < own { giveUpBehind(shared.nowNs) }
        settle()
    }

    /// Whether the venue's ids have begun anew beside a dead stream: for minutes nothing has been heard but
    /// tickers or partial depths behind the book, and now a snapshot requested since. REST alone may be late.
    private func isLongBelow(_ begunNs: Int64?) -> Bool {
        guard let begunNs, begunNs > silence.heardNs else { return false }
        return source.isLongBelow && shared.nowNs &- silence.heardNs > SymbolSource.belowNsMin
    }

    /// Gives up a candidate that no update continues from behind the book: REST may have been late.
    func giveUpBehind(_ nowNs: Int64) {
        guard
            let dueNs = candidate?.behindUntilNs(
                served.sync.lastID, heardNs: silence.heardNs, limitNs: aheadLimitNs)
        else { return }
        if dueNs > nowNs { return wake(atNs: dueNs) }
        giveUpOfAnotherTime()
    }

    /// A snapshot cannot belong to the book's id epoch. After three in a row the book may be of another one,
    /// unless its stream continues. Another symbol may have shown that; otherwise REST may as well be late,
    /// and an older book must wait.
    private func giveUpOfAnotherTime() {
        if served.sync.isLive || retries.urgent.failures < 2 { return dropCandidate(failed: true) }
        let why = loss.reason(or: .gap)
        if !doubt.needsProof || shared.trial.verdict != .refuted {
            return restartBehind(served.book.lastUpdateID, why)
        }
        crossChecks.forgetFormerTime()
        restart(why)
    }

    /// The snapshot ends before the collected updates begin: REST lags the stream.
    private func candidateIsTooOld() {
        counters.snapshotsTooOld += 1
        guard let dueNs = candidate?.tooOld(nowNs: shared.nowNs) else { return failCandidate() }
        wake(atNs: dueNs)
    }

    /// Requests the next snapshot when it is due.
    func askAgain(_ nowNs: Int64) {
        guard let turn = candidate?.turnToAsk(nowNs: nowNs), let purpose = candidate?.purpose else { return }
        switch turn {
        case .none: break
        case .wait(let untilNs): wake(atNs: untilNs)
        case .ask: requestSnapshot(purpose, attempt: 0)
        }
    }

    /// The candidate's snapshot was useless: urgent ones are requested again, as the planner sees fit.
    private func failCandidate() {
        guard let purpose = candidate?.purpose else { return }
        candidate = nil
        wake(atNs: retries.failed(purpose, nowNs: shared.nowNs))
        if purpose < .check {
            retries.allowUrgent(nowNs: shared.nowNs)
            startCandidate(purpose)
        }
    }

    // MARK: - The comparison

    /// Compares the two books in slices, as long as they stand at the same id.
    func settle() {
        guard let staging = candidate?.staging, let id = served.sync.lastID, staging.sync.lastID == id else {
            candidate?.comparison = nil
            return
        }
        if shared.defect.skipsEqualIDAudit && !(served.sync.isLive && staging.sync.isLive) { return }
        switch compare(staging, levelCountMax: SymbolBook.comparedLevelsMax) {
        case .unfinished: wake(atNs: shared.nowNs)
        case .equal: agreed(staging)
        case .differ(let side, let level):
            if shared.defect.ignoresAudits {
                _ = finishCandidate(staging, isDeeper: false)
            } else {
                contradicted(staging, id, side, level)
            }
        }
    }

    func compare(_ staging: SyncedBook, levelCountMax: Int) -> BookComparison.Progress {
        var comparison = candidate?.comparison ?? BookComparison()
        if let own = served.book.scales, let theirs = staging.book.scales, own != theirs {
            let wide = own.widened(by: theirs)
            if served.book.widen(to: wide) {
                mailboxes.changed()
                replaced()
            }
            _ = staging.book.widen(to: wide)
        }
        // Its position is a price in the decimals of its start.
        if candidate?.comparedScales != served.book.scales {
            comparison = BookComparison()
            candidate?.comparedScales = served.book.scales
        }
        let progress = comparison.advance(served.book, staging.book, levelCountMax: levelCountMax)
        candidate?.comparison = comparison
        return progress
    }

    private func agreed(_ staging: SyncedBook) {
        counters.auditsCompared += 1
        counters.auditsAgreed += 1
        noteAudit(staging, isEqual: true)
        // The deeper of the two is served; the other says the same about fewer levels.
        let isDeeper = reach(of: staging.book) >= reach(of: served.book)
        let askedNs = finishCandidate(staging, isDeeper: isDeeper)
        if isDeeper { return serve(staging, askedNs: askedNs) }
        proved(by: .snapshot, atNs: askedNs)
        judge()
        // It may have been requested too early to settle what is in doubt.
        if state != .live { wake(atNs: shared.nowNs &+ shared.configuration.doubtNsMin) }
    }

    /// Serves the candidate, as the same book that it was compared with.
    func serve(_ staging: SyncedBook, askedNs: Int64) {
        staging.buffer.removeAll()
        // No update has reached the new one yet, but it equals the book that one has reached.
        if served.sync.isLive && served.sync.lastID == staging.sync.lastID { staging.sync.proven() }
        served = staging
        shared.deepeningCount &+= 1
        deepeningNumber = shared.deepeningCount
        proved(by: .snapshot, atNs: askedNs)
        afterApply()
    }

    private func contradicted(_ staging: SyncedBook, _ id: UpdateID, _ side: Side, _ level: LevelDifference) {
        counters.auditsCompared += 1
        lastDifference = AuditDifference(
            at: id, side: side, level: level, snapshotID: staging.snapshotID,
            scales: served.book.scales ?? SymbolScales(priceDecimals: 0, quantityDecimals: 0))
        noteAudit(staging, isEqual: false)
        if shared.defect.promotesUnchecked {
            served = staging
            candidate = nil
            mailboxes.changed()
            return
        }
        if doubt.needsProof || doubt.isBelievedUnproven { shared.refuted() }
        audits.looked(nowNs: shared.nowNs)
        restartBehind(id, .audit)
    }

    /// Settles everything that agreement proves, whatever the candidate's purpose.
    ///
    /// - Parameters:
    ///   - staging: the candidate's book.
    ///   - isDeeper: whether everything known of the served book was compared.
    /// - Returns: when its snapshot was requested.
    func finishCandidate(_ staging: SyncedBook, isDeeper: Bool) -> Int64 {
        guard let done = candidate else { return .min }
        candidate = nil
        retries.agreed()
        // A check of the best levels is not an audit.
        if isDeeper || done.purpose == .audit { audits.agreed(nowNs: shared.nowNs) }
        ahead.reached(staging.book.lastUpdateID)
        contrary.reached(staging.book.lastUpdateID)
        source.notBelow()
        // Nothing has arrived since the snapshot was requested: the symbol is level with the venue, however
        // late its last update was.
        if done.begunNs > silence.heardNs {
            lag.caughtUp(atNs: done.begunNs)
            shared.connections.caughtUp()
        }
        switch done.purpose {
        case .deepen, .shallow: counters.deepenings += 1
        case .check:
            counters.quietChecks += 1
            // One that merely confirms a snapshot says nothing about the stream.
            if silence.dueNs(nowNs: shared.nowNs, shared.configuration) < shared.nowNs {
                silence.foundQuiet(nowNs: shared.nowNs)
            }
        case .initial, .resync, .audit: break
        }
        // What was requested at once, for whatever reason, may be older than what was lost.
        if gap.isOpen {
            let dueNs = gap.dueNs(after: shared.configuration.doubtNsMin)
            if done.begunNs >= dueNs { settleGap() } else { wake(atNs: dueNs) }
        }
        return done.begunNs
    }

    /// Number of proven levels on the worse side.
    private func reach(of book: borrowing OrderBook) -> Int {
        var reach = Int.max
        for side in Side.allCases where book.proven(side) != .unbounded {
            reach = min(reach, book.provenLevelCount(side))
        }
        return reach
    }
}
