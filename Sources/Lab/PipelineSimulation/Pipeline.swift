// The whole pipeline in virtual time: simulated venue → feed → ring → engine, with the fetcher fetching
// snapshots and a checker that examines every book after every frame.
//
// Nothing here is a copy of what runs live: the feed with its connection supervisor and outbox, the fetcher
// with its planner, the turn of the book thread, the routes between them, the ring, the engine, the parser
// and the synchronizer are the real ones. Only sockets, threads and clocks are replaced: by `VenueLink`,
// `ThreadHop` and `VirtualClock`. Time jumps from one activity to the next.

import BinanceVenue
import BookEngine
import DepthFeed
import FeedPlan
import LobHandoff
import MarketData
import SimulatedExchange

/// A run of a plan.
package final class Pipeline {
    let plan: PipelinePlan
    let symbols: [SymbolName]
    var venue: Venue
    var engine: BookEngine
    var consumer: FrameConsumer
    let gauges: FrameRingGauges
    let clock: VirtualClock
    var random: SeededRandom
    let endpoints: Endpoints
    /// The parts of the threads, made at the end of `init`.
    private(set) var feed: DepthFeed!
    private(set) var fetcher: SnapshotFetcher!
    private var bookTurn: ShardTurn!
    let work = CommandQueue<BookWork>(capacity: 256)
    /// Connections that are open or being opened.
    var links: [VenueLink] = []
    /// The last answer to a request of each symbol.
    var responses: [Int: VenueResponse] = [:]
    /// Number of answers that reached the feed's thread.
    var answerCount = 0
    var stalledUntilUs: Int64 = 0
    var nextSecond: Int64 = 0
    /// By how much the wall clock still has to be set.
    var clockStepUs: Int64 = 0
    /// Connections from before the venue started over.
    var formerSources: Set<UInt16> = []
    var restartedUs: Int64?
    var outcome = PipelineOutcome()
    var checker: PipelineChecker
    /// The replica beside the engine, if the plan has one.
    var replica: ReplicaRun?

    /// Microseconds between two ticks.
    static var tickUs: Int64 { 250_000 }

    /// A run that has not started.
    package init(_ plan: PipelinePlan) throws {
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
        // Longer than any stall, so that the truth at the id of a late update is still known.
        configuration.historyUs = 600_000_000
        configuration.connectionLifeUs = Int64(plan.connectionLifeSeconds) * 1_000_000
        if plan.mistake == .keepsConnections { configuration.connectionLifeUs *= 10 }
        configuration.snapshotLagUs = 0...Int64(plan.snapshotLagMs) * 1000
        venue = Venue(configuration)
        engine = Pipeline.engine(plan)
        for symbol in symbols { engine.addSymbol(symbol) }
        let ring = try FrameRing(capacityBytes: plan.ringBytes)
        gauges = ring.gauges
        consumer = ring.consumer
        clock = VirtualClock(nowUs: venue.nowUs)
        random = SeededRandom(plan.seed, purpose: 0x0FEE_D000)
        endpoints = Endpoints(market: plan.market)!
        nextSecond = venue.nowUs / 1_000_000 + 1
        checker = PipelineChecker()
        if plan.hasReplica {
            replica = try ReplicaRun(
                Pipeline.engineConfiguration(plan), symbols, seed: plan.seed, nowUs: venue.nowUs)
        }
        for symbol in symbols { checker.symbols.append(SymbolWatch(reader: engine.views(of: symbol)!)) }
        connect(ring.producer)
    }

    /// Makes feed, fetcher and book thread, and connects them.
    private func connect(_ producer: consuming FrameProducer) {
        feed = DepthFeed(
            Pipeline.feedConfiguration(plan, symbols, endpoints), clock: clock, producer: producer,
            report: { [unowned self] in note($0) }, dial: { [unowned self] in dial($1) })
        let routes = SnapshotRoutes<FeedHop>()
        fetcher = SnapshotFetcher(
            [endpoints], clock: clock, get: { [unowned self] in get($0) },
            deliver: { routes.deliver($0) })
        let mayStandStill = plan.faults[.pause] > 0
        let toFeed = ThreadHop(
            clock, seed: plan.seed, purpose: 0x0FEE_D001, mayStandStill: mayStandStill)
        let toFetcher = ThreadHop(
            clock, seed: plan.seed, purpose: 0x0FEE_D002, mayStandStill: mayStandStill)
        let way = FeedHop(hop: toFeed, run: UnownedRun(self))
        routes.set(Dictionary(symbols.map { ($0, way) }, uniquingKeysWith: { $1 }))
        let planned = fetcher.status
        bookTurn = ShardTurn(
            ShardTurn.Wiring(
                market: plan.market, work: work,
                want: { [unowned self] requests in
                    toFetcher.post { [unowned self] in fetcher.want(requests) }
                },
                resubscribe: { [unowned self] silent in
                    toFeed.post { [unowned self] in feed.resubscribe(silent) }
                },
                isDepthWanted: {
                    planned.latest(SnapshotFetcherStatus()).queued[SnapshotPriority.deepen.rawValue] > 0
                },
                levelCount: { Pipeline.levelCount($0) },
                monotonicNs: { [clock] in clock.monotonicNs }))
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
    package func run() -> PipelineOutcome {
        let startUs = venue.nowUs
        var faultsEndUs = startUs + Int64(plan.faultySeconds) * 1_000_000
        feed.start()
        while outcome.violation == nil {
            let endUs = faultsEndUs + Int64(plan.recoverySeconds) * 1_000_000
            if venue.nowUs >= endUs { break }
            if venue.nowUs >= faultsEndUs {
                venue.faults = .none
                // No symbol can recover while nobody answers.
                faultsEndUs = max(faultsEndUs, min(venue.banEndUs ?? 0, faultsEndUs + 600_000_000))
                if venue.nowUs >= faultsEndUs && isRecovered() && replicaIsRecovered {
                    outcome.recoverySeconds = Double(venue.nowUs - faultsEndUs) / 1e6
                    break
                }
            }
            venue.advance(toUs: nextTimeUs(endUs))
            clock.nowUs = venue.nowUs
            turn()
            if plan.measured != nil && faultIsOver() { break }
        }
        outcome.seconds = Double(venue.nowUs - startUs) / 1e6
        let endUs = faultsEndUs + Int64(plan.recoverySeconds) * 1_000_000
        if outcome.violation == nil && venue.nowUs >= endUs {
            reportReplicaNotRecovered()
            reportNotRecovered()
        }
        hangUp()
        finish()
        finishReplica()
        return outcome
    }

    /// Ends feed and fetcher; none of their connections may be left.
    private func hangUp() {
        feed.stop()
        fetcher.stop()
        clock.nowUs += 2_000_000
        clock.turn()
        clock.removeAll()
        if feed.openCount + fetcher.openCount > 0 {
            violated(.terms, SymbolName(), "\(feed.openCount + fetcher.openCount) connections left behind")
        }
    }

    private func nextTimeUs(_ endUs: Int64) -> Int64 {
        var next = min(venue.nextActivityUs, nextSecond * 1_000_000, clock.nextUs, endUs)
        for link in links { next = min(next, link.nextUs) }
        if stalledUntilUs > venue.nowUs { next = min(next, stalledUntilUs) }
        return max(next, venue.nowUs + 1)
    }

    /// One step: what arrived goes into the ring, what is in the ring goes through the engine.
    private func turn() {
        noteRestart()
        for link in links { link.turn() }
        for link in links { link.finishMessage() }
        clock.turn()
        if venue.nowUs >= nextSecond * 1_000_000 { second() }
        if venue.nowUs >= stalledUntilUs {
            consume()
            bookTurn.finish(&engine)
            stepClock()
        }
        turnReplica()
    }

    /// Sets the wall clock, between two frames and long after a standstill, so that a frame's stamp is known
    /// to come from the current clock.
    private func stepClock() {
        if clockStepUs == 0 || venue.nowUs < stalledUntilUs + 2_000_000 { return }
        clock.offsetUs += clockStepUs
        clockStepUs = 0
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
        formerSources = Set(links.filter(\.isOpen).map(\.connection.id))
        checker.excuse(untilUs: venue.nowUs + 120_000_000)
        for index in checker.symbols.indices {
            (checker.symbols[index].handed, checker.symbols[index].ahead) = (nil, nil)
            (checker.symbols[index].aside, checker.symbols[index].lost) = (nil, nil)
        }
    }

    private func consume() {
        consumer.poll { frame in
            if outcome.violation != nil { return }
            let facts: FrameFacts
            switch frame.kind {
            case .message, .dropped, .resubscribed: facts = FrameFacts(message: frame)
            case .depthSnapshot, .snapshotFailed, .snapshotRequested, .connected, .disconnected, .retired,
                .tick:
                facts = FrameFacts(envelope: frame)
            }
            let updatesBefore = engine.counters.depthUpdates
            let refusedBefore = engine.counters.malformed
            engine.step(frame)
            outcome.frames += 1
            if engine.counters.depthUpdates != updatesBefore { noteUpdate(from: frame.source) }
            // What came in a stream of updates and was not taken for one was not read, whatever the engine
            // says.
            let isOther =
                frame.kind == .message && facts.stream == .depth
                && engine.counters.depthUpdates == updatesBefore
            check(
                SteppedFrame(
                    kind: frame.kind, source: frame.source, facts: facts,
                    isRefused: isOther || engine.counters.malformed != refusedBefore,
                    atUs: frame.receivedAtNs / 1000 - clock.offsetUs))
        }
    }
}
