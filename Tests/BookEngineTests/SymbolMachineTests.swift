// The small machines of one symbol, each by its table.

import BinanceVenue
import BookSync
import DepthBook
import FeedPlan
import LobHandoff
import MarketData
import Testing

@testable import BookEngine

private let second: Int64 = 1_000_000_000

/// The answer of a mutating call, which `#expect` cannot make itself.
private func says(_ answer: Bool) -> Bool { answer }

@Suite struct SymbolMachineTests {
    @Test func aSuspectedGapIsOpenForTheLaterReason() {
        var gap = SuspectedGap()
        #expect(!gap.isOpen && gap.reason == .none)
        gap.open(.unreadable, nowNs: 5)
        #expect(gap.isOpen && gap.reason == .unreadable && gap.dueNs(after: 10) == 15)
        gap.open(.dropped, nowNs: 7)
        #expect(gap.reason == .dropped && gap.dueNs(after: 10) == 17)
        gap.close()
        #expect(!gap.isOpen)
    }

    @Test func aLagIsMeasuredByTimesThatMove() {
        var meter = LagMeter()
        var lag = SymbolLag()
        func note(_ id: Int64, atSecond eventSecond: Int64, nowSecond: Int64) -> Bool {
            lag.note(
                eventTimeUs: eventSecond * 1_000_000, id: UpdateID(id), on: 1, nowNs: nowSecond * second,
                &meter)
        }
        #expect(!note(1, atSecond: 0, nowSecond: 10))
        #expect(note(1, atSecond: 1, nowSecond: 10))
        #expect(lag.lagNs == 0 && lag.notedNs == 10 * second)
        #expect(!note(2, atSecond: 1, nowSecond: 12))
        // The same update again is as late as it is.
        #expect(note(1, atSecond: 1, nowSecond: 12) && lag.lagNs == 2 * second)
        #expect(note(2, atSecond: 2, nowSecond: 14))
        #expect(lag.lagNs == 3 * second && lag.notedNs == 14 * second)
        lag.caughtUp(atNs: 15 * second)
        #expect(lag.lagNs == 0 && lag.notedNs == 15 * second)
    }

    @Test func threeUpdatesBehindForTooLongAreNoDuplicates() {
        var run = BehindRun()
        #expect(!run.isRunning(nowNs: 0, limitNs: 10))
        #expect(run.note(nowNs: 0, limitNs: 10) == .duplicates)
        #expect(run.note(nowNs: 20, limitNs: 10) == .duplicates)
        #expect(run.note(nowNs: 10, limitNs: 10) == .duplicates)
        #expect(run.note(nowNs: 11, limitNs: 10) == .tooLong(11))
        #expect(run.isRunning(nowNs: 21, limitNs: 10) && !run.isRunning(nowNs: 22, limitNs: 10))
        #expect(says(run.takeCheck()))
        #expect(!says(run.takeCheck()))
        run.end()
        #expect(!run.isRunning(nowNs: 11, limitNs: 10))
        #expect(run.note(nowNs: 30, limitNs: 10) == .duplicates)
        #expect(says(run.takeCheck()))
    }

    @Test func idsArePlausibleWithinWhatCanBeUsedUp() {
        var ids = PlausibleIDs(perSecondMax: 100)
        func isPlausible(_ id: Int64, nowNs: Int64 = 0) -> Bool {
            ids.isPlausible(UpdateID(id), after: UpdateID(1000), heardNs: 0, nowNs: nowNs)
        }
        #expect(ids.isPlausible(UpdateID(.max), after: nil, heardNs: 0, nowNs: 0))
        #expect(isPlausible(1) && isPlausible(1100) && isPlausible(7000))
        #expect(!isPlausible(7001) && !isPlausible(.max))
        #expect(isPlausible(7100, nowNs: second) && !isPlausible(7101, nowNs: second))
        #expect(!ids.isPlausible(UpdateID(.max), after: UpdateID(.min), heardNs: 0, nowNs: 0))
        #expect(!says(ids.refused()))
        #expect(!says(ids.refused()))
        #expect(says(ids.refused()))
        #expect(!says(ids.refused()))
        ids.accepted()
        #expect(!says(ids.refused()))
        #expect(!says(ids.refused()))
        #expect(says(ids.refused()))
    }

    @Test func aKeptBookIsDoubtedUntilProvenOrBelieved() {
        var doubt = ReconnectDoubt()
        #expect(!doubt.needsProof && !doubt.isBelievedUnproven)
        #expect(!says(doubt.refuted()))
        doubt.kept(after: ReconnectDoubt(), updates: 3, trial: 7)
        #expect(doubt.needsProof && doubt.sinceTrial == 7)
        doubt.believe()
        #expect(!doubt.needsProof && doubt.isBelievedUnproven)
        // What came since is as doubtful as what it was added to.
        let former = doubt
        doubt.forget()
        doubt.kept(after: former, updates: 9, trial: 8)
        #expect(doubt.needsProof && doubt.sinceTrial == 7)
        doubt.believe()
        #expect(says(doubt.refuted()))
        #expect(doubt.needsProof)
        #expect(says(doubt.provedEarly()))
        #expect(!says(doubt.provedEarly()))
        #expect(!doubt.needsProof && doubt.isEarly && doubt.isBelievedUnproven)
        #expect(says(doubt.refuted()))
        #expect(doubt.needsProof && !doubt.isEarly)
        doubt.proved()
        #expect(!doubt.needsProof && !doubt.isBelievedUnproven)
        #expect(!says(doubt.provedEarly()))
        #expect(!doubt.isEarly)
        doubt.kept(after: doubt, updates: 0, trial: 9)
        #expect(doubt.sinceTrial == 9)
        var trial = ReconnectTrial()
        for _ in 0..<9 { trial.begin(oldestDoubt: nil, nowNs: 0) }
        #expect(!doubt.isTelling(of: trial))
        #expect(says(doubt.mayAsk(&trial, nowNs: 0)))
    }

    @Test func aLossCountsAsAResyncOnceAndOnlyOfABook() {
        var loss = BookLoss()
        #expect(!says(loss.lost(.gap, number: 1)))
        #expect(loss.reason == .gap && loss.number == 1 && !loss.hasJoined)
        loss.joined()
        #expect(loss.hasJoined && loss.reason == .none && loss.reason(or: .mismatch) == .mismatch)
        #expect(says(loss.lost(.crossed, number: 2)))
        #expect(!says(loss.lost(.audit, number: 3)))
        #expect(loss.reason == .audit && loss.number == 3 && loss.reason(or: .mismatch) == .audit)
    }

    @Test func anAnswerCountsOnlyBehindItsRequest() {
        var awaited = AwaitedSnapshot()
        #expect(!awaited.isVoid && awaited.attempt(2) == 2)
        awaited.cancelled()
        awaited.requested(isAnnounced: true)
        #expect(awaited.isVoid)
        awaited.announced(nowNs: 0)
        #expect(!awaited.isVoid)
        awaited.cancelled()
        awaited.requested(isAnnounced: false)
        #expect(!awaited.isVoid)
        awaited.passed(UpdateID(50), nowNs: 0)
        func isTooOld(_ id: Int64, atSecond second: Int64 = 0) -> Bool {
            awaited.isTooOld(UpdateID(id), nowNs: second * 1_000_000_000)
        }
        #expect(isTooOld(49) && !isTooOld(50))
        awaited.collected(UpdateID(51), idsWentBack: false)
        #expect(isTooOld(49))
        // A duplicate says nothing.
        awaited.collected(UpdateID(10), idsWentBack: false)
        #expect(isTooOld(49) && awaited.knownID == UpdateID(51))
        awaited.collected(UpdateID(9), idsWentBack: false)
        #expect(isTooOld(49) && awaited.knownID == UpdateID(51))
        awaited.collected(UpdateID(10), idsWentBack: false)
        #expect(!isTooOld(1) && awaited.knownID == UpdateID(10))
        awaited.passed(UpdateID(50), nowNs: 0)
        awaited.collected(UpdateID(10), idsWentBack: true)
        #expect(!isTooOld(1) && awaited.knownID == UpdateID(10))
        awaited.joined()
        #expect(awaited.knownID == UpdateID(0))
        awaited.passed(UpdateID(50), nowNs: 0)
        #expect((0..<5).map { isTooOld(1, atSecond: $0 * 20) } == [true, true, true, true, true])
        #expect(!isTooOld(1, atSecond: 121))
    }

    @Test func booksGivenUpBeforeTheyWereLiveAreFruitless() {
        var awaited = AwaitedSnapshot()
        func lose(wasLive: Bool, atSecond second: Int64) {
            awaited.restarted(wasLive: wasLive, nowNs: second * 1_000_000_000)
            awaited.bookLost(wasLive: wasLive, nowNs: second * 1_000_000_000)
        }
        for second in 0..<3 { lose(wasLive: false, atSecond: Int64(second)) }
        #expect(awaited.attempt(1) == 3 && awaited.attempt(5) == 5)
        awaited.passed(UpdateID(50), nowNs: 0)
        // Live, but not for long, however long that took.
        awaited.becameLive(nowNs: 60_000_000_000)
        lose(wasLive: true, atSecond: 61)
        #expect(awaited.attempt(0) == 4)
        // The first one that does not last after one that did is no failure yet.
        awaited.becameLive(nowNs: 70_000_000_000)
        lose(wasLive: true, atSecond: 80)
        awaited.becameLive(nowNs: 81_000_000_000)
        lose(wasLive: true, atSecond: 82)
        #expect(awaited.attempt(0) == 1)
        awaited.passed(UpdateID(50), nowNs: 0)
        awaited.becameLive(nowNs: 90_000_000_000)
        lose(wasLive: true, atSecond: 100)
        let isTooOld = awaited.isTooOld(UpdateID(1), nowNs: 0)
        #expect(awaited.attempt(0) == 0 && !isTooOld)
    }

    @Test func checksOfAJoinedBookBecomeRarer() {
        var joins = JoinWatch()
        joins.joined(nowNs: 100)
        #expect(joins.dueNs(after: 10) == 110)
        joins.checked()
        #expect(joins.dueNs(after: 10) == 120)
        for _ in 0..<20 { joins.checked() }
        #expect(joins.dueNs(after: 10) == 100 + 10 * 512)
        joins.joined(nowNs: 200)
        #expect(joins.dueNs(after: 10) == 210)
    }

    @Test func auditsFallDueUpToAQuarterSooner() throws {
        var audits = AuditSchedule("BTCUSDT")
        #expect(audits.dueNs(everyNs: 0) == nil && audits.dueNs(everyNs: -1) == nil)
        #expect(audits.dueNs(everyNs: 3) == 3)
        var periods: Set<Int64> = []
        for _ in 0..<8 {
            audits.agreed(nowNs: second)
            let due = try #require(audits.dueNs(everyNs: 60 * second)) - second
            #expect((45 * second + 1...60 * second).contains(due))
            periods.insert(due)
        }
        #expect(periods.count > 1 && audits.count == 8)
        audits.looked(nowNs: 5 * second)
        #expect(audits.count == 8 && audits.dueNs(everyNs: 60 * second)! > 49 * second)
    }

    @Test func whatIsUrgentIsNotHeldUpByWhatMayWait() {
        var retries = CandidateRetries()
        for _ in 0..<12 { _ = retries.failed(.audit, nowNs: 0) }
        #expect(retries.optional.notBeforeNs == 640 * second && retries.failures(of: .deepen) == 9)
        #expect(retries.urgent.notBeforeNs == 0 && retries.failures(of: .check) == 0)
        #expect(retries.failed(.resync, nowNs: second) == second + 2_500_000_000)
        retries.allowUrgent(nowNs: 2 * second)
        #expect(retries.urgent.notBeforeNs == 2 * second && retries.failures(of: .initial) == 1)
        retries.joined()
        #expect(retries.failures(of: .initial) == 0 && retries.failures(of: .audit) == 9)
        retries.agreed()
        #expect(retries.failures(of: .audit) == 0 && retries.optional.notBeforeNs == 0)
    }
}

@Suite struct SharedTrialTests {
    /// Books built between a loss and a connection that was left do not speak for those from before the loss.
    @Test func aConnectionThatWasLeftDoesNotEndOldDoubts() {
        let shared = EngineShared(EngineConfiguration(rules: Market.spot.rules), EngineDefect())
        shared.lost(1, oldestDoubt: nil)
        shared.beginTrial(for: 1)
        shared.refuted()
        shared.beginTrial(for: 2)
        #expect(shared.trial.isOld(since: 1) && !shared.trial.isOld(since: 2))
        // After a trial in which ids were seen to continue there are none.
        for _ in 0..<ReconnectTrial.provenMin { shared.proved(isTelling: true) }
        shared.beginTrial(for: 3)
        #expect(shared.trial.isOld(since: 3))
    }
}

@Suite struct CandidateTests {
    private func staging(chainAt id: Int64? = nil, snapshot: Int64? = nil) -> SyncedBook {
        let shared = EngineShared(EngineConfiguration(rules: Market.spot.rules), EngineDefect())
        let book = SyncedBook(shared)
        _ = book.sync.subscribed()
        if let id { _ = book.sync.receive(UpdateRange(first: UpdateID(id), last: UpdateID(id))) }
        if let snapshot { _ = book.sync.snapshotArrived(UpdateID(snapshot)) }
        return book
    }

    @Test func itIsMadeMoreUrgentUntilItsSnapshotComes() {
        var candidate = Candidate(.audit, begunNs: 1)
        #expect(!says(candidate.mayServe(.audit)))
        #expect(candidate.purpose == .audit)
        #expect(says(candidate.mayServe(.check)))
        #expect(candidate.purpose == .check)
        #expect(!says(candidate.mayServe(.deepen)))
        #expect(candidate.purpose == .check)
        candidate.staging = staging(snapshot: 7)
        #expect(candidate.id == UpdateID(7))
        #expect(!says(candidate.mayServe(.resync)))
        #expect(candidate.purpose == .check)
    }

    @Test func aSnapshotThatIsTooOldIsAskedForFourTimesMore() {
        var candidate = Candidate(.audit, begunNs: 0)
        #expect(candidate.tooOld(nowNs: 0) == nil)
        candidate.staging = staging(chainAt: 9)
        for doubling in 0..<4 {
            #expect(candidate.turnToAsk(nowNs: 0) == .none)
            let dueNs = Int64(500_000_000) << Int64(doubling)
            #expect(candidate.tooOld(nowNs: 0) == dueNs)
            #expect(candidate.turnToAsk(nowNs: dueNs - 1) == .wait(untilNs: dueNs))
            #expect(candidate.turnToAsk(nowNs: dueNs) == .ask)
        }
        #expect(candidate.tooOld(nowNs: 0) == nil)
    }

    @Test func itIsAheadOrBehindOfTheServedBook() {
        var candidate = Candidate(.check, begunNs: 0)
        candidate.isAhead(sinceNs: 3)
        #expect(candidate.aheadSinceNs(of: UpdateID(6)) == nil)
        candidate.staging = staging(snapshot: 7)
        #expect(candidate.aheadSinceNs(of: UpdateID(6)) == 3)
        #expect(candidate.aheadSinceNs(of: UpdateID(7)) == nil && candidate.aheadSinceNs(of: nil) == nil)
        #expect(candidate.behindUntilNs(UpdateID(8), heardNs: 0, limitNs: 1) == nil)
        candidate.joined(nowNs: 10)
        #expect(candidate.behindUntilNs(UpdateID(8), heardNs: 4, limitNs: 1) == 500_000_011)
        #expect(candidate.behindUntilNs(UpdateID(8), heardNs: 20, limitNs: 1) == 500_000_021)
        #expect(candidate.behindUntilNs(UpdateID(7), heardNs: 4, limitNs: 1) == nil)
        candidate.lostSnapshot()
        #expect(candidate.behindUntilNs(UpdateID(8), heardNs: 4, limitNs: 1) == nil)
    }
}

@Suite struct BookMailboxesTests {
    @Test func aViewIsQueuedOnceUntilItIsPublished() {
        var mailboxes = BookMailboxes("BTCUSDT")
        var queued = [mailboxes.queue(), mailboxes.queue()]
        #expect(queued == [true, false])
        // What an earlier view left in the room for views is gone.
        var room = BookView()
        room.bids[3] = PriceLevel(1, 1)
        room.asks[0] = PriceLevel(2, 2)
        mailboxes.publish(OrderBook(levelCountMax: 10), in: &room) {
            $0.symbol = "BTCUSDT"
            $0.state = .live
        }
        queued = [mailboxes.queue()]
        mailboxes.changed()
        queued.append(mailboxes.queue())
        #expect(queued == [false, true])
        var view = BookView()
        let views = mailboxes.views
        guard case .new = views.read(into: &view) else {
            Issue.record("no view")
            return
        }
        #expect(view.state == .live && view.symbol == "BTCUSDT")
        #expect(view.bids[3] == PriceLevel(0, 0) && view.asks[0] == PriceLevel(0, 0))
        var former = BookMailboxes("BTCUSDT")
        former.replaces(mailboxes)
        let isQueuedAgain = former.queue()
        #expect(!isQueuedAgain)
    }

    @Test func theStatusHasItsTurn() {
        var mailboxes = BookMailboxes("BTCUSDT")
        let turns = [(0, 100), (10, 9), (10, 10), (10, 19)].map {
            mailboxes.takeStatusTurn(everyNs: Int64($0.0), nowNs: Int64($0.1))
        }
        #expect(turns == [false, false, true, false])
    }
}
