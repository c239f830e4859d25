// The budget of requests and the door to the venue, without a queue or connections around them.

import BinanceVenue
import MarketData
import Testing

@testable import FeedPlan

/// Well inside a clock minute.
private let start: Int64 = 1_790_000_010_000

@Suite struct RequestBudgetTests {
    private typealias Answer = SnapshotPlanner.Answer

    private func budget(_ change: (inout SnapshotPlanner.Configuration) -> Void = { _ in }) -> RequestBudget {
        var configuration = SnapshotPlanner.Configuration(pool: .spot)
        change(&configuration)
        var budget = RequestBudget(pool: .spot, configuration)
        _ = budget.advance(start)
        return budget
    }

    @Test func timeNeverRunsBackwards() {
        var budget = budget()
        #expect(budget.advance(start - 5) == start)
    }

    @Test func whatIsNotUrgentLeavesTheReserve() {
        var budget = budget()
        let usable = budget.limits.weightUsable
        _ = budget.spend(usable - budget.limits.urgentReserve, isUrgent: false, nowMs: start)
        #expect(budget.roomMs(for: 1, isUrgent: true, nowMs: start) == start)
        #expect(budget.roomMs(for: 1, isUrgent: false, nowMs: start) > start)
        _ = budget.spend(budget.limits.urgentReserve, isUrgent: true, nowMs: start)
        #expect(budget.roomMs(for: 1, isUrgent: true, nowMs: start) > start)
        #expect(budget.sentCount == 2 && budget.ledger.spent(nowMs: start) == usable)
    }

    @Test func onlySoManyAreUnderWay() {
        var budget = budget { ($0.inFlightMax, $0.carefulInFlightMax, $0.lateMax) = (3, 2, 1) }
        _ = budget.spend(1, isUrgent: true, nowMs: start)
        #expect(budget.gate(nowMs: start) == .open)
        let second = budget.spend(1, isUrgent: true, nowMs: start)
        #expect(budget.gate(nowMs: start) == .crowded(wakeMs: .max))
        // One that was served proves the venue; the one sent before is late after a second.
        #expect(isSuccess(budget.answered(second, Answer(status: 200), nowMs: start)))
        for _ in 0..<2 { _ = budget.spend(1, isUrgent: true, nowMs: start) }
        #expect(budget.gate(nowMs: start) == .crowded(wakeMs: start + 1000))
        #expect(budget.gate(nowMs: start + 1000) == .open)
    }

    @Test func aRefusalPausesAllAndLetsOneThroughBehindIt() {
        var budget = budget()
        let first = budget.spend(1, isUrgent: true, nowMs: start)
        let meaning = budget.answered(
            first, Answer(status: 429, retryAfterSeconds: 7, usedWeight: 99), nowMs: start)
        guard case .refusal(.limited) = meaning else {
            Issue.record("\(meaning)")
            return
        }
        #expect(budget.refusalCount == 1 && budget.ledger.spent(nowMs: start) == 99)
        let untilMs = budget.pause.untilMs
        #expect(untilMs >= start + 7000 && budget.gate(nowMs: start) == .paused(untilMs: untilMs))
        #expect(budget.gate(nowMs: untilMs) == .open)
        let probe = budget.spend(1, isUrgent: true, nowMs: untilMs)
        #expect(budget.gate(nowMs: untilMs) == .crowded(wakeMs: .max))
        budget.answering(probe, Answer(status: 200))
        #expect(budget.gate(nowMs: untilMs) == .open && budget.pause.isProven)
    }

    @Test func aFirewallThatServesOthersRefusesWhatIsAsked() {
        var budget = budget()
        let good = budget.spend(1, isUrgent: true, nowMs: start)
        _ = budget.answered(good, Answer(status: 200), nowMs: start)
        let again = budget.spend(1, isUrgent: true, nowMs: start)
        _ = budget.answered(again, Answer(status: 403), hasFailed: true, nowMs: start)
        #expect(budget.refusalCount == 0 && budget.gate(nowMs: start) == .open)
        let first = budget.spend(1, isUrgent: true, nowMs: start)
        _ = budget.answered(first, Answer(status: 403), nowMs: start)
        #expect(budget.refusalCount == 1 && budget.pause.untilMs > start)
    }

    @Test func severalFailuresInARowAreAnOutage() {
        var budget = budget { $0.outageFailureCount = 3 }
        for count in 1...3 {
            let ticket = budget.spend(1, isUrgent: true, nowMs: start)
            _ = budget.answered(ticket, Answer(status: 0), nowMs: start)
            #expect((budget.pause.untilMs > start) == (count == 3))
        }
        #expect(budget.transientFailureCount == 3)
    }

    @Test func theVenueStatesItsBudgetWithinReason() {
        var budget = budget()
        let usual = budget.limits
        var isTaken = budget.venueStates(weightPerMinute: 1)
        #expect(!isTaken && budget.limits == usual)
        isTaken = budget.venueStates(weightPerMinute: 12_000)
        #expect(isTaken && budget.limits.weightUsable == 2 * usual.weightUsable)
        budget.tookMs(1000)
        #expect(budget.latencyMs == 300)
    }

    private func isSuccess(_ meaning: Answer.Meaning) -> Bool {
        if case .success = meaning { return true }
        return false
    }
}

@Suite struct DialPolicyTests {
    private func policy(_ change: (inout ConnectionSupervisor.Configuration) -> Void = { _ in }) -> DialPolicy
    {
        var configuration = ConnectionSupervisor.Configuration(market: .spot)
        change(&configuration)
        return DialPolicy(configuration)
    }

    @Test func attemptsAreSpreadOverFiveMinutes() {
        var policy = policy { $0.attemptsPerFiveMinutesMax = 2 }
        #expect(policy.dialAtMs == .min)
        for nowMs in [start, start + 10] { policy.dialled(nowMs: nowMs) }
        #expect(policy.dialAtMs == start + 300_000)
    }

    @Test func failuresInARowWaitLongerUntilOneWasGood() {
        var policy = policy { ($0.backoffFirstMs, $0.backoffMaxMs) = (1000, 8000) }
        for (count, fullMs) in [1000, 2000, 4000, 8000, 8000].enumerated() {
            let before = policy.failures
            policy.lost(.lost, toldMs: nil, nowMs: start + Int64(count) * 100_000)
            let waitMs = policy.dialAtMs - start - Int64(count) * 100_000
            #expect(policy.failures == before + 1 && (Int64(fullMs / 2)...Int64(fullMs)).contains(waitMs))
        }
        policy.proved()
        #expect(policy.failures == 0)
        policy.lost(.lost, toldMs: 20_000, nowMs: start + 1_000_000)
        #expect(policy.dialAtMs == start + 1_020_000)
    }

    @Test func refusalsAtLeastDouble() {
        var policy = policy()
        policy.lost(.refused, toldMs: 200_000, nowMs: start)
        let first = policy.dialAtMs - start
        #expect((200_000...220_000).contains(first))
        policy.lost(.refused, toldMs: 200_000, nowMs: start)
        let second = policy.dialAtMs - start
        #expect((400_000...440_000).contains(second))
        policy.subscribed()
        policy.lost(.refused, toldMs: 200_000, nowMs: start + 1_000_000)
        #expect(policy.dialAtMs - start < 1_221_000)
    }
}

@Suite struct StreamConnectionTests {
    private let configuration = ConnectionSupervisor.Configuration(market: .spot)

    private func connection(renewAtMs: Int64 = .max) -> StreamConnection {
        StreamConnection(1, dialledAtMs: start, renewAtMs: renewAtMs, configuration)
    }

    @Test func itServesWhenAllIsAccepted() throws {
        var connection = connection()
        var serves = connection.accepted(nowMs: start)
        #expect(!serves && !connection.isConnected)
        connection.opened(["a@depth"])
        connection.opened(["b@depth"])
        let wanted = connection.requests.next(nowMs: start)
        let request = try #require(wanted)
        #expect(request.streams == ["a@depth"])
        serves = connection.accepted(nowMs: start)
        #expect(!serves)
        _ = connection.requests.replied(.integer(request.id), .accepted(.done))
        serves = connection.accepted(nowMs: start + 5)
        #expect(serves && connection.isConnected)
        serves = connection.accepted(nowMs: start + 6)
        #expect(!serves)
        #expect(connection.hasServed(forMs: 10, nowMs: start + 15))
        #expect(!connection.hasServed(forMs: 11, nowMs: start + 15))
    }

    @Test func itIsNotOpenInTimeOrTooOldOrUnanswered() throws {
        var connection = connection(renewAtMs: start + 100_000)
        let limitMs = configuration.dialLimitMs
        #expect(connection.faults(nowMs: start + limitMs - 1, configuration) == [])
        #expect(connection.faults(nowMs: start + limitMs, configuration) == [.notOpened])
        #expect(connection.wakeAtMs(configuration) == start + limitMs)
        connection.opened(["a@depth"])
        let wanted = connection.requests.next(nowMs: start)
        let request = try #require(wanted)
        let overdueMs = start + configuration.answerLimitMs
        #expect(connection.faults(nowMs: overdueMs, configuration) == [.unanswered(request)])
        _ = connection.requests.replied(.integer(request.id), .accepted(.done))
        _ = connection.accepted(nowMs: start)
        #expect(connection.wakeAtMs(configuration) == start + 100_000)
        #expect(connection.faults(nowMs: start + 100_000, configuration) == [.old])
        let marks = [connection.markForReplacement(), connection.markForReplacement()]
        #expect(marks == [true, false] && connection.wakeAtMs(configuration) == .max)
        connection.retire(atMs: start + 7)
        #expect(connection.wakeAtMs(configuration) == start + 7)
        connection.stay()
        #expect(connection.retireAtMs == nil)
    }

    @Test func itIsContinuedByOneThatDeliversAsMuch() throws {
        var old = connection()
        var next = connection()
        #expect(!old.isContinued(by: nil) && !old.isContinued(by: next))
        next.opened(["a@depth"])
        let wanted = next.requests.next(nowMs: start)
        let request = try #require(wanted)
        _ = next.requests.replied(.integer(request.id), .accepted(.done))
        _ = next.accepted(nowMs: start)
        #expect(old.isContinued(by: next))
        old.suspect()
        #expect(!old.isContinued(by: next))
    }

    @Test func streamsThatAreSilentAgainAndAgainAreLost() {
        var connection = connection()
        var lost = connection.countLost(["a", "b"], nowMs: start, configuration)
        #expect(lost == 0)
        lost = connection.countLost(["a"], nowMs: start + 1000, configuration)
        #expect(lost == 1)
        lost = connection.countLost(["b"], nowMs: start + configuration.lostWithinMs + 1, configuration)
        #expect(lost == 1)
    }
}
