// A whole market on one request budget, in virtual time: engines, feeds and fetcher are the real ones,
// connected as a service connects them; venue and network are the cheapest that tell the truth. It answers
// what single symbols cannot: who is served when every book needs a snapshot, and how much memory is held
// meanwhile.
//
// A step is 100 ms: the updates of every symbol, then three rounds of timers and book thread turns.
// O(symbols).

import BinanceServing
import BinanceVenue
import BookEngine
import DepthFeed
import FeedPlan
import LobHandoff
import MarketData
import SimulatedExchange

/// The plan of a market run.
package struct MarketPlan: Sendable {
    /// Number of symbols.
    package var symbolCount = 1500
    /// One symbol in this many is busy; 1: all of them.
    package var busyEvery = 10
    /// Traffic of the busy symbols.
    package var busy = MarketTraffic.busy
    /// Traffic of the other symbols.
    package var quiet = MarketTraffic.quiet
    /// Duration in virtual minutes.
    package var minutes = 60
    /// Maximum number of symbols per shard.
    package var shardSymbolCountMax = 512
    /// The market of all symbols.
    package var market: Market
    /// The engine configuration of every shard.
    package var engine: EngineConfiguration
    /// The configuration of the planner.
    package var planner: SnapshotPlanner.Configuration
    /// Levels per side to request.
    package var levelCount: @Sendable (SnapshotPriority) -> Int
    /// Time from a request to its answer.
    package var answerMs: Int64 = 100

    /// A plan with the defaults.
    package init(
        market: Market, engine: EngineConfiguration, planner: SnapshotPlanner.Configuration,
        levelCount: @escaping @Sendable (SnapshotPriority) -> Int
    ) {
        (self.market, self.engine) = (market, engine)
        self.planner = planner
        self.levelCount = levelCount
    }
}

/// The books of one kind at one moment of a market run.
package struct MarketShare: Hashable, Sendable {
    /// All of them.
    package var books = 0
    /// Those that are live.
    package var live = 0
    /// Those that have once been deep enough.
    package var deepened = 0
    /// Those that have been compared with a later snapshot at least once.
    package var audited = 0
    /// Number of comparisons so far.
    package var audits = 0
}

/// A market run at the end of a virtual minute.
package struct MarketMinute: Sendable {
    /// Minutes passed.
    package var minute = 0
    /// The busy books.
    package var busy = MarketShare()
    /// The others.
    package var quiet = MarketShare()
    /// Number of buffer overflows so far.
    package var overflows = 0
    /// Audits that found a difference, gaps, and refuted snapshots so far; the venue gives no cause for any.
    package var errors = 0
    /// Bytes of messages waiting for snapshots, all books together: now, and the maximum so far.
    package var bufferedBytes = 0
    /// See `bufferedBytes`.
    package var bufferedBytesMax = 0
    /// Weight spent in this minute.
    package var weight = 0
    /// Requests sent so far.
    package var requests = 0
    /// Messages stepped so far.
    package var messages = 0
}

/// The times at which a market run reached its milestones.
package struct MarketOutcome: Sendable {
    /// Milliseconds from the start to the first snapshot that arrived; nil if none did.
    package var firstSnapshotMs: Int64?
    /// Milliseconds until the last busy book had been deep enough once; nil if one never was.
    package var busyDeepenedMs: Int64?
    /// The same for all books.
    package var deepenedMs: Int64?
    /// Milliseconds until every book had been compared once; nil if one never was.
    package var auditedMs: Int64?
    /// The last minute.
    package var end = MarketMinute()
}

/// A run of a market plan.
package final class MarketRun {
    static let stepMs: Int64 = 100
    static let startMs: Int64 = 1_790_000_040_000
    /// Rounds of the book threads per step: as often as they report ranks.
    private static let roundsPerStep: Int64 = 3

    let plan: MarketPlan
    private var shards: [MarketShard] = []
    private var symbols: [MarketSymbol] = []
    /// Shard of each symbol.
    private var shardOf: [Int] = []
    private var slotOf: [SymbolName: Int] = [:]
    private let endpoints: Endpoints
    private let clock = VirtualClock(nowUs: MarketRun.startMs * 1000)
    private var fetcher: SnapshotFetcher!
    private var step = 0
    private var encoder: MessageEncoder
    private var update = DepthUpdate()
    private var snapshot = DepthSnapshot()
    private var isDeepened: [Bool]
    private var isAudited: [Bool]
    private var tally = MarketMinute()
    private var outcome = MarketOutcome()

    /// A run that has not started.
    package init(_ plan: MarketPlan) throws {
        self.plan = plan
        endpoints = Endpoints(market: plan.market)!
        encoder = MessageEncoder(.classic(plan.market))
        isDeepened = Array(repeating: false, count: plan.symbolCount)
        isAudited = isDeepened
        let shardCount = (plan.symbolCount + plan.shardSymbolCountMax - 1) / plan.shardSymbolCountMax
        for number in 0..<plan.symbolCount {
            let name = SymbolName("S\(number)USDT")!
            let isBusy = number % plan.busyEvery == 0
            symbols.append(MarketSymbol(name, isBusy ? plan.busy : plan.quiet))
            shardOf.append(number % shardCount)
            slotOf[name] = number
        }
        for shard in 0..<shardCount {
            let names = symbols.indices.filter { shardOf[$0] == shard }.map { symbols[$0].name }
            shards.append(try MarketShard(plan.engine, names, at: endpoints, clock))
        }
        connect()
    }

    /// Makes the fetcher and connects it with the shards.
    private func connect() {
        let routes = SnapshotRoutes<MarketShard>()
        var options = SnapshotFetcher.Options()
        options.planner = plan.planner
        fetcher = SnapshotFetcher(
            [endpoints], clock: clock, options: options, get: { [unowned self] in get($0) },
            deliver: { routes.deliver($0) })
        routes.set(slotOf.mapValues { shards[shardOf[$0]] })
        for shard in shards {
            shard.connect(to: fetcher, levelCount: plan.levelCount)
        }
    }

    /// Runs the plan.
    ///
    /// - Parameter minute: gets the state after every virtual minute.
    package func run(_ minute: (MarketMinute) -> Void) -> MarketOutcome {
        for shard in shards { shard.feed.start() }
        let stepsPerMinute = Int(60_000 / MarketRun.stepMs)
        while step < plan.minutes * stepsPerMinute {
            for number in symbols.indices where (step + number) % symbols[number].traffic.everySteps == 0 {
                speak(number)
            }
            let beginUs = clock.nowUs
            for round in 1...MarketRun.roundsPerStep {
                clock.nowUs = beginUs + MarketRun.stepMs * 1000 * round / MarketRun.roundsPerStep
                clock.turn()
                for shard in shards { shard.turnAround() }
            }
            step += 1
            if step % 10 == 0 { look() }
            if step % stepsPerMinute == 0 {
                tally.minute = step / stepsPerMinute
                minute(tally)
                tally.weight = 0
            }
        }
        outcome.end = tally
        for shard in shards { shard.feed.stop() }
        fetcher.stop()
        clock.nowUs += 1
        clock.turn()
        clock.removeAll()
        return outcome
    }

    private var nowMs: Int64 { clock.nowUs / 1000 }

    /// Sends the updates of a symbol that are due.
    private func speak(_ number: Int) {
        let shard = shards[shardOf[number]]
        for _ in 0..<symbols[number].traffic.updatesAtOnce {
            symbols[number].advance(&update, timeUs: nowMs * 1000)
            shard.hear(encoded { try? $0.append(update, stream: symbols[number].stream) })
            tally.messages += 1
        }
    }

    private func encoded(_ write: (inout MessageEncoder) -> Void) -> [UInt8] {
        encoder.removeAll()
        write(&encoder)
        var bytes: [UInt8] = []
        encoder.append(to: &bytes)
        return bytes
    }

    /// Starts a request for a snapshot, which shows the book at half the time to the answer.
    ///
    /// - Returns: a closure that would cancel it; nobody does.
    private func get(_ fetch: SnapshotFetch) -> (() -> Void)? {
        guard let target = RequestTarget(address: fetch.address, base: endpoints.restBase),
            let name = target.parameter("symbol").flatMap({ SymbolName($0) }), let number = slotOf[name],
            let limit = target.parameter("limit").flatMap({ Int($0) })
        else { return nil }
        tally.requests += 1
        tally.weight += plan.market.snapshotLimit(atLeast: limit).weight
        let dueUs = clock.nowUs + plan.answerMs * 1000
        clock.alarm(atUs: clock.nowUs + plan.answerMs * 500) { [unowned self] in
            symbols[number].show(limit, in: &snapshot, timeUs: clock.nowUs)
            let body = encoded { try? $0.append(snapshot) }
            clock.alarm(atUs: dueUs) { [unowned self] in
                fetch.answered(status: 200) { _ in nil }
                fetch.received(body.span)
                fetch.finished(nil)
                if outcome.firstSnapshotMs == nil { outcome.firstSnapshotMs = nowMs - MarketRun.startMs }
            }
        }
        return {}
    }

    // MARK: - Looking

    private func look() {
        (tally.busy, tally.quiet) = (MarketShare(), MarketShare())
        (tally.overflows, tally.errors, tally.bufferedBytes) = (0, 0, 0)
        for number in symbols.indices {
            guard let status = shards[shardOf[number]].engine.status(symbols[number].name) else { continue }
            let counters = status.counters
            let wanted = plan.engine.provenLevelCountMin
            if min(status.provenBidCount, status.provenAskCount) >= wanted { isDeepened[number] = true }
            let audits = counters.auditsCompared - counters.deepenings
            if audits > 0 { isAudited[number] = true }
            tally.overflows += counters.bufferOverflows
            tally.errors +=
                counters.auditsCompared - counters.auditsAgreed + counters.gaps + counters.snapshotsRefuted
            tally.bufferedBytes += status.bufferedBytes
            let path = number % plan.busyEvery == 0 ? \MarketMinute.busy : \MarketMinute.quiet
            tally[keyPath: path].books += 1
            tally[keyPath: path].live += status.state == .live ? 1 : 0
            tally[keyPath: path].deepened += isDeepened[number] ? 1 : 0
            tally[keyPath: path].audited += isAudited[number] ? 1 : 0
            tally[keyPath: path].audits += audits
        }
        tally.bufferedBytesMax = max(tally.bufferedBytesMax, tally.bufferedBytes)
        let ms = nowMs - MarketRun.startMs
        let (busy, quiet) = (tally.busy, tally.quiet)
        if outcome.busyDeepenedMs == nil && busy.deepened == busy.books { outcome.busyDeepenedMs = ms }
        if busy.deepened + quiet.deepened == symbols.count && outcome.deepenedMs == nil {
            outcome.deepenedMs = ms
        }
        if busy.audited + quiet.audited == symbols.count && outcome.auditedMs == nil {
            outcome.auditedMs = ms
        }
    }
}
