// Requests that are no snapshots, in the same budget.

import FeedPlan
import MarketData
import Testing

struct PlannerOtherTests {
    typealias Planner = SnapshotPlanner
    typealias Answer = SnapshotPlanner.Answer
    static let start = PlannerTests.start

    /// The ticket of an admitted request, nil if it has to wait.
    static func admit(_ planner: inout Planner, weight: Int = 20, _ nowMs: Int64 = start) -> UInt64? {
        switch planner.admit(weight: weight, nowMs: nowMs) {
        case .send(let ticket): ticket
        case .wait: nil
        }
    }

    /// Few at once until the venue has served one, of whatever kind they are.
    @Test func provesAndIsProvenFor() {
        var planner = Planner.prompt(.spot)
        for key in plannerKeys(9) { _ = planner.request(key, .initial, levelCount: 100, nowMs: Self.start) }
        let ticket = Self.admit(&planner)
        #expect(ticket != nil && PlannerTests.sendAll(&planner, Self.start).count == 3)
        #expect(Self.admit(&planner) == nil)
        #expect(planner.plan(nowMs: Self.start).weightSpent == 35)
        let answer = Answer(status: 200, usedWeight: 300)
        #expect(planner.answeredOther(ticket!, answer, attempt: 0, nowMs: Self.start + 50) == .deliver)
        #expect(planner.plan(nowMs: Self.start).weightSpent == 300)
        #expect(PlannerTests.sendAll(&planner, Self.start + 50).count == 5)
    }

    /// A list of symbols is twenty megabytes: the books must not wait for its end.
    @Test func theHeadOfAnAnswerIsProofEnough() {
        var planner = PlannerTests.refused()
        let now = Self.start + 60_000
        _ = planner.request(plannerKeys(1)[0], .initial, levelCount: 100, nowMs: now)
        let ticket = Self.admit(&planner, now)!
        for status in [500, 429, 404, 0] {
            planner.answering(ticket, Answer(status: status), nowMs: now)
            #expect(PlannerTests.send(&planner, now) == nil)
        }
        planner.answering(ticket, Answer(status: 200, usedWeight: 300), nowMs: now)
        #expect(planner.plan(nowMs: now).weightSpent == 300)
        let snapshot = PlannerTests.send(&planner, now)
        #expect(snapshot != nil)
        // What was sent before a refusal was known proves nothing.
        let refusal = Answer(status: 429, retryAfterSeconds: 1)
        _ = planner.answered(snapshot!.ticket, refusal, nowMs: now)
        planner.answering(ticket, Answer(status: 200), nowMs: now)
        #expect(Self.admit(&planner, now + 5000) == nil)
    }

    @Test func keepsTheBudget() {
        var planner = PlannerTests.served { $0.inFlightMax = 1000 }
        var spent = 5
        while Self.admit(&planner, weight: 250) != nil { spent += 250 }
        #expect(spent <= 5400 && spent > 5150)
        let roomMs = (Self.start / 60_000 + 1) * 60_000 + 1000
        #expect(planner.admit(weight: 250, nowMs: Self.start) == .wait(untilMs: roomMs))
        #expect(Self.admit(&planner, weight: 250, roomMs) != nil)
    }

    @Test func aRefusalStopsEverything() {
        var planner = PlannerTests.served()
        _ = planner.request(plannerKeys(1)[0], .initial, levelCount: 100, nowMs: Self.start)
        let ticket = Self.admit(&planner)!
        let refusal = Answer(status: 429, retryAfterSeconds: 7)
        let untilMs = Self.start + 8000
        #expect(
            planner.answeredOther(ticket, refusal, attempt: 0, nowMs: Self.start)
                == .retry(notBeforeMs: untilMs))
        #expect(PlannerTests.send(&planner, untilMs - 1) == nil)
        #expect(planner.admit(weight: 1, nowMs: untilMs - 1) == .wait(untilMs: untilMs))
        #expect(Self.admit(&planner, untilMs) != nil)
    }

    @Test func troubleAndUselessness() {
        var planner = PlannerTests.served()
        for (attempt, status) in [0, 503, 408].enumerated() {
            var nowMs = Self.start + Int64(attempt) * 1000
            var ticket: UInt64?
            while ticket == nil {
                nowMs += 500
                ticket = Self.admit(&planner, weight: 1, nowMs)
            }
            guard
                case .retry(let notBeforeMs) = planner.answeredOther(
                    ticket!, Answer(status: status), attempt: attempt, nowMs: nowMs)
            else { return #expect(Bool(false)) }
            #expect(notBeforeMs >= nowMs + 250 << Int64(attempt))
        }
        let ticket = Self.admit(&planner, Self.start + 20_000)!
        #expect(
            planner.answeredOther(ticket, Answer(status: 404), attempt: 0, nowMs: Self.start + 20_000)
                == .failed(.refused(status: 404, code: nil)))
    }
}
