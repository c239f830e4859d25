// A venue that counts weight, and the loop that runs a planner against it in virtual time.
//
// The venue's clock is off by `skewMs`, requests take a while to reach it, and it shares its count with a
// stranger. Over budget it answers 429 until its minute ends; whoever asks then is banned with 418.

import BinanceVenue
import FeedPlan
import MarketData

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z &>> 31)
    }

    mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &self) < probability
    }
}

/// The venue's side of the weight budget.
struct WeighingVenue {
    var budget: Int
    var skewMs: Int64 = 0
    /// Weight per second that somebody else at our address spends.
    var strangerPerSecond = 0
    private(set) var ownByMinute: [Int64: Int] = [:]
    private(set) var bannedUntilMs: Int64 = 0
    private(set) var refusals = 0
    private(set) var overBudget = 0

    init(budget: Int) { self.budget = budget }

    /// The answer to a request that arrives now, apart from faults.
    mutating func arrive(weight: Int, nowMs: Int64) -> SnapshotPlanner.Answer {
        let serverMs = nowMs + skewMs
        let minute = serverMs / 60_000
        ownByMinute[minute, default: 0] += weight
        let used = ownByMinute[minute]! + strangerPerSecond * Int(serverMs % 60_000) / 1000
        if serverMs < bannedUntilMs {
            refusals += 1
            bannedUntilMs += 120_000
            return SnapshotPlanner.Answer(
                status: 418, code: -1003, retryAfterSeconds: Int((bannedUntilMs - serverMs + 999) / 1000),
                usedWeight: used)
        }
        if used > budget {
            refusals += 1
            overBudget += 1
            let leftMs = (minute + 1) * 60_000 - serverMs
            return SnapshotPlanner.Answer(
                status: 429, code: -1003, retryAfterSeconds: Int((leftMs + 999) / 1000), usedWeight: used)
        }
        return SnapshotPlanner.Answer(status: 200, usedWeight: used)
    }

    mutating func ban(untilMs: Int64) { bannedUntilMs = untilMs + skewMs }
}

/// Runs a planner against a venue, and keeps its promises under watch.
struct PlannerRun {
    /// Something that will happen.
    enum Event {
        case arrival(SnapshotPlanner.Request)
        case answer(UInt64, SnapshotPlanner.Answer)
        case request(SnapshotKey, SnapshotPriority, levelCount: Int)
        case cancel(SnapshotKey)
    }

    var planner: SnapshotPlanner
    var venue: WeighingVenue
    var random: SeededGenerator
    var nowMs: Int64
    var upMs: ClosedRange<Int64> = 20...60
    var downMs: ClosedRange<Int64> = 30...90
    var failureRate = 0.0
    var silenceRate = 0.0
    /// Requests whose answer takes eight seconds; `slowFails`: it does not come, as the requester's limit has
    /// it.
    var slowRate = 0.0
    var slowFails = true
    var unknown: Set<SnapshotKey> = []

    var delivered: [(key: SnapshotKey, atMs: Int64)] = []
    var sent: [(request: SnapshotPlanner.Request, atMs: Int64)] = []
    var failed: [SnapshotKey: SnapshotPlanner.Failure] = [:]
    var broken: [String] = []
    private var events: [(atMs: Int64, event: Event)] = []
    private var inFlight: [UInt64: SnapshotPlanner.Request] = [:]
    private var toldToWaitUntilMs: Int64 = 0

    init(_ planner: SnapshotPlanner, venue: WeighingVenue, seed: UInt64, startMs: Int64) {
        self.planner = planner
        self.venue = venue
        random = SeededGenerator(state: seed)
        nowMs = startMs
    }

    mutating func schedule(_ event: Event, atMs: Int64) {
        var (low, high) = (0, events.count)
        while low < high {
            let middle = (low + high) / 2
            if events[middle].atMs > atMs { low = middle + 1 } else { high = middle }
        }
        events.insert((atMs, event), at: low)  // latest first; of two at one time, the later
    }

    /// Runs until nothing is wanted and nothing will happen, or until `untilMs`.
    mutating func run(untilMs: Int64 = .max) {
        while nowMs < untilMs && broken.isEmpty {
            switch planner.next(nowMs: nowMs) {
            case .announce: break
            case .send(let request): send(request)
            case .idle:
                if events.isEmpty { return }
                happen()
            case .wait(let wakeMs):
                if wakeMs <= nowMs { broken.append("told to wait until \(wakeMs) at \(nowMs)") }
                if let next = events.last, next.atMs <= wakeMs { happen() } else { nowMs = wakeMs }
            }
        }
    }

    private mutating func send(_ request: SnapshotPlanner.Request) {
        sent.append((request, nowMs))
        if nowMs < toldToWaitUntilMs { broken.append("sent at \(nowMs), banned until \(toldToWaitUntilMs)") }
        if inFlight.values.contains(where: { $0.key == request.key }) {
            broken.append("asked twice: \(request)")
        }
        inFlight[request.ticket] = request
        let most = planner.configuration.inFlightMax + planner.configuration.lateMax
        if inFlight.count > most { broken.append("too many in flight") }
        schedule(.arrival(request), atMs: nowMs + Int64.random(in: upMs, using: &random))
    }

    private mutating func happen() {
        let (atMs, event) = events.removeLast()
        nowMs = max(nowMs, atMs)
        switch event {
        case .request(let key, let priority, let levelCount):
            _ = planner.request(key, priority, levelCount: levelCount, nowMs: nowMs)
        case .cancel(let key):
            planner.cancel(key)
        case .arrival(let request):
            var answer = venue.arrive(weight: request.limit.weight, nowMs: nowMs)
            if answer.status == 200 && unknown.contains(request.key) {
                answer = SnapshotPlanner.Answer(status: 400, code: -1121, usedWeight: answer.usedWeight)
            } else if answer.status == 200 && random.chance(failureRate) {
                answer = SnapshotPlanner.Answer(status: [500, 502, 503, 504].randomElement(using: &random)!)
            }
            var backMs = nowMs + Int64.random(in: downMs, using: &random)
            if random.chance(slowRate) {
                backMs = nowMs + 8000
                if slowFails { answer = SnapshotPlanner.Answer(status: 0) }
            }
            if random.chance(silenceRate) {
                // Comes after its time, or not at all.
                inFlight[request.ticket] = nil
                let lateMs =
                    sent.last { $0.request.ticket == request.ticket }!.atMs
                    + planner.configuration.answerTimeoutMs + 1
                if random.chance(0.5) { schedule(.answer(request.ticket, answer), atMs: max(lateMs, backMs)) }
                return
            }
            schedule(.answer(request.ticket, answer), atMs: backMs)
        case .answer(let ticket, let answer):
            inFlight[ticket] = nil
            if let seconds = answer.retryAfterSeconds {
                toldToWaitUntilMs = max(toldToWaitUntilMs, nowMs + Int64(seconds) * 1000)
            }
            switch planner.answered(ticket, answer, nowMs: nowMs) {
            case .deliver(let key): delivered.append((key, nowMs))
            case .failed(let key, let failure): failed[key] = failure
            case .retry, .drop: break
            }
        }
    }
}

/// Symbols to plan for.
func plannerKeys(_ count: Int, _ market: Market = .spot) -> [SnapshotKey] {
    (0..<count).map { SnapshotKey(market: market, symbol: SymbolName("S\($0)USDT")!) }
}

extension SnapshotPlanner {
    /// A planner that sends at once what it may.
    static func prompt(_ pool: WeightPool) -> SnapshotPlanner {
        var configuration = Configuration(pool: pool)
        configuration.snapshotLagMs = 0
        return SnapshotPlanner(pool: pool, configuration: configuration)
    }
}
