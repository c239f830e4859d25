// The whole pipeline in virtual time: simulated venue → connection → ring → engine, with the planner fetching
// snapshots and a checker looking at every book after every frame.
//
// Nothing here is a copy of what runs live: the connection supervisor, the outbox, the ring, the engine,
// the parser, the synchronizer and the planner are the real ones; only sockets and clocks are replaced. Time
// jumps from one activity to the next.

import BinanceVenue
import BookEngine
import BookSync
import FeedPlan
import LobHandoff
import MarketData
import SimulatedExchange

/// A run of a plan.
public final class Pipeline {
    let plan: PipelinePlan
    let symbols: [SymbolName]
    var venue: Venue
    var engine: BookEngine
    var outbox: FrameOutbox
    var consumer: FrameConsumer
    let gauges: FrameRingGauges
    var planner: SnapshotPlanner
    var random: SeededRandom
    let endpoints: Endpoints
    var supervisor: ConnectionSupervisor
    var dials: [Dial] = []
    var connections: [OpenConnection] = []
    /// Requests that have not reached the venue yet.
    var requests: [(dueUs: Int64, request: SnapshotPlanner.Request)] = []
    var answers: [DueAnswer] = []
    var stalledUntilUs: Int64 = 0
    var nextSecond: Int64 = 0
    var nextTickUs: Int64 = 0
    /// When the planner is to be asked next, if nothing happens before.
    var plannerWakeUs: Int64 = 0
    /// Wall clock minus time: as it is, and what it is still to be set by.
    var clockOffsetUs: Int64 = 0
    var clockStepUs: Int64 = 0
    /// Connections of before the venue began anew.
    var formerSources: Set<UInt16> = []
    var restartedUs: Int64?
    var outcome = PipelineOutcome()
    var checker: PipelineChecker
    /// The replica beside the engine, if the plan has one.
    var replica: ReplicaRun?

    /// An answer on its way.
    struct DueAnswer {
        var ticket: UInt64
        var symbol: SymbolName
        var limit: Int
        var response: VenueResponse
    }

    /// Microseconds between two ticks.
    static var tickUs: Int64 { 250_000 }

    /// A run that has not begun.
    public init(_ plan: PipelinePlan) throws {
        self.plan = plan
        symbols = (0..<plan.symbolCount).map { SymbolName("SIM\($0)USDT")! }
        var configuration = VenueConfiguration(
            market: plan.market,
            symbols: symbols.enumerated().map { VenueSymbol($1, plan.profile(ofSymbol: $0)) },
            seed: plan.seed)
        configuration.faults = plan.faults
        configuration.wholeSnapshotPerMille = plan.wholeSnapshotPerMille
        // One connection stands for the several that a whole market needs.
        configuration.streamCountMax = max(1024, 3 * plan.symbolCount)
        // Longer than any stall, so that the truth at the id of a late event is still known.
        configuration.historyUs = 600_000_000
        configuration.connectionLifeUs = Int64(plan.connectionLifeSeconds) * 1_000_000
        if plan.mistake == .keepsConnections { configuration.connectionLifeUs *= 10 }
        configuration.snapshotLagUs = 0...Int64(plan.snapshotLagMs) * 1000
        venue = Venue(configuration)
        engine = Pipeline.engine(plan)
        for symbol in symbols { engine.addSymbol(symbol) }
        let ring = try FrameRing(capacityBytes: plan.ringBytes)
        gauges = ring.gauges
        outbox = FrameOutbox(ring.producer)
        consumer = ring.consumer
        planner = SnapshotPlanner(pool: plan.market.weightPool)
        random = SeededRandom(plan.seed, purpose: 0x0FEE_D000)
        endpoints = Endpoints(market: plan.market)!
        supervisor = Pipeline.supervisor(plan, symbols, endpoints)
        nextSecond = venue.nowUs / 1_000_000 + 1
        nextTickUs = venue.nowUs
        checker = PipelineChecker()
        if plan.hasReplica {
            replica = try ReplicaRun(
                Pipeline.engineConfiguration(plan), symbols, seed: plan.seed, nowUs: venue.nowUs)
        }
        for symbol in symbols { checker.symbols.append(SymbolWatch(reader: engine.views(of: symbol)!)) }
    }

    private static func engine(_ plan: PipelinePlan) -> BookEngine {
        var configuration = engineConfiguration(plan)
        guard let mistake = plan.mistake else { return BookEngine(configuration) }
        configuration.rules.sequence = mistake.rule(configuration.rules.sequence)
        return BookEngine(configuration, defect: mistake.defect)
    }

    private static func engineConfiguration(_ plan: PipelinePlan) -> EngineConfiguration {
        var configuration = EngineConfiguration(rules: plan.market.rules)
        configuration.bufferBytesMax = PipelinePlan.bufferBytesMax
        configuration.auditEveryNs = Int64(plan.auditEverySeconds) * 1_000_000_000
        configuration.requestsAreAnnounced = true
        configuration.provenLevelCountMin = plan.provenLevelCountMin
        configuration.levelCountMax = plan.levelCountMax
        plan.mistake?.change(&configuration)
        return configuration
    }

    /// Runs the plan to its end or to the first violation.
    public func run() -> PipelineOutcome {
        let startUs = venue.nowUs
        var faultsEndUs = startUs + Int64(plan.faultySeconds) * 1_000_000
        perform(supervisor.start(nowMs: nowMs))
        while outcome.violation == nil {
            let endUs = faultsEndUs + Int64(plan.recoverySeconds) * 1_000_000
            if venue.nowUs >= endUs { break }
            if venue.nowUs >= faultsEndUs {
                venue.faults = .none
                // No symbol can come back while nobody answers.
                faultsEndUs = max(faultsEndUs, min(venue.banEndUs ?? 0, faultsEndUs + 600_000_000))
                if venue.nowUs >= faultsEndUs && isRecovered() && replicaIsRecovered {
                    outcome.recoverySeconds = Double(venue.nowUs - faultsEndUs) / 1e6
                    break
                }
            }
            venue.advance(toUs: nextTimeUs(endUs))
            turn()
            if plan.trouble != nil && troubleIsOver() { break }
        }
        outcome.seconds = Double(venue.nowUs - startUs) / 1e6
        let endUs = faultsEndUs + Int64(plan.recoverySeconds) * 1_000_000
        if outcome.violation == nil && venue.nowUs >= endUs {
            reportReplicaNotRecovered()
            reportNotRecovered()
        }
        finish()
        finishReplica()
        return outcome
    }

    private func nextTimeUs(_ endUs: Int64) -> Int64 {
        var next = min(venue.nextActivityUs, nextSecond * 1_000_000, nextTickUs, plannerWakeUs, endUs)
        for request in requests { next = min(next, request.dueUs) }
        for answer in answers { next = min(next, answer.response.dueUs) }
        next = min(next, nextConnectionUs)
        if stalledUntilUs > venue.nowUs { next = min(next, stalledUntilUs) }
        return max(next, venue.nowUs + 1)
    }

    /// One moment: what arrived goes into the ring, what is in the ring goes through the engine.
    private func turn() {
        noteRestart()
        turnConnections()
        turnRequests()
        turnAnswers()
        if venue.nowUs >= nextSecond * 1_000_000 { second() }
        if venue.nowUs >= nextTickUs {
            nextTickUs = venue.nowUs + Pipeline.tickUs
            tick()
        }
        outbox.flush()
        if venue.nowUs >= stalledUntilUs {
            consume()
            // Between two frames, so that a frame's stamp is known to be of the present clock.
            clockOffsetUs += clockStepUs
            clockStepUs = 0
        }
        turnReplica()
        turnPlanner()
    }

    private func second() {
        let stallUs = venue.consumerStallUs(inSecond: nextSecond)
        if stallUs > 0 { stalledUntilUs = venue.nowUs + stallUs }
        clockStepUs += venue.clockStepUs(inSecond: nextSecond)
        nextSecond = venue.nowUs / 1_000_000 + 1
    }

    private func noteRestart() {
        if venue.restartedUs == restartedUs { return }
        restartedUs = venue.restartedUs
        formerSources = Set(connections.map(\.sender.source))
        checker.excuse(untilUs: venue.nowUs + 120_000_000)
    }

    /// What the wall clock of the client's machine shows.
    func wallNs(_ timeUs: Int64) -> Int64 { (timeUs + clockOffsetUs) * 1000 }

    private func consume() {
        consumer.poll { frame in
            if outcome.violation != nil { return }
            let facts: FrameFacts
            switch frame.kind {
            case .message, .dropped: facts = FrameFacts(message: frame)
            case .depthSnapshot, .snapshotFailed, .snapshotRequested, .connected, .disconnected, .retired,
                .tick:
                facts = FrameFacts(envelope: frame)
            }
            let eventsBefore = engine.counters.depthUpdates
            let refusedBefore = engine.counters.malformed
            engine.step(frame)
            outcome.frames += 1
            if engine.counters.depthUpdates != eventsBefore { noteEvent(from: frame.source) }
            check(
                SteppedFrame(
                    kind: frame.kind, source: frame.source, facts: facts,
                    isRefused: engine.counters.malformed != refusedBefore,
                    atUs: frame.receivedAtNs / 1000 - clockOffsetUs))
        }
    }

    // MARK: - Snapshots

    private func turnPlanner() {
        var requests: [EngineRequest] = []
        engine.takeRequests { requests.append($0) }
        for request in requests {
            switch request {
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
                perform(
                    supervisor.resubscribe(Pipeline.streams.names(of: symbol, at: endpoints)!, nowMs: nowMs))
            }
        }
        if requests.isEmpty && venue.nowUs < plannerWakeUs { return }
        while true {
            switch planner.next(nowMs: nowMs) {
            case .send(let request): send(request)
            case .wait(let untilMs):
                plannerWakeUs = max(untilMs, nowMs + 1) * 1000
                return
            case .idle:
                plannerWakeUs = .max
                return
            }
        }
    }

    private func send(_ request: SnapshotPlanner.Request) {
        outcome.requests += 1
        requests.append((venue.nowUs + random.within(15_000...60_000), request))
        let envelope = SnapshotEnvelope(symbol: request.key.symbol, limit: request.limit.levelCount).bytes
        offer(
            .snapshotRequested, source: 0, receivedAtNs: wallNs(venue.nowUs),
            key: symbols.firstIndex(of: request.key.symbol), envelope)
    }

    /// Lets the venue answer what has reached it.
    private func turnRequests() {
        guard requests.contains(where: { $0.dueUs <= venue.nowUs }) else { return }
        for (_, request) in requests.filter({ $0.dueUs <= venue.nowUs }) {
            let response = venue.requestDepth(
                symbol: "\(request.key.symbol)", limit: request.limit.levelCount)
            answers.append(
                DueAnswer(
                    ticket: request.ticket, symbol: request.key.symbol, limit: request.limit.levelCount,
                    response: response))
        }
        requests.removeAll { $0.dueUs <= venue.nowUs }
    }

    private func turnAnswers() {
        if !answers.contains(where: { $0.response.dueUs <= venue.nowUs }) { return }
        plannerWakeUs = venue.nowUs
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
        if plan.mistake == .losesAnswers && answer.ticket > 3 { return }
        let key = symbols.firstIndex(of: answer.symbol)
        var body = kind == .depthSnapshot ? answer.response.body : []
        if plan.mistake == .futureAudits && answer.limit > 100 { body = withLaterID(body) }
        let atNs = wallNs(venue.nowUs)
        if let key { noteAnswer(answer.response, index: key) }
        if !offer(kind, source: 0, receivedAtNs: atNs, key: key, header + body) {
            offer(.snapshotFailed, source: 0, receivedAtNs: atNs, key: key, header)
        }
    }
}
