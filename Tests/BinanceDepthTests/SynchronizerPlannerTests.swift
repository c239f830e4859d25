// Planner and synchronizers together: whatever the network does, a book that says it is live is exact, and
// when the trouble ends every book is live again, within the budget.

import BinanceVenue
import BookSync
import FeedPlan
import MarketData
import Testing

/// A venue, a connection, a planner and the books, ten milliseconds at a time.
struct ToyPipeline {
    static let tickMs: Int64 = 10

    let keys: [SnapshotKey]
    var symbols: [ToySymbol]
    var slots: [ToySlot]
    var planner: SnapshotPlanner
    var venue: WeighingVenue
    var random: SeededGenerator
    var nowMs: Int64
    var faultRate = 0.0
    var isConnected = false
    var changeRates: [Double]

    var updates = 0
    var checks = 0
    var broken: [String] = []
    private var wire: [(atMs: Int64, index: Int, diff: ToyDiff)] = []
    private var asked: [(atMs: Int64, request: SnapshotPlanner.Request)] = []
    private var answers:
        [(atMs: Int64, ticket: UInt64, answer: SnapshotPlanner.Answer, id: Int, levels: [Int])] = []

    init(_ keys: [SnapshotKey], rule: SequenceRule? = nil, seed: UInt64, startMs: Int64) {
        self.keys = keys
        let pool = keys[0].market.weightPool
        symbols = keys.map { ToySymbol(isFutures: $0.market != .spot) }
        slots = keys.map { ToySlot(rule: rule ?? .of($0.market)) }
        var configuration = SnapshotPlanner.Configuration(pool: pool)
        configuration.seed = seed
        configuration.snapshotLagMs = 0
        planner = SnapshotPlanner(pool: pool, configuration: configuration)
        venue = WeighingVenue(budget: pool.weightPerMinute)
        random = SeededGenerator(state: seed)
        nowMs = startMs
        changeRates = keys.map { _ in 0 }
        for index in keys.indices {
            // From a change in ten seconds to fifty a second.
            changeRates[index] = [0.001, 0.01, 0.1, 0.5].randomElement(using: &random)!
            for _ in 0..<20 { symbols[index].change(&random) }
            _ = symbols[index].update()
        }
    }

    mutating func connect() {
        isConnected = true
        for index in slots.indices { slots[index].subscribed() }
    }

    mutating func disconnect() {
        isConnected = false
        wire.removeAll()
        for index in slots.indices {
            slots[index].disconnected()
            planner.cancel(keys[index])
        }
    }

    mutating func run(forMs: Int64) {
        let endMs = nowMs + forMs
        while nowMs < endMs && broken.isEmpty {
            nowMs += Self.tickMs
            trade()
            deliver()
            ask()
        }
    }

    private mutating func trade() {
        for index in symbols.indices {
            if random.chance(changeRates[index]) { symbols[index].change(&random) }
            if nowMs % 100 == Int64(index % 10) * 10, let diff = symbols[index].update(), isConnected {
                post(index, diff)
            }
        }
        let breaks = isConnected ? faultRate / 50 : faultRate  // after 25 s, for half a second
        if random.chance(breaks) {
            isConnected ? disconnect() : connect()
        }
        if isConnected && random.chance(0.01) {
            let index = slots.indices.randomElement(using: &random)!
            if slots[index].isLive && slots[index].candidate == nil { slots[index].start(.audit) }
        }
    }

    private mutating func post(_ index: Int, _ diff: ToyDiff) {
        if random.chance(faultRate) { return }
        wire.append((nowMs + 50, index, diff))
        if random.chance(faultRate) {
            wire.append((nowMs + 50 + Int64.random(in: 0...300, using: &random), index, diff))
        }
        if random.chance(faultRate) { wire[wire.count - 1].atMs += 250 }
    }

    private mutating func deliver() {
        let due = wire.filter { $0.atMs <= nowMs }
        if !due.isEmpty { wire.removeAll { $0.atMs <= nowMs } }
        for (_, index, diff) in due {
            slots[index].receive(diff)
            updates += 1
            check(index, received: Int(diff.ids.last.value))
        }
        for (_, request) in asked.filter({ $0.atMs <= nowMs }) { arrive(request) }
        asked.removeAll { $0.atMs <= nowMs }
        for (_, ticket, answer, id, levels) in answers.filter({ $0.atMs <= nowMs }) {
            guard case .deliver(let key) = planner.answered(ticket, answer, nowMs: nowMs) else { continue }
            let index = keys.firstIndex(of: key)!
            slots[index].snapshot(id, levels)
            check(index, received: 0)
        }
        answers.removeAll { $0.atMs <= nowMs }
    }

    /// A snapshot may be older than the stream by up to half a second.
    private mutating func arrive(_ request: SnapshotPlanner.Request) {
        let index = keys.firstIndex(of: request.key)!
        var answer = venue.arrive(weight: request.limit.weight, nowMs: nowMs)
        if answer.status == 200 && random.chance(faultRate) { answer = SnapshotPlanner.Answer(status: 503) }
        let lag = random.chance(0.2) ? Int.random(in: 0...25, using: &random) : 0
        let id = max(symbols[index].lastID - lag, 100)
        let backMs = nowMs + Int64.random(in: 20...400, using: &random)
        answers.append((backMs, request.ticket, answer, id, symbols[index].levels(at: id)))
    }

    private mutating func ask() {
        for index in slots.indices {
            guard let request = slots[index].request else { continue }
            slots[index].request = nil
            _ = planner.request(
                keys[index], request.priority, levelCount: 100, attempt: request.attempt, nowMs: nowMs)
        }
        while case .send(let request) = planner.next(nowMs: nowMs) { asked.append((nowMs + 40, request)) }
    }

    private mutating func check(_ index: Int, received: Int) {
        guard slots[index].isLive, let id = slots[index].live?.lastID.map({ Int($0.value) }) else { return }
        checks += 1
        if slots[index].levels != symbols[index].levels(at: id) {
            broken.append("\(keys[index].symbol) is not the book at \(id), at \(nowMs)")
        }
        if id < received { broken.append("\(keys[index].symbol) is live at \(id), behind \(received)") }
    }
}

struct SynchronizerPlannerTests {
    static func keys(_ market: Market) -> [SnapshotKey] {
        switch market {
        case .spot: plannerKeys(40)
        case .usdm, .coinm: plannerKeys(20, .usdm) + plannerKeys(20, .coinm)
        }
    }

    @Test(arguments: [(Market.spot, 11 as UInt64), (.usdm, 12), (.spot, 13), (.usdm, 14)])
    func liveIsExactWhateverHappens(market: Market, seed: UInt64) {
        let keys = Self.keys(market)
        var pipeline = ToyPipeline(keys, seed: seed, startMs: PlannerTests.start)
        pipeline.connect()
        pipeline.run(forMs: 5_000)
        pipeline.disconnect()
        pipeline.run(forMs: 300)
        pipeline.connect()
        pipeline.run(forMs: 5_000)
        #expect(
            pipeline.slots.contains { $0.rejoins > 0 }, "a quiet symbol needs no snapshot after a reconnect")
        pipeline.faultRate = 0.02
        pipeline.run(forMs: 40_000)
        pipeline.faultRate = 0
        if !pipeline.isConnected { pipeline.connect() }
        for index in keys.indices { pipeline.changeRates[index] = max(pipeline.changeRates[index], 0.02) }
        pipeline.run(forMs: 40_000)
        let slots = pipeline.slots
        print(
            "\(market.name) seed \(seed): \(pipeline.updates) updates, \(pipeline.checks) checks,",
            "\(slots.reduce(0) { $0 + $1.resyncs }) resyncs, \(slots.reduce(0) { $0 + $1.rejoins }) rejoins,",
            "\(slots.reduce(0) { $0 + $1.audits }) audits, \(slots.reduce(0) { $0 + $1.overflows }) overflows"
        )
        #expect(pipeline.broken.isEmpty, "seed \(seed): \(pipeline.broken)")
        #expect(slots.allSatisfy { $0.auditsFailed == 0 }, "seed \(seed)")
        #expect(slots.allSatisfy { $0.isLive }, "seed \(seed): not all live again")
        #expect(pipeline.venue.overBudget == 0, "seed \(seed)")
        #expect(slots.contains { $0.resyncs > 0 } && slots.contains { $0.audits > 0 }, "seed \(seed)")
        #expect(slots.contains { $0.overflows > 0 }, "seed \(seed)")
    }

    /// Without faults nothing is resynchronised, and every symbol is live as soon as it is traded.
    @Test(arguments: [Market.spot, .usdm]) func nothingLostNothingResynced(market: Market) {
        var pipeline = ToyPipeline(Self.keys(market), seed: 21, startMs: PlannerTests.start)
        for index in pipeline.keys.indices { pipeline.changeRates[index] = 0.1 }
        pipeline.connect()
        pipeline.run(forMs: 30_000)
        #expect(pipeline.broken.isEmpty)
        #expect(pipeline.slots.allSatisfy { $0.isLive && $0.resyncs == 0 && $0.auditsFailed == 0 })
    }

    /// The same pipeline with the rules of the other market, or with none, does not pass.
    @Test func wrongRulesAreFound() {
        let blind = SequenceRule(
            join: SequenceRule.spot.join, follow: { update, book in update.last <= book ? .stale : .connects }
        )
        var pipeline = ToyPipeline(Self.keys(.spot), rule: blind, seed: 31, startMs: PlannerTests.start)
        pipeline.connect()
        pipeline.faultRate = 0.02
        pipeline.run(forMs: 20_000)
        #expect(!pipeline.broken.isEmpty)
        var other = ToyPipeline(Self.keys(.usdm), rule: .spot, seed: 32, startMs: PlannerTests.start)
        other.connect()
        other.run(forMs: 20_000)
        #expect(other.slots.contains { $0.resyncs > 0 })
    }
}
