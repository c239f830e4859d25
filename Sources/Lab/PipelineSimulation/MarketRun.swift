// A whole market on one request budget, in virtual time: engines and planner are the real ones, connected as
// a service connects them; venue and network are the cheapest that tell the truth. It answers what single
// symbols cannot: who is served when everybody wants something, and how much memory waits meanwhile.
//
// A step is 100 ms: answers that are due, then every symbol's events, then a tick, then what the engines
// request. O(symbols).

import BinanceVenue
import BookEngine
import BookSync
import FeedPlan
import LobHandoff
import MarketData

/// What a market run is.
public struct MarketPlan: Sendable {
    /// Symbols.
    public var symbolCount = 1500
    /// Every so many-th symbol is busy; 1: all.
    public var busyEvery = 10
    /// Traffic of the busy ones.
    public var busy = MarketTraffic.busy
    /// Traffic of the others.
    public var quiet = MarketTraffic.quiet
    /// Virtual minutes.
    public var minutes = 60
    /// Symbols of one shard at most.
    public var shardSymbolCountMax = 512
    /// Market of all symbols.
    public var market: Market
    /// The engine of every shard.
    public var engine: EngineConfiguration
    /// The planner.
    public var planner: SnapshotPlanner.Configuration
    /// Levels a side to ask for.
    public var levelCount: @Sendable (SnapshotPriority) -> Int
    /// Time from a request to its answer.
    public var answerMs: Int64 = 100

    /// A plan with the defaults.
    public init(
        market: Market, engine: EngineConfiguration, planner: SnapshotPlanner.Configuration,
        levelCount: @escaping @Sendable (SnapshotPriority) -> Int
    ) {
        (self.market, self.engine) = (market, engine)
        self.planner = planner
        self.levelCount = levelCount
    }
}

/// Books of one kind at one moment of a market run.
public struct MarketShare: Hashable, Sendable {
    /// All of them.
    public var books = 0
    /// Those that are live.
    public var live = 0
    /// Those that have been deep enough once.
    public var deepened = 0
    /// Those that were compared with a later snapshot once.
    public var audited = 0
    /// Comparisons so far.
    public var audits = 0
}

/// A market run at the end of a virtual minute.
public struct MarketMinute: Sendable {
    /// Minutes gone.
    public var minute = 0
    /// The busy books.
    public var busy = MarketShare()
    /// The others.
    public var quiet = MarketShare()
    /// Buffers that were full, so far.
    public var overflows = 0
    /// Audits that found a difference, gaps and refuted snapshots so far; the venue gives no cause for any.
    public var errors = 0
    /// Bytes of messages that wait for snapshots, all books together: now, and the most so far.
    public var bufferedBytes = 0
    /// See `bufferedBytes`.
    public var bufferedBytesMax = 0
    /// Weight spent in this minute.
    public var weight = 0
    /// Requests sent so far.
    public var requests = 0
    /// Messages stepped so far.
    public var messages = 0
}

/// When a market run reached what.
public struct MarketOutcome: Sendable {
    /// Milliseconds from the start to the first snapshot that arrived; nil if none did.
    public var firstSnapshotMs: Int64?
    /// To the moment at which the last busy book had been deep enough once; nil if one never was.
    public var busyDeepenedMs: Int64?
    /// The same of all books.
    public var deepenedMs: Int64?
    /// To the moment at which every book had been compared once; nil if one never was.
    public var auditedMs: Int64?
    /// The last minute.
    public var end = MarketMinute()
}

/// A run of a market plan.
public final class MarketRun {
    static let stepMs: Int64 = 100
    static let startMs: Int64 = 1_790_000_040_000
    private static let ranksEverySteps = 3

    let plan: MarketPlan
    private var shards: [MarketShard] = []
    private var symbols: [MarketSymbol] = []
    /// Shard of each symbol.
    private var shardOf: [Int] = []
    private var slotOf: [SymbolName: Int] = [:]
    private var planner: SnapshotPlanner
    private var answers: [DueAnswer] = []
    private var nowMs = MarketRun.startMs
    private var step = 0
    private var encoder: MessageEncoder
    private var update = DepthUpdate()
    private var snapshot = DepthSnapshot()
    private var isDeepened: [Bool]
    private var isAudited: [Bool]
    private var tally = MarketMinute()
    private var outcome = MarketOutcome()

    private struct DueAnswer {
        var request: SnapshotPlanner.Request
        var takenMs: Int64
        var dueMs: Int64
        /// The book as it was halfway.
        var body: [UInt8] = []
    }

    /// A run that has not begun.
    public init(_ plan: MarketPlan) throws {
        self.plan = plan
        planner = SnapshotPlanner(pool: plan.market.weightPool, configuration: plan.planner)
        encoder = MessageEncoder(.classic(plan.market))
        isDeepened = Array(repeating: false, count: plan.symbolCount)
        isAudited = isDeepened
        let shardCount = (plan.symbolCount + plan.shardSymbolCountMax - 1) / plan.shardSymbolCountMax
        for _ in 0..<shardCount { shards.append(try MarketShard(plan.engine)) }
        for number in 0..<plan.symbolCount {
            let name = SymbolName("S\(number)USDT")!
            let isBusy = number % plan.busyEvery == 0
            symbols.append(MarketSymbol(name, isBusy ? plan.busy : plan.quiet))
            shardOf.append(number % shardCount)
            slotOf[name] = number
            shards[number % shardCount].engine.addSymbol(name)
        }
    }

    /// Runs the plan.
    /// - Parameter minute: gets the state after every virtual minute.
    public func run(_ minute: (MarketMinute) -> Void) -> MarketOutcome {
        for shard in shards { shard.offer(.connected, source: 1, atNs: nowNs) }
        let stepsPerMinute = Int(60_000 / MarketRun.stepMs)
        while step < plan.minutes * stepsPerMinute {
            turnAnswers()
            for number in symbols.indices where (step + number) % symbols[number].traffic.everySteps == 0 {
                speak(number)
            }
            for shard in shards { shard.tick(atNs: nowNs) }
            for shard in shards { shard.consume() }
            turnPlanner()
            step += 1
            nowMs += MarketRun.stepMs
            if step % 10 == 0 { look() }
            if step % stepsPerMinute == 0 {
                tally.minute = step / stepsPerMinute
                minute(tally)
                tally.weight = 0
            }
        }
        outcome.end = tally
        return outcome
    }

    private var nowNs: Int64 { nowMs * 1_000_000 }

    /// The events of a symbol that are due.
    private func speak(_ number: Int) {
        let shard = shards[shardOf[number]]
        for _ in 0..<symbols[number].traffic.updatesAtOnce {
            symbols[number].advance(&update, timeUs: nowMs * 1000)
            shard.hear(encoded { try? $0.append(update, stream: symbols[number].stream) }, atNs: nowNs)
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

    private func turnAnswers() {
        for index in answers.indices where answers[index].takenMs <= nowMs && answers[index].body.isEmpty {
            guard let number = slotOf[answers[index].request.key.symbol] else { continue }
            symbols[number].show(
                answers[index].request.limit.levelCount, in: &snapshot, timeUs: nowMs * 1000)
            answers[index].body = encoded { try? $0.append(snapshot) }
        }
        while let first = answers.first, first.dueMs <= nowMs {
            answers.removeFirst()
            guard let number = slotOf[first.request.key.symbol] else { continue }
            let answer = SnapshotPlanner.Answer(status: 200)
            let shard = shards[shardOf[number]]
            guard case .deliver = planner.answered(first.request.ticket, answer, nowMs: nowMs) else {
                continue
            }
            let header = SnapshotEnvelope(
                symbol: first.request.key.symbol, limit: first.request.limit.levelCount)
            shard.offer(.depthSnapshot, source: 0, atNs: nowNs, header.bytes + first.body)
            if outcome.firstSnapshotMs == nil { outcome.firstSnapshotMs = nowMs - MarketRun.startMs }
        }
    }

    private func turnPlanner() {
        for shard in shards {
            shard.takeRequests { request, rank in
                switch request {
                case .ask(let symbol, let priority, let attempt):
                    let levelCount = plan.levelCount(priority)
                    let acceptance = planner.request(
                        SnapshotKey(market: plan.market, symbol: symbol), priority, levelCount: levelCount,
                        attempt: attempt, rank: rank, nowMs: nowMs)
                    if acceptance == .underWay { announce(symbol, levelCount) }
                case .cancel(let symbol): planner.cancel(SnapshotKey(market: plan.market, symbol: symbol))
                case .resubscribe: break
                }
            }
        }
        if step % MarketRun.ranksEverySteps == 0 {
            for shard in shards {
                shard.tellRanks { planner.rank(SnapshotKey(market: plan.market, symbol: $0), $1) }
            }
        }
        while case .send(let request) = planner.next(nowMs: nowMs) {
            announce(request.key.symbol, request.limit.levelCount)
            tally.requests += 1
            tally.weight += request.limit.weight
            answers.append(
                DueAnswer(
                    request: request, takenMs: nowMs + plan.answerMs / 2, dueMs: nowMs + plan.answerMs))
        }
    }

    /// Tells a shard that a request is under way.
    private func announce(_ symbol: SymbolName, _ levelCount: Int) {
        guard let number = slotOf[symbol] else { return }
        let frame = SnapshotEnvelope(symbol: symbol, limit: levelCount).bytes
        shards[shardOf[number]].offer(.snapshotRequested, source: 0, atNs: nowNs, frame)
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

/// A shard of a market run: the end of its feed, its ring and its engine.
private final class MarketShard {
    private static let ringBytes = 1 << 21
    var engine: BookEngine
    private var outbox: FrameOutbox
    private var consumer: FrameConsumer
    private var sender = FrameOutbox.Sender(source: 1)
    private var ranked = 0
    private var unreadBytes = 0

    init(_ configuration: EngineConfiguration) throws {
        engine = BookEngine(configuration)
        let ring = try FrameRing(capacityBytes: MarketShard.ringBytes)
        outbox = FrameOutbox(ring.producer)
        consumer = ring.consumer
    }

    /// Puts a message into the ring; what finds no room there shows as a gap.
    func hear(_ message: [UInt8], atNs: Int64) {
        _ = outbox.receive(message.span, isFinal: true, from: &sender, receivedAtNs: atNs)
        unreadBytes += message.count
        if unreadBytes > MarketShard.ringBytes / 8 { consume() }
    }

    func offer(_ kind: FrameKind, source: UInt16, atNs: Int64, _ bytes: [UInt8] = []) {
        _ = outbox.offer(kind, source: source, receivedAtNs: atNs, bytes)
        consume()
    }

    func tick(atNs: Int64) { outbox.tick(atNs: atNs, monotonicNs: atNs) }

    func consume() {
        engine.doWork(&consumer, limit: .max)
        unreadBytes = 0
    }

    /// The present ranks of some symbols, all in turn.
    func tellRanks(_ use: (SymbolName, SnapshotRank) -> Void) {
        let symbols = engine.symbols
        for _ in 0..<min(32, symbols.count) {
            ranked = (ranked + 1) % symbols.count
            use(symbols[ranked], engine.snapshotRank(of: symbols[ranked]))
        }
    }

    func takeRequests(_ use: (EngineRequest, SnapshotRank) -> Void) {
        var requests: [EngineRequest] = []
        engine.takeRequests { requests.append($0) }
        for request in requests {
            switch request {
            case .ask(let symbol, _, _): use(request, engine.snapshotRank(of: symbol))
            case .cancel, .resubscribe: use(request, SnapshotRank())
            }
        }
    }
}
