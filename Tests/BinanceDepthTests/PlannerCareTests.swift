// How many at once: one slow or failing request is its own affair, an outage is everybody's, and a refusal
// ends everything.

import BinanceVenue
import FeedPlan
import MarketData
import Testing

struct PlannerCareTests {
    typealias Planner = SnapshotPlanner
    typealias Answer = SnapshotPlanner.Answer

    static let start = PlannerTests.start

    static func want(_ planner: inout Planner, _ count: Int, nowMs: Int64 = start) {
        for key in plannerKeys(count) { _ = planner.request(key, .initial, levelCount: 100, nowMs: nowMs) }
    }

    static func run(count: Int, seed: UInt64, slowFails: Bool) -> PlannerRun {
        var run = PlannerRun(
            Planner.prompt(.spot), venue: WeighingVenue(budget: 6000), seed: seed, startMs: start)
        (run.slowRate, run.slowFails) = (0.3, slowFails)
        for key in plannerKeys(count) { run.schedule(.request(key, .initial, levelCount: 100), atMs: start) }
        run.run()
        return run
    }

    /// The bound: one slow time more than the slowest symbol needs. Three of ten are slow, and nobody waits
    /// for anybody but himself.
    @Test func slowAnswersHoldUpNobody() {
        var lastMs: Int64 = 0
        var medians: [Int64] = []
        for seed in 1...60 as ClosedRange<UInt64> {
            let run = Self.run(count: 50, seed: seed, slowFails: false)
            #expect(run.broken.isEmpty && run.delivered.count == 50, "seed \(seed): \(run.broken)")
            if run.delivered.count < 50 { return }
            let timesMs = run.delivered.map { $0.atMs - Self.start }
            lastMs = max(lastMs, timesMs.last!)
            medians.append(timesMs[25])
        }
        print(
            "50 symbols, 3 of 10 answers after 8 s: the median after \(medians.max()!) ms, all after \(lastMs)"
        )
        #expect(lastMs < 18_000)
        #expect(medians.sorted()[30] < 2500)
    }

    /// The clock is set by most of a minute: what waits after a failure, or for an answer, waits as long as
    /// ever.
    @Test(arguments: [-50_000, 4_000] as [Int64]) func aClockThatIsSetHoldsNoRetryUp(_ slipMs: Int64) {
        var planner = Planner.prompt(.spot)
        Self.want(&planner, 1)
        func sent(atMs nowMs: Int64) -> Planner.Request? {
            if case .send(let request) = planner.next(nowMs: nowMs) { request } else { nil }
        }
        let first = sent(atMs: Self.start)!
        _ = planner.answered(first.ticket, Answer(status: 503), nowMs: Self.start)
        let setMs = Self.start + slipMs
        planner.clockSlipped(byMs: slipMs, nowMs: setMs)
        #expect(sent(atMs: setMs + 200) == nil)
        #expect(sent(atMs: setMs + 500)?.key == first.key)
        planner.clockSlipped(byMs: -slipMs, nowMs: Self.start + 500)
        let timeoutMs = planner.configuration.answerTimeoutMs
        #expect(sent(atMs: Self.start + 500 + timeoutMs - 1) == nil)
        #expect(planner.plan(nowMs: Self.start + 500 + timeoutMs - 1).inFlight == 1)
        #expect(sent(atMs: Self.start + 500 + timeoutMs) == nil)
        #expect(sent(atMs: Self.start + 500 + timeoutMs + 1_000)?.key == first.key)
    }

    /// The same if the slow ones never answer: then a symbol needs as many times eight seconds as it meets a
    /// slow answer, with its own backoff, and 3 s for everything else.
    @Test func answersThatDoNotComeHoldUpNobody() {
        var endsMs: [Int64] = []
        for seed in 1...60 as ClosedRange<UInt64> {
            let run = Self.run(count: 50, seed: seed, slowFails: true)
            #expect(run.broken.isEmpty && run.delivered.count == 50, "seed \(seed): \(run.broken)")
            if run.delivered.count < 50 { return }
            endsMs.append(run.delivered.last!.atMs - Self.start)
            for delivery in run.delivered {
                let tries = run.sent.filter { $0.request.key == delivery.key }
                let ownMs = (0..<tries.count - 1).reduce(Int64(0)) { $0 + 8060 + (500 << Int64($1)) }
                let waitedMs = delivery.atMs - Self.start - ownMs
                #expect(waitedMs < 11_000, "seed \(seed): \(delivery.key.symbol) waited \(waitedMs) ms more")
            }
        }
        let worstMs = endsMs.max()!
        print("50 symbols, 3 of 10 answers never: all after \(endsMs.sorted()[30]) ms, at worst \(worstMs)")
    }

    @Test func fewAtOnceUntilServed() {
        var planner = Planner.prompt(.spot)
        Self.want(&planner, 20)
        let first = PlannerTests.sendAll(&planner, Self.start)
        if first.count != 4 { return #expect(Bool(false), "\(first.count)") }
        _ = planner.answered(first[2].ticket, PlannerTests.ok, nowMs: Self.start + 50)
        #expect(PlannerTests.sendAll(&planner, Self.start + 50).count == 5)
    }

    /// Late ones make room as long as the venue serves what was sent after them, and not without end.
    @Test func lateRequestsMakeRoom() {
        var planner = PlannerTests.served()
        Self.want(&planner, 100)
        let first = PlannerTests.sendAll(&planner, Self.start)
        if first.count != 8 { return #expect(Bool(false), "\(first.count)") }
        #expect(planner.next(nowMs: Self.start + 5000) == .wait(untilMs: Self.start + 15_000))
        _ = planner.answered(first[7].ticket, PlannerTests.ok, nowMs: Self.start + 500)
        #expect(PlannerTests.sendAll(&planner, Self.start + 5000).count == 8)
        var atMs = Self.start + 5000
        var inFlight = 15
        while inFlight < 100 {
            _ = planner.request(
                SnapshotKey(market: .spot, symbol: SymbolName("LAST")), .initial, levelCount: 100,
                nowMs: atMs)
            guard let next = PlannerTests.send(&planner, atMs + 1100) else { break }
            atMs += 1100
            inFlight += PlannerTests.sendAll(&planner, atMs).count + 1
            _ = planner.answered(next.ticket, PlannerTests.ok, nowMs: atMs)
            inFlight -= 1
        }
        #expect(inFlight <= 32, "\(inFlight) in flight")
    }

    /// One that fails waits alone.
    @Test func aFailureSlowsDownOnlyItself() {
        var planner = PlannerTests.served()
        Self.want(&planner, 20)
        let first = PlannerTests.sendAll(&planner, Self.start)
        for request in first.prefix(3) {
            _ = planner.answered(request.ticket, Answer(status: 500), nowMs: Self.start)
        }
        #expect(PlannerTests.sendAll(&planner, Self.start).count == 3)
        #expect(planner.plan(nowMs: Self.start).obstacle == .answers)
    }

    /// Failures of requests that others have overtaken are no outage, however many they are.
    @Test func failuresThatOthersOvertookAreNoOutage() {
        var planner = PlannerTests.served()
        Self.want(&planner, 40)
        let first = PlannerTests.sendAll(&planner, Self.start)
        _ = planner.answered(first[7].ticket, PlannerTests.ok, nowMs: Self.start + 100)
        for request in first.prefix(7) {
            _ = planner.answered(request.ticket, Answer(status: 0), nowMs: Self.start + 8000)
        }
        #expect(PlannerTests.sendAll(&planner, Self.start + 8000).count == 8)
    }

    /// Four in a row are one: all wait, a few try, and the first success ends it at once.
    @Test func anOutageSlowsDownAll() {
        var planner = PlannerTests.served()
        Self.want(&planner, 40)
        var atMs = Self.start
        var pausesMs: [Int64] = []
        for wave in 0..<6 {
            let requests = PlannerTests.sendAll(&planner, atMs)
            #expect(requests.count == (wave == 0 ? 8 : 4), "wave \(wave)")
            for request in requests { _ = planner.answered(request.ticket, Answer(status: 503), nowMs: atMs) }
            #expect(planner.plan(nowMs: atMs).obstacle == .outage)
            guard case .wait(let untilMs) = planner.next(nowMs: atMs) else { break }
            pausesMs.append(untilMs - atMs)
            atMs = untilMs
        }
        for (index, pauseMs) in pausesMs.enumerated() {
            #expect((250 << index...500 << index).contains(Int(pauseMs)), "\(pausesMs)")
        }
        let trying = PlannerTests.sendAll(&planner, atMs)
        if trying.count < 2 { return #expect(Bool(false), "\(trying.count)") }
        _ = planner.answered(trying[0].ticket, Answer(status: 503), nowMs: atMs)
        #expect(planner.plan(nowMs: atMs).obstacle == .outage)
        _ = planner.answered(trying[1].ticket, PlannerTests.ok, nowMs: atMs)
        #expect(PlannerTests.sendAll(&planner, atMs).count == 6)
    }

    /// The firewall: 60 s, doubled up to ten minutes, one request after each.
    @Test func theFirewallIsARefusal() {
        var planner = PlannerTests.served()
        Self.want(&planner, 60)
        var atMs = Self.start
        var pausesMs: [Int64] = []
        for _ in 0..<7 {
            let requests = PlannerTests.sendAll(&planner, atMs)
            #expect(requests.count == (atMs == Self.start ? 8 : 1))
            for request in requests { _ = planner.answered(request.ticket, Answer(status: 403), nowMs: atMs) }
            #expect(planner.plan(nowMs: atMs).obstacle == .blocked)
            guard case .wait(let untilMs) = planner.next(nowMs: atMs) else { break }
            pausesMs.append((untilMs - atMs) / 1000)
            atMs = untilMs
        }
        #expect(pausesMs == [61, 121, 241, 481, 601, 601, 601])
        #expect(planner.plan(nowMs: atMs).refusalCount == 14)
        #expect(planner.plan(nowMs: atMs).transientFailureCount == 0)
    }

    /// A symbol that the firewall dislikes costs the others one pause, and no second one.
    @Test func aSymbolThatTheFirewallRefuses() {
        var planner = PlannerTests.served()
        let keys = plannerKeys(5)
        var atMs = Self.start
        var served = 0
        var refused: [Int64] = []
        for key in keys { _ = planner.request(key, .initial, levelCount: 100, nowMs: atMs) }
        while atMs < Self.start + 3_600_000 {
            guard let request = PlannerTests.send(&planner, atMs) else {
                guard case .wait(let untilMs) = planner.next(nowMs: atMs) else { break }
                atMs = untilMs
                continue
            }
            if request.key == keys[0] {
                refused.append(atMs - Self.start)
                _ = planner.answered(request.ticket, Answer(status: 403), nowMs: atMs)
            } else {
                served += 1
                _ = planner.answered(request.ticket, PlannerTests.ok, nowMs: atMs)
                if served == 4 { #expect(atMs <= Self.start + 61_000) }
            }
        }
        #expect(served == 4 && (6...9).contains(refused.count), "\(refused)")
        #expect(planner.plan(nowMs: atMs).refusalCount == 1)
    }

    // MARK: - The venue's own limits

    @Test func aStatedLimitTakesEffectAtOnce() {
        var planner = PlannerTests.served()
        for key in plannerKeys(60) {
            _ = planner.request(key, .initial, levelCount: 5000, nowMs: Self.start)
        }
        #expect(PlannerBudgetTests.serveAll(&planner, Self.start).count == 21)
        var isTaken = planner.venueStates(weightPerMinute: 12_000)
        #expect(planner.plan(nowMs: Self.start).weightMax == 10_800)
        #expect(PlannerBudgetTests.serveAll(&planner, Self.start).count == 22)
        isTaken = planner.venueStates(weightPerMinute: 3000) && isTaken
        let next = PlannerBudgetTests.minute + 61_000
        #expect(PlannerBudgetTests.serveAll(&planner, next).count == 2700 / 250)
        isTaken = planner.venueStates(weightPerMinute: 6000) && isTaken
        #expect(isTaken && planner.plan(nowMs: next).weightMax == 5400)
        #expect(planner.configuration.urgentReserve == 540)
    }

    /// The operator's shares stay: who leaves half to others leaves half of whatever there is.
    @Test func theOperatorsSharesStay() {
        var planner = PlannerTests.served {
            $0.weightPerMinute = 3000
            $0.weightHeadroom = 300
            $0.urgentReserve = 1000
        }
        let isTaken = planner.venueStates(weightPerMinute: 12_000)
        #expect(isTaken && planner.configuration.weightPerMinute == 6000)
        #expect(planner.configuration.weightHeadroom == 600 && planner.configuration.urgentReserve == 2000)
    }

    @Test(arguments: [Int.min, -1, 0, 1, 749, 192_001, .max]) func aLimitThatCannotBe(_ stated: Int) {
        var planner = PlannerTests.served()
        let isTaken = planner.venueStates(weightPerMinute: stated)
        #expect(!isTaken && planner.plan(nowMs: Self.start).weightMax == 5400)
    }

    /// Whatever is stated, the deepest snapshot of each pool has room.
    @Test(arguments: WeightPool.allCases) func everyLimitThatCanBe(_ pool: WeightPool) {
        let market: Market = pool == .spot ? .spot : .usdm
        for eighths in [1, 2, 3, 8, 64, 256] {
            var planner = PlannerTests.served(pool)
            let isTaken = planner.venueStates(weightPerMinute: pool.weightPerMinute / 8 * eighths)
            #expect(isTaken)
            let key = plannerKeys(1, market)[0]
            let nextMs = PlannerBudgetTests.minute + 61_000
            _ = planner.request(key, .audit, levelCount: 5000, nowMs: nextMs)
            #expect(PlannerTests.send(&planner, nextMs)?.key == key, "\(eighths) eighths")
        }
    }

    /// The reserve is a share of the minute, whoever comes first.
    @Test func lesserRequestsHaveTheirShareAfterUrgentOnes() {
        var planner = PlannerTests.served { $0.urgentReserve = 2700 }
        let keys = plannerKeys(70)
        for key in keys[..<10] { _ = planner.request(key, .initial, levelCount: 5000, nowMs: Self.start) }
        for key in keys[10...] { _ = planner.request(key, .deepen, levelCount: 1000, nowMs: Self.start) }
        let served = PlannerBudgetTests.serveAll(&planner, Self.start)
        // 2,505 for urgent ones so far, of which 195 are still kept; 2,700 for the others.
        #expect(served.count == 10 + 54)
        let urgent = SnapshotKey(market: .spot, symbol: SymbolName("LOST"))
        _ = planner.request(urgent, .resync, levelCount: 1000, nowMs: Self.start)
        #expect(PlannerBudgetTests.serveAll(&planner, Self.start).map(\.key) == [urgent])
    }
}
