// The whole road in virtual time: simulated venue → connection → ring → engine, with the planner fetching
// snapshots and a checker looking at every book after every frame.
//
// Nothing here is a copy of what runs live: the life of the connections, the outbox, the ring, the engine,
// the parser, the synchronizer and the planner are the real ones; only sockets and clocks are replaced. Time
// jumps from one activity to the next.

import BinanceDepth
import BookEngine
import Handoff
import MarketData
import SimulatedExchange

/// A run of a plan.
public final class Road {
    let plan: RoadPlan
    let symbols: [SymbolName]
    var venue: Venue
    var engine: BookEngine
    var outbox: FrameOutbox
    var consumer: FrameConsumer
    let gauges: FrameRingGauges
    var planner: SnapshotPlanner
    var random: SeededRandom
    let endpoints: Endpoints
    var life: ConnectionLife
    var dials: [Dial] = []
    var connections: [OpenConnection] = []
    var answers: [DueAnswer] = []
    var stalledUntilUs: Int64 = 0
    var nextSecond: Int64 = 0
    var outcome = RoadOutcome()
    var checker: RoadChecker

    /// An answer on its way.
    struct DueAnswer {
        var ticket: UInt64
        var symbol: SymbolName
        var limit: Int
        var response: VenueResponse
    }

    /// A run that has not begun.
    public init(_ plan: RoadPlan) throws {
        self.plan = plan
        symbols = (0..<plan.symbolCount).map { SymbolName("SIM\($0)USDT")! }
        var configuration = VenueConfiguration(
            market: plan.market, symbols: symbols.map { VenueSymbol($0, plan.profile) }, seed: plan.seed)
        configuration.faults = plan.faults
        // Longer than any stall, so that the truth at the id of a late event is still known.
        configuration.historyUs = 600_000_000
        configuration.connectionLifeUs = Int64(plan.connectionLifeSeconds) * 1_000_000
        venue = Venue(configuration)
        engine = BookEngine(
            Road.engineConfiguration(plan), defect: plan.mistake?.defect(plan.market) ?? EngineDefect())
        for symbol in symbols { engine.addSymbol(symbol) }
        let ring = try FrameRing(capacityBytes: plan.ringBytes)
        gauges = ring.gauges
        outbox = FrameOutbox(ring.producer)
        consumer = ring.consumer
        planner = SnapshotPlanner(pool: plan.market.weightPool)
        random = SeededRandom(plan.seed, purpose: 0x0FEE_D000)
        endpoints = Endpoints(market: plan.market)!
        life = Road.life(plan, symbols, endpoints)
        nextSecond = venue.nowUs / 1_000_000 + 1
        checker = RoadChecker(symbolCount: symbols.count)
    }

    private static func engineConfiguration(_ plan: RoadPlan) -> EngineConfiguration {
        var configuration = EngineConfiguration(market: plan.market)
        configuration.bufferBytesMax = 256 << 10
        configuration.auditEveryNs = 30_000_000_000
        configuration.requestsAreAnnounced = true
        configuration.provenLevelCountMin = 40
        configuration.levelCountMax = plan.levelCountMax
        return configuration
    }

    /// Runs the plan to its end or to the first violation.
    public func run() -> RoadOutcome {
        let startUs = venue.nowUs
        let faultsEndUs = startUs + Int64(plan.faultySeconds) * 1_000_000
        let endUs = faultsEndUs + Int64(plan.recoverySeconds) * 1_000_000
        perform(life.start(nowMs: nowMs))
        while outcome.violation == nil && venue.nowUs < endUs {
            if venue.nowUs >= faultsEndUs {
                venue.faults = .none
                if isRecovered() {
                    outcome.recoverySeconds = Double(venue.nowUs - faultsEndUs) / 1e6
                    break
                }
            }
            venue.advance(toUs: nextTimeUs(endUs))
            turn()
        }
        outcome.seconds = Double(venue.nowUs - startUs) / 1e6
        if outcome.violation == nil && venue.nowUs >= endUs { reportNotRecovered() }
        finish()
        return outcome
    }

    private func nextTimeUs(_ endUs: Int64) -> Int64 {
        var next = min(venue.nextActivityUs, nextSecond * 1_000_000, endUs)
        for answer in answers { next = min(next, answer.response.dueUs) }
        next = min(next, nextConnectionUs)
        if stalledUntilUs > venue.nowUs { next = min(next, stalledUntilUs) }
        return max(next, venue.nowUs + 1)
    }

    /// One moment: what arrived goes into the ring, what is in the ring goes through the engine.
    private func turn() {
        turnConnections()
        turnAnswers()
        if venue.nowUs >= nextSecond * 1_000_000 { second() }
        outbox.flush()
        if venue.nowUs >= stalledUntilUs { consume() }
        turnPlanner()
    }

    private func second() {
        let stallUs = venue.consumerStallUs(inSecond: nextSecond)
        if stallUs > 0 { stalledUntilUs = venue.nowUs + stallUs }
        nextSecond = venue.nowUs / 1_000_000 + 1
        outbox.tick(atNs: venue.nowUs * 1000, monotonicNs: venue.nowUs * 1000)
    }

    private func consume() {
        consumer.poll { frame in
            if outcome.violation != nil { return }
            let eventsBefore = engine.counters.depthUpdates
            engine.step(frame)
            outcome.frames += 1
            if engine.counters.depthUpdates != eventsBefore { noteEvent(from: frame.source) }
            check(frame.kind)
        }
    }

    // MARK: - Snapshots

    private func turnPlanner() {
        var wishes: [EngineWish] = []
        engine.takeWishes { wishes.append($0) }
        for wish in wishes {
            switch wish {
            case .ask(let symbol, let priority, let attempt):
                // Shallow first: a book of a hundred levels costs a fiftieth of the weight and is live as
                // soon.
                let levelCount = priority <= .resync || priority == .check ? 100 : 1000
                _ = planner.request(
                    SnapshotKey(market: plan.market, symbol: symbol), priority, levelCount: levelCount,
                    attempt: attempt, rank: engine.snapshotRank(of: symbol), nowMs: nowMs)
            case .cancel(let symbol):
                planner.cancel(SnapshotKey(market: plan.market, symbol: symbol))
            case .resubscribe(let symbol):
                outcome.resubscriptions += 1
                perform(life.resubscribe(Road.streams.names(of: symbol, at: endpoints)!, nowMs: nowMs))
            }
        }
        while case .send(let request) = planner.next(nowMs: nowMs) {
            outcome.requests += 1
            _ = outbox.offer(
                .snapshotRequested, source: 0, receivedAtNs: venue.nowUs * 1000,
                SnapshotEnvelope(symbol: request.key.symbol, limit: 0).bytes)
            let response = venue.requestDepth(
                symbol: "\(request.key.symbol)", limit: request.limit.levelCount)
            answers.append(
                DueAnswer(
                    ticket: request.ticket, symbol: request.key.symbol, limit: request.limit.levelCount,
                    response: response))
        }
    }

    private func turnAnswers() {
        var waiting: [DueAnswer] = []
        for answer in answers {
            if answer.response.dueUs > venue.nowUs {
                waiting.append(answer)
                continue
            }
            let outcome = planner.answered(
                answer.ticket,
                SnapshotPlanner.Answer(
                    status: answer.response.status, retryAfterSeconds: answer.response.retryAfterSeconds,
                    usedWeight: answer.response.status == 0 ? nil : answer.response.usedWeight),
                nowMs: venue.nowUs / 1000)
            switch outcome {
            case .deliver: deliver(.depthSnapshot, answer)
            case .failed: deliver(.snapshotFailed, answer)
            case .retry, .drop: break
            }
        }
        answers = waiting
    }

    private func deliver(_ kind: FrameKind, _ answer: DueAnswer) {
        let header = SnapshotEnvelope(symbol: answer.symbol, limit: answer.limit).bytes
        let key = symbols.firstIndex(of: answer.symbol)
        let body = kind == .depthSnapshot ? answer.response.body : []
        let atNs = venue.nowUs * 1000
        if !outbox.offer(kind, source: 0, receivedAtNs: atNs, key: key, header + body) {
            _ = outbox.offer(.snapshotFailed, source: 0, receivedAtNs: atNs, key: key, header)
        }
    }
}
