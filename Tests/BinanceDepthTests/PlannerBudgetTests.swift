// Weight per clock minute, and staying away when told to.

import BinanceVenue
import FeedPlan
import MarketData
import Testing

struct PlannerBudgetTests {
    typealias Planner = SnapshotPlanner
    typealias Answer = SnapshotPlanner.Answer

    static let start = PlannerTests.start
    static let minute = start - 20_000

    /// Sends and answers at one moment until the planner wants to wait.
    static func serveAll(_ planner: inout Planner, _ nowMs: Int64) -> [Planner.Request] {
        var requests: [Planner.Request] = []
        while let request = PlannerTests.send(&planner, nowMs) {
            requests.append(request)
            _ = planner.answered(request.ticket, PlannerTests.ok, nowMs: nowMs)
        }
        return requests
    }

    static func want(
        _ planner: inout Planner, _ count: Int, _ priority: SnapshotPriority, levelCount: Int,
        nowMs: Int64 = start
    ) {
        for key in plannerKeys(count) {
            _ = planner.request(key, priority, levelCount: levelCount, nowMs: nowMs)
        }
    }

    @Test func aMinuteHasOneBudget() {
        var planner = PlannerTests.served()
        Self.want(&planner, 30, .initial, levelCount: 5000)
        #expect(Self.serveAll(&planner, Self.start).count == (5400 - 5) / 250)
        let plan = planner.plan(nowMs: Self.start)
        #expect(plan.weightSpent == 5 + 21 * 250 && plan.weightMax == 5400)
        #expect(plan.obstacle == .budget && plan.waitingUntilMs == Self.minute + 61_000)
        #expect(Self.serveAll(&planner, Self.minute + 60_999).isEmpty)
        #expect(Self.serveAll(&planner, Self.minute + 61_000).count == 9)
    }

    /// Half a second before the end of a minute a request may count in either.
    @Test func aRequestNearTheEndOfAMinuteCountsInBoth() {
        var planner = PlannerTests.served()
        let late = Self.minute + 59_500
        Self.want(&planner, 60, .initial, levelCount: 5000, nowMs: late)
        #expect(Self.serveAll(&planner, late).count == 21)
        #expect(planner.plan(nowMs: late).waitingUntilMs == Self.minute + 121_000)
        #expect(Self.serveAll(&planner, Self.minute + 61_000).isEmpty)
        #expect(planner.plan(nowMs: Self.minute + 61_000).weightSpent == 21 * 250)
        #expect(Self.serveAll(&planner, Self.minute + 121_000).count == 21)
        #expect(Self.serveAll(&planner, Self.minute + 181_000).count == 18)
    }

    @Test func deepeningLeavesTheReserveToUrgentRequests() {
        var planner = PlannerTests.served()
        Self.want(&planner, 30, .deepen, levelCount: 5000)
        #expect(Self.serveAll(&planner, Self.start).count == (5400 - 540 - 5) / 250)
        let lost = SnapshotKey(market: .spot, symbol: SymbolName("LOST"))
        _ = planner.request(lost, .resync, levelCount: 1000, nowMs: Self.start)
        #expect(Self.serveAll(&planner, Self.start).map(\.key) == [lost])
    }

    /// What does not fit is waited for; nothing lighter overtakes it.
    @Test func nothingOvertakesTheFirst() {
        var planner = PlannerTests.served()
        Self.want(&planner, 21, .initial, levelCount: 5000)
        let light = SnapshotKey(market: .spot, symbol: SymbolName("LIGHT"))
        let heavy = SnapshotKey(market: .spot, symbol: SymbolName("HEAVY"))
        _ = planner.request(heavy, .resync, levelCount: 5000, nowMs: Self.start)
        _ = planner.request(light, .resync, levelCount: 100, nowMs: Self.start)
        #expect(Self.serveAll(&planner, Self.start).count == 21)
        #expect(Self.serveAll(&planner, Self.minute + 61_000).map(\.key) == [heavy, light])
    }

    @Test func theVenuesCountCountsIfItIsLarger() {
        var planner = PlannerTests.served()
        Self.want(&planner, 3, .initial, levelCount: 100)
        let requests = PlannerTests.sendAll(&planner, Self.start)
        _ = planner.answered(requests[0].ticket, Answer(status: 200, usedWeight: 3), nowMs: Self.start)
        #expect(planner.plan(nowMs: Self.start).weightSpent == 20)
        _ = planner.answered(requests[1].ticket, Answer(status: 200, usedWeight: 5399), nowMs: Self.start)
        #expect(planner.plan(nowMs: Self.start).weightSpent == 5399)
        Self.want(&planner, 2, .initial, levelCount: 100)
        #expect(PlannerTests.send(&planner, Self.start) == nil)
        // An answer to a request of the minute before says nothing about this one.
        let next = Self.minute + 61_000
        _ = planner.answered(requests[2].ticket, Answer(status: 200, usedWeight: 5399), nowMs: next)
        #expect(planner.plan(nowMs: next).weightSpent == 0)
        #expect(PlannerTests.send(&planner, next) != nil)
    }

    @Test func aRefusalStopsEverythingForAsLongAsItSays() {
        var planner = PlannerTests.served()
        Self.want(&planner, 10, .initial, levelCount: 100)
        let requests = PlannerTests.sendAll(&planner, Self.start)
        #expect(requests.count == 8)
        for request in requests {
            let answer = Answer(status: 429, code: -1003, retryAfterSeconds: 37)
            _ = planner.answered(request.ticket, answer, nowMs: Self.start)
        }
        let until = Self.start + 37_000 + 1000
        #expect(planner.next(nowMs: Self.start) == .wait(untilMs: until))
        #expect(planner.plan(nowMs: Self.start).obstacle == .limited)
        #expect(planner.plan(nowMs: Self.start).refusalCount == 8)
        #expect(PlannerTests.sendAll(&planner, until - 1).isEmpty)
        // Eight were refused together, which is one refusal; then one request tries the ground.
        let probe = PlannerTests.sendAll(&planner, until)
        #expect(probe.count == 1)
        _ = planner.answered(probe[0].ticket, PlannerTests.ok, nowMs: until)
        #expect(PlannerTests.sendAll(&planner, until).count == 8)
    }

    /// A success of a request sent before the refusal does not end the probing.
    @Test func aSuccessFromBeforeProvesNothing() {
        var planner = PlannerTests.served()
        Self.want(&planner, 10, .initial, levelCount: 100)
        let requests = PlannerTests.sendAll(&planner, Self.start)
        let answer = Answer(status: 429, retryAfterSeconds: 5)
        _ = planner.answered(requests[0].ticket, answer, nowMs: Self.start)
        for request in requests[1...] {
            _ = planner.answered(request.ticket, PlannerTests.ok, nowMs: Self.start)
        }
        #expect(PlannerTests.sendAll(&planner, Self.start + 6000).count == 1)
    }

    /// Seconds given, refusals in a row, and the pause of the last.
    @Test(
        arguments: [
            (429, 10, 1, 10_000), (429, 10, 2, 20_000), (429, 10, 4, 80_000), (429, nil, 1, 60_000),
            (418, nil, 1, 120_000), (418, nil, 3, 480_000), (418, 300, 2, 600_000), (429, 0, 1, 1000),
            (429, 0, 3, 4000), (418, 259_200, 1, 259_200_000), (418, 259_200, 5, 259_200_000),
            (418, 600_000, 2, 259_200_000), (429, 20, 10, 600_000), (429, nil, 20, 600_000),
            (429, 1800, 3, 1_800_000), (429, 600_000, 1, 259_200_000), (418, nil, 20, 259_200_000),
        ] as [(Int, Int?, Int, Int64)])
    func repeatedRefusalsPauseLonger(status: Int, seconds: Int?, times: Int, pauseMs: Int64) {
        var planner = PlannerTests.served()
        var now = Self.start
        for time in 1...times {
            Self.want(&planner, 1, .initial, levelCount: 100, nowMs: now)
            guard let request = PlannerTests.send(&planner, now) else {
                Issue.record("nothing sent the \(time). time")
                return
            }
            let answer = Answer(status: status, retryAfterSeconds: seconds)
            _ = planner.answered(request.ticket, answer, nowMs: now)
            guard case .wait(let untilMs) = planner.next(nowMs: now) else {
                Issue.record("no pause after refusal \(time)")
                return
            }
            if time == times { #expect(untilMs - now == pauseMs + 1000) }
            now = untilMs
        }
        let probe = PlannerTests.send(&planner, now)!
        _ = planner.answered(probe.ticket, PlannerTests.ok, nowMs: now)
        Self.want(&planner, 1, .initial, levelCount: 100, nowMs: now)
        let again = PlannerTests.send(&planner, now)!
        _ = planner.answered(again.ticket, Answer(status: 429, retryAfterSeconds: 5), nowMs: now)
        #expect(planner.next(nowMs: now) == .wait(untilMs: now + 6000))  // forgotten by the success
    }

    @Test func aLateRefusalCounts() {
        var planner = PlannerTests.served()
        Self.want(&planner, 2, .initial, levelCount: 100)
        let requests = PlannerTests.sendAll(&planner, Self.start)
        let late = Self.start + 15_000
        _ = planner.next(nowMs: late)
        let answer = Answer(status: 418, retryAfterSeconds: 500)
        #expect(planner.answered(requests[0].ticket, answer, nowMs: late) == .drop)
        #expect(planner.next(nowMs: late) == .wait(untilMs: late + 501_000))
    }

    @Test func aVenueThatDoesNotAnswerIsAskedLessAndLess() {
        var run = PlannerRun(
            PlannerTests.served(), venue: WeighingVenue(budget: 6000), seed: 3, startMs: Self.start)
        run.failureRate = 1
        for key in plannerKeys(300) {
            run.schedule(.request(key, .initial, levelCount: 100), atMs: Self.start)
        }
        run.run(untilMs: Self.start + 600_000)
        #expect(run.broken.isEmpty)
        // Eight before the first failure is known, then four together, at longer and longer intervals.
        print("\(run.sent.count) requests in ten minutes of outage")
        #expect(run.sent.count < 100, "\(run.sent.count) requests in ten minutes")
        run.failureRate = 0
        let recoveredMs = run.nowMs
        run.run()
        #expect(run.delivered.count == 300 && run.broken.isEmpty)
        #expect(run.nowMs - recoveredMs < 65_000, "\(run.nowMs - recoveredMs) ms after the recovery")
    }

    @Test func aClockThatGoesBackGivesNoBudget() {
        var planner = PlannerTests.served()
        Self.want(&planner, 50, .initial, levelCount: 5000)
        #expect(Self.serveAll(&planner, Self.start).count == 21)
        #expect(Self.serveAll(&planner, Self.start - 3_600_000).isEmpty)
        #expect(Self.serveAll(&planner, Self.minute + 61_000).count == 21)
    }
}
