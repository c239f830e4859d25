// The planner against a venue that counts weight: how fast it is, how well it knows, and what it never does.

import FeedPlan
import MarketData
import Testing

struct PlannerRunTests {
    static let start = PlannerTests.start

    static func run(_ pool: WeightPool = .spot, seed: UInt64 = 1, startMs: Int64 = start) -> PlannerRun {
        PlannerRun(
            SnapshotPlanner.prompt(pool), venue: WeighingVenue(budget: pool.weightPerMinute), seed: seed,
            startMs: startMs)
    }

    /// 300 first books take as long as their answers do, eight abreast.
    @Test func threeHundredSymbolsAtOnce() {
        var run = Self.run()
        for key in plannerKeys(300) {
            run.schedule(.request(key, .initial, levelCount: 100), atMs: Self.start)
        }
        run.run()
        #expect(run.broken.isEmpty && run.venue.refusals == 0)
        #expect(Set(run.delivered.map(\.key)).count == 300 && run.delivered.count == 300)
        let tookMs = run.delivered.last!.atMs - Self.start
        print("300 shallow snapshots of 50 to 150 ms each: \(tookMs) ms")
        #expect(tookMs < 300 / 8 * 150)
    }

    /// Deepening 100 symbols at weight 250: 19 per minute with the reserve kept, and nothing to gain by
    /// haste.
    @Test func deepeningIsAsFastAsTheBudgetAllows() {
        var run = Self.run()
        for key in plannerKeys(100) {
            run.schedule(.request(key, .deepen, levelCount: 5000), atMs: Self.start)
        }
        run.run()
        #expect(run.broken.isEmpty && run.venue.refusals == 0)
        let perMinute = (5400 - 540) / 250
        let lastMinute = Self.start - 20_000 + Int64((100 - 1) / perMinute) * 60_000
        #expect((lastMinute + 1000...lastMinute + 10_000).contains(run.delivered.last!.atMs))
    }

    /// First books of both futures markets draw on one pool.
    @Test func futuresMarketsShareTheirPool() {
        var run = Self.run(.futures)
        for key in plannerKeys(400, .usdm) + plannerKeys(400, .coinm) {
            run.schedule(.request(key, .initial, levelCount: 100), atMs: Self.start)
        }
        run.run()
        #expect(run.broken.isEmpty && run.venue.refusals == 0 && run.delivered.count == 800)
        // 4,000 of weight at 2,160 a minute.
        #expect(run.delivered.last!.atMs < Self.start + 40_000 + 1000 + 30_000)
    }

    /// The ETA, at the start and along the way, of plans bound by latency and by weight.
    @Test(arguments: [(300, 100), (100, 5000), (60, 1000), (1, 100), (900, 500)])
    func etaIsRight(count: Int, levelCount: Int) {
        var run = Self.run()
        for key in plannerKeys(count) {
            run.schedule(.request(key, .initial, levelCount: levelCount), atMs: Self.start)
        }
        var estimates: [(atMs: Int64, etaMs: Int64)] = []
        run.run(untilMs: Self.start + 1)
        while let eta = run.planner.plan(nowMs: run.nowMs).etaMs {
            estimates.append((run.nowMs, eta))
            run.run(untilMs: run.nowMs + 500)
        }
        let end = run.delivered.last!.atMs
        for estimate in estimates {
            let left = end - estimate.atMs
            let wrong = abs(estimate.etaMs - end)
            #expect(
                wrong <= 300 + left / 4 + (left > 10_000 ? 0 : 4_000),
                "at \(estimate.atMs - Self.start): \(estimate.etaMs - Self.start), was \(end - Self.start)")
        }
    }

    /// First books are not held up by any amount of lesser requests.
    @Test func initialIsNeverStarved() {
        var run = Self.run(seed: 5)
        let keys = plannerKeys(250)
        for round in 0..<20 {
            for key in keys[..<150] {
                let priority: SnapshotPriority = round % 2 == 0 ? .deepen : .audit
                run.schedule(
                    .request(key, priority, levelCount: 5000), atMs: Self.start + Int64(round) * 6000)
            }
        }
        for (index, key) in keys[150...].enumerated() {
            run.schedule(.request(key, .initial, levelCount: 100), atMs: Self.start + Int64(index) * 1000 + 7)
        }
        run.run(untilMs: Self.start + 130_000)
        #expect(run.broken.isEmpty && run.venue.refusals == 0)
        for (index, key) in keys[150...].enumerated() {
            let at = run.delivered.first { $0.key == key }?.atMs ?? .max
            #expect(at < Self.start + Int64(index) * 1000 + 1500, "\(key.symbol)")
        }
    }

    /// More demand than budget, begun at any moment of a minute, counted by a clock that is off: no minute
    /// of the venue's holds more than we allow ourselves.
    @Test(arguments: [-900, 0, 900] as [Int64]) func theVenuesMinuteIsKeptWhateverItsClock(skewMs: Int64) {
        for offset in stride(from: Int64(-25_000), to: 45_000, by: 1900) {
            var run = Self.run(seed: UInt64(100_000 + offset), startMs: Self.start + offset)
            run.venue.skewMs = skewMs
            for key in plannerKeys(60) {
                run.schedule(.request(key, .initial, levelCount: 5000), atMs: run.nowMs)
            }
            run.run()
            #expect(run.broken.isEmpty && run.venue.refusals == 0 && run.delivered.count == 60)
            #expect(run.venue.ownByMinute.values.allSatisfy { $0 <= 5400 }, "begun at \(offset)")
        }
    }

    /// Long runs of every trouble at once. The venue's own count must never exceed its budget.
    @Test(arguments: 1...12 as ClosedRange<UInt64>) func anythingInAnyOrder(seed: UInt64) {
        var random = SeededGenerator(state: seed &* 7919)
        let pool: WeightPool = seed % 2 == 0 ? .spot : .futures
        let start = Self.start + Int64.random(in: -20_000..<40_000, using: &random)
        var run = Self.run(pool, seed: seed, startMs: start)
        // Half of them announce what they send.
        if seed % 4 > 1 { run.planner = SnapshotPlanner(pool: pool) }
        run.venue.skewMs = Int64.random(in: -900...900, using: &random)
        run.venue.strangerPerSecond = seed % 3 == 0 ? pool.weightPerMinute / 60 / 20 : 0
        run.failureRate = seed % 4 == 0 ? 0.3 : 0.02
        run.silenceRate = seed % 5 == 0 ? 0.1 : 0.01
        run.upMs = 5...80
        let keys =
            pool == .spot ? plannerKeys(150) : plannerKeys(80, .usdm) + plannerKeys(70, .coinm)
        run.unknown = Set(keys[10..<13])
        for key in keys { run.schedule(.request(key, .initial, levelCount: 100), atMs: start) }
        for _ in 0..<600 {
            let key = keys.randomElement(using: &random)!
            let atMs = start + Int64.random(in: 0..<300_000, using: &random)
            if random.chance(0.1) {
                run.schedule(.cancel(key), atMs: atMs)
                run.schedule(.request(key, .initial, levelCount: 100), atMs: atMs + 50)
            } else {
                let priority = SnapshotPriority.allCases.randomElement(using: &random)!
                let levels = [100, 500, 1000, 5000].randomElement(using: &random)!
                run.schedule(.request(key, priority, levelCount: levels), atMs: atMs)
            }
        }
        if seed % 3 == 1 {
            run.run(untilMs: start + 100_000)
            run.venue.ban(untilMs: start + 160_000)
        }
        run.run(untilMs: start + 7_200_000)
        #expect(run.broken.isEmpty, "seed \(seed): \(run.broken)")
        #expect(run.venue.overBudget == 0, "seed \(seed)")
        let usable = pool.weightPerMinute * 9 / 10
        #expect(run.venue.ownByMinute.values.allSatisfy { $0 <= usable }, "seed \(seed)")
        let finished = Set(run.delivered.map(\.key)).union(run.failed.keys)
        #expect(finished.count == keys.count, "seed \(seed): \(finished.count) of \(keys.count)")
        #expect(Set(run.failed.keys) == run.unknown, "seed \(seed)")
        #expect(run.failed.values.allSatisfy { $0 == .unknownSymbol }, "seed \(seed)")
        #expect(run.planner.next(nowMs: run.nowMs) == .idle, "seed \(seed)")
    }
}
