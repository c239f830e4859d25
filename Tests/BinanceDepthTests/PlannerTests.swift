// The planner's table, cell by cell, and its rules one at a time.

import BinanceVenue
import FeedPlan
import MarketData
import Testing

struct PlannerTests {
    typealias Planner = SnapshotPlanner
    typealias Answer = SnapshotPlanner.Answer

    /// Twenty seconds into a minute: far from its ends.
    static let start: Int64 = 1_790_000_000_000 / 60_000 * 60_000 + 20_000
    static let ok = Answer(status: 200)

    /// A planner that has been served once, so that it does not probe.
    static func served(_ pool: WeightPool = .spot, _ change: (inout Planner.Configuration) -> Void = { _ in })
        -> Planner
    {
        var configuration = Planner.Configuration(pool: pool)
        configuration.snapshotLagMs = 0
        change(&configuration)
        var planner = Planner(pool: pool, configuration: configuration)
        let key = SnapshotKey(market: pool == .spot ? .spot : .usdm, symbol: SymbolName("FIRST"))
        _ = planner.request(key, .initial, levelCount: 1, nowMs: start)
        if let request = send(&planner, start) { _ = planner.answered(request.ticket, ok, nowMs: start) }
        return planner
    }

    /// A planner that was refused at the start, for a second, and probes after it.
    static func refused() -> Planner {
        var planner = served()
        _ = planner.request(plannerKeys(1)[0], .initial, levelCount: 1, nowMs: start)
        let request = send(&planner, start)!
        planner.cancel(request.key)
        _ = planner.answered(request.ticket, Answer(status: 429, retryAfterSeconds: 1), nowMs: start)
        return planner
    }

    static func send(_ planner: inout Planner, _ nowMs: Int64) -> Planner.Request? {
        switch planner.next(nowMs: nowMs) {
        case .send(let request): request
        case .announce, .wait, .idle: nil
        }
    }

    static func sendAll(_ planner: inout Planner, _ nowMs: Int64) -> [Planner.Request] {
        var requests: [Planner.Request] = []
        while let request = send(&planner, nowMs) { requests.append(request) }
        return requests
    }

    @Test func mostUrgentFirstThenOldest() {
        var planner = Self.served()
        let keys = plannerKeys(8)
        let requests: [SnapshotPriority] = [
            .audit, .deepen, .resync, .shallow, .check, .deepen, .resync, .initial,
        ]
        for (key, priority) in zip(keys, requests) {
            #expect(planner.request(key, priority, levelCount: 100, nowMs: Self.start) == .queued)
        }
        #expect(planner.plan(nowMs: Self.start).queued == [1, 2, 1, 1, 2, 1])
        #expect(Self.sendAll(&planner, Self.start).map(\.key) == [7, 2, 6, 3, 4, 1, 5, 0].map { keys[$0] })
    }

    @Test func limitsAndWeightsFollowTheMarket() {
        var planner = Self.served(.futures)
        let usdm = plannerKeys(1, .usdm)[0]
        let coinm = plannerKeys(1, .coinm)[0]
        _ = planner.request(usdm, .initial, levelCount: 100, nowMs: Self.start)
        _ = planner.request(coinm, .deepen, levelCount: 5000, nowMs: Self.start)
        let requests = Self.sendAll(&planner, Self.start)
        #expect(requests.map(\.key) == [usdm, coinm])
        #expect(requests.map(\.limit.levelCount) == [100, 1000])
        #expect(planner.plan(nowMs: Self.start).weightSpent == 2 + 5 + 20)
    }

    @Test func oneEntryPerSymbol() {
        var planner = Self.served()
        let key = plannerKeys(1)[0]
        #expect(planner.request(key, .audit, levelCount: 5000, nowMs: Self.start) == .queued)
        #expect(planner.request(key, .resync, levelCount: 100, nowMs: Self.start) == .merged)  // wins
        #expect(planner.request(key, .deepen, levelCount: 5000, nowMs: Self.start) == .merged)  // loses
        #expect(planner.request(key, .resync, levelCount: 500, nowMs: Self.start) == .merged)  // deeper
        #expect(planner.request(key, .resync, levelCount: 100, nowMs: Self.start) == .merged)
        let requests = Self.sendAll(&planner, Self.start)
        #expect(requests.map(\.limit.levelCount) == [500])
        #expect(planner.request(key, .initial, levelCount: 100, nowMs: Self.start) == .underWay)
        #expect(planner.next(nowMs: Self.start) == .wait(untilMs: Self.start + 15_000))
        #expect(planner.answered(requests[0].ticket, Self.ok, nowMs: Self.start) == .deliver(key))
        #expect(planner.next(nowMs: Self.start) == .idle)
    }

    @Test func aMoreUrgentRequestCountsWhenTheOneInFlightFails() {
        var planner = Self.served()
        let key = plannerKeys(1)[0]
        _ = planner.request(key, .audit, levelCount: 1000, nowMs: Self.start)
        let first = Self.send(&planner, Self.start)!
        _ = planner.request(key, .resync, levelCount: 100, nowMs: Self.start)
        _ = planner.answered(first.ticket, Answer(status: 503), nowMs: Self.start)
        #expect(planner.plan(nowMs: Self.start).queued == [0, 1, 0, 0, 0, 0])
        #expect(Self.send(&planner, Self.start + 1000)?.limit.levelCount == 100)
    }

    @Test func theQueueIsBounded() {
        var planner = Self.served { $0.queueMax = 2 }
        let keys = plannerKeys(3)
        let accepted = keys.map { planner.request($0, .initial, levelCount: 5, nowMs: Self.start) }
        #expect(accepted == [.queued, .queued, .full])
        #expect(planner.request(keys[0], .resync, levelCount: 5, nowMs: Self.start) == .merged)
    }

    @Test func cancelledWhileQueued() {
        var planner = Self.served()
        let key = plannerKeys(1)[0]
        _ = planner.request(key, .initial, levelCount: 100, nowMs: Self.start)
        planner.cancel(key)
        #expect(planner.next(nowMs: Self.start) == .idle)
    }

    /// 600 of headroom: two requests of 250 in flight, not three.
    @Test func weightInFlightStaysWithinTheHeadroom() {
        var planner = Self.served()
        for key in plannerKeys(5) { _ = planner.request(key, .deepen, levelCount: 5000, nowMs: Self.start) }
        #expect(Self.sendAll(&planner, Self.start).count == 2)
        #expect(planner.plan(nowMs: Self.start).obstacle == .answers)
        var tight = Self.served { $0.weightHeadroom = 0 }
        for key in plannerKeys(5) { _ = tight.request(key, .deepen, levelCount: 5000, nowMs: Self.start) }
        #expect(Self.sendAll(&tight, Self.start).count == 1)
    }

    @Test func answerTimesOut() {
        var planner = Self.served()
        let key = plannerKeys(1)[0]
        _ = planner.request(key, .initial, levelCount: 100, nowMs: Self.start)
        let first = Self.send(&planner, Self.start)!
        #expect(planner.next(nowMs: Self.start + 14_999) == .wait(untilMs: Self.start + 15_000))
        #expect(Self.send(&planner, Self.start + 15_000) == nil)  // backs off
        #expect(planner.plan(nowMs: Self.start + 15_000).obstacle == .backoff)
        let second = Self.send(&planner, Self.start + 15_500)!
        #expect(planner.answered(first.ticket, Self.ok, nowMs: Self.start + 15_600) == .drop)
        #expect(planner.answered(second.ticket, Self.ok, nowMs: Self.start + 15_700) == .deliver(key))
    }

    /// Statuses and codes, and whether the symbol is asked again.
    @Test(
        arguments: [
            (400, -1121, "unknown"), (404, -1121, "unknown"), (400, -1100, "refused"),
            (400, -4021, "refused"),
            (404, nil, "refused"), (451, nil, "refused"), (302, nil, "refused"), (-7, nil, "refused"),
            (500, nil, "retry"), (502, -1121, "retry"), (503, -1008, "retry"), (0, nil, "retry"),
            (403, nil, "retry"), (408, -1007, "retry"), (400, -1000, "retry"), (400, -1001, "retry"),
            (429, -1003, "retry"), (418, nil, "retry"), (400, -1003, "retry"), (200, nil, "deliver"),
            (204, nil, "deliver"),
        ] as [(Int, Int?, String)])
    func everyAnswerHasItsOutcome(status: Int, code: Int?, expected: String) {
        var planner = Self.served()
        let key = plannerKeys(1)[0]
        _ = planner.request(key, .initial, levelCount: 100, nowMs: Self.start)
        let request = Self.send(&planner, Self.start)!
        let answer = Answer(status: status, code: code)
        let found =
            switch planner.answered(request.ticket, answer, nowMs: Self.start) {
            case .deliver: "deliver"
            case .retry: "retry"
            case .failed(_, .unknownSymbol): "unknown"
            case .failed(_, .refused(let badStatus, let badCode)):
                badStatus == status && badCode == code ? "refused" : "other"
            case .drop: "drop"
            }
        #expect(found == expected)
        let plan = planner.plan(nowMs: Self.start)
        #expect(plan.queued == [expected == "retry" ? 1 : 0, 0, 0, 0, 0, 0])
        #expect(plan.failed == (expected == "unknown" || expected == "refused" ? 1 : 0))
    }

    @Test func backoffDoublesWithJitterUpToItsMax() {
        var planner = Self.served { $0.seed = 7 }
        let key = plannerKeys(1)[0]
        _ = planner.request(key, .initial, levelCount: 100, nowMs: Self.start)
        var now = Self.start
        var delays: [Int64] = []
        for _ in 0..<12 {
            var request = Self.send(&planner, now)
            while request == nil {
                guard case .wait(let untilMs) = planner.next(nowMs: now) else { return }
                now = untilMs
                request = Self.send(&planner, now)
            }
            let answer = planner.answered(request!.ticket, Answer(status: 0), nowMs: now)
            guard case .retry(_, let notBeforeMs) = answer else {
                Issue.record("expected a retry, got \(answer)")
                return
            }
            delays.append(notBeforeMs - now)
        }
        for (index, delay) in delays.enumerated() {
            let full = min(500 << Int64(index), 60_000)
            #expect(delay >= full / 2 && delay <= full, "delay \(index): \(delay)")
        }
        #expect(Set(delays).count > 8)
    }

    @Test func fruitlessAttemptsWaitLonger() {
        var planner = Self.served()
        let key = plannerKeys(1)[0]
        _ = planner.request(key, .resync, levelCount: 100, attempt: 4, nowMs: Self.start)
        guard case .wait(let untilMs) = planner.next(nowMs: Self.start) else {
            Issue.record("expected to wait")
            return
        }
        #expect((2000...4000).contains(untilMs - Self.start))
        #expect(Self.send(&planner, untilMs) != nil)
    }

    @Test func progressIsOfTheBatch() {
        var planner = Self.served()
        let keys = plannerKeys(4)
        for key in keys { _ = planner.request(key, .initial, levelCount: 100, nowMs: Self.start) }
        let requests = Self.sendAll(&planner, Self.start)
        _ = planner.answered(requests[0].ticket, Self.ok, nowMs: Self.start)
        _ = planner.answered(requests[1].ticket, Answer(status: 400, code: -1121), nowMs: Self.start)
        let plan = planner.plan(nowMs: Self.start)
        #expect(plan.delivered == 1 && plan.failed == 1 && plan.total == 4 && plan.inFlight == 2)
        #expect(plan.etaMs != nil && plan.obstacle == .answers)
        for request in requests[2...] { _ = planner.answered(request.ticket, Self.ok, nowMs: Self.start) }
        #expect(planner.plan(nowMs: Self.start).etaMs == nil)
        _ = planner.request(keys[0], .audit, levelCount: 100, nowMs: Self.start)
        #expect(planner.plan(nowMs: Self.start).total == 1)
    }

    @Test func numbersFromOutsideNeverTrap() {
        var planner = Self.served()
        for (index, number) in [Int.min, -1, 0, 1, .max].enumerated() {
            for status in [200, 429, 418, 500, number] {
                let now = Self.start + Int64(index) * 4_000_000_000
                _ = planner.request(plannerKeys(1)[0], .initial, levelCount: number, nowMs: now)
                let ticket = Self.send(&planner, now)?.ticket ?? 0
                let answer = Answer(
                    status: status, code: number, retryAfterSeconds: number, usedWeight: number)
                _ = planner.answered(ticket, answer, nowMs: now)
                _ = planner.plan(nowMs: now)
                _ = planner.next(nowMs: now)
            }
        }
    }
}
