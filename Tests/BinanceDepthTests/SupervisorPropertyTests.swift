// Random inputs, sensible and senseless, in random order: whatever happens, the invariants of a supervisor
// hold.

import BinanceVenue
import FeedPlan
import MarketData
import TestSupport
import Testing

struct SupervisorPropertyTests {
    /// What a run of random inputs did, and what it broke.
    struct Run {
        var supervisor: ConnectionSupervisor
        var random: SeededRandom
        var nowMs: Int64 = 5_000_000
        /// The latest time told: the supervisor's own.
        var clockMs: Int64 = 0
        var open: Set<UInt16> = []
        var wasOpened: Set<UInt16> = []
        var up: Set<UInt16> = []
        var wasUp: Set<UInt16> = []
        var dials: [Int64] = []
        var messages: [UInt16: [Int64]] = [:]
        var awaited: [UInt16: StreamRequest] = [:]
        var broken: [String] = []
        var kinds: Set<String> = []
        let messagesPerSecond: Int

        init(seed: UInt64) {
            random = SeededRandom(seed: seed)
            let market = Market.allCases[random.below(3)]
            let streams = (0..<[1, 3, 30, 500, 1024][random.below(5)]).map { "s\($0)@depth" }
            var configuration = ConnectionSupervisor.Configuration(market: market)
            configuration.batchNameCountMax = [1, 7, 200][random.below(3)]
            if streams.count > 100 { configuration.batchNameCountMax = 200 }
            configuration.attemptsPerFiveMinutesMax = [1, 4, 60][random.below(3)]
            if random.chance(0.5) {
                configuration.terms.lifeMs = 200_000
                configuration.renewalMarginMs = 30_000
                configuration.renewalJitterMs = 50_000
            }
            configuration.seed = seed
            messagesPerSecond = configuration.terms.messagesPerSecondMax * 60 / 100
            supervisor = ConnectionSupervisor(streams: streams, configuration: configuration)
        }

        mutating func expect(_ holds: Bool, _ what: String) {
            if !holds { broken.append("at \(nowMs): \(what)") }
        }

        mutating func perform(_ actions: [ConnectionSupervisor.Action]) {
            expect(actions.count <= 20, "\(actions.count) actions")
            clockMs = max(clockMs, nowMs)
            for action in actions {
                kinds.insert(String("\(action)".prefix { $0 != "(" }))
                switch action {
                case .open(let id):
                    expect(open.insert(id).inserted, "\(id) opened twice at once")
                    expect(open.count <= 2, "\(open.count) connections")
                    wasOpened.insert(id)
                    dials.append(clockMs)
                    let recent = dials.count { $0 > clockMs - 300_000 }
                    expect(recent <= supervisor.configuration.attemptsPerFiveMinutesMax, "\(recent) attempts")
                case .send(let id, let request):
                    expect(open.contains(id), "sent on \(id), which is not open")
                    expect(
                        request.streams.count <= supervisor.configuration.batchNameCountMax, "a long batch")
                    expect(awaited[id] == nil, "two requests at once on \(id)")
                    messages[id, default: []].append(max(clockMs, nowMs))
                    let recent = messages[id]!.count { $0 > clockMs - 1000 }
                    expect(recent <= messagesPerSecond, "\(recent) messages on \(id)")
                    awaited[id] = request
                case .close(let id):
                    expect(open.remove(id) != nil, "closed \(id), which is not open")
                case .connected(let id, _):
                    expect(open.contains(id) && wasUp.insert(id).inserted, "\(id) connected")
                    up.insert(id)
                case .disconnected(let id), .retired(let id):
                    expect(up.remove(id) != nil, "\(id) disconnected")
                case .resubscribed(let id, let streams):
                    expect(up.contains(id) && !streams.isEmpty, "\(id) resubscribed")
                case .report(.unanswered(let id, _)): awaited[id] = nil
                case .report: break
                }
            }
            if let wakeMs = supervisor.wakeAtMs { expect(wakeMs > clockMs, "wakes in the past") }
            expect(up.isSubset(of: open), "\(up) connected of \(open)")
        }

        /// An id, mostly one that is open.
        mutating func id() -> UInt16 {
            if random.chance(0.05) { return UInt16(random.below(100)) }
            return open.sorted().randomElement(using: &random) ?? 1
        }

        mutating func reply() {
            let id = id()
            var requestID = awaited[id].map { RequestID.integer($0.id) }
            if random.chance(0.1) { requestID = [.null, .integer(3), .text("2"), nil][random.below(4)] }
            let refused = random.chance(0.15)
            awaited[id] = nil
            perform(
                supervisor.replied(
                    id, to: requestID, refused ? .refused(code: 2, text: "no") : .accepted(.done),
                    nowMs: nowMs))
        }

        mutating func step() {
            switch random.below(20) {
            case 0..<7: reply()
            case 7..<10:
                let id = id()
                perform(supervisor.opened(id, nowMs: nowMs))
            case 10:
                let id = id()
                open.remove(id)
                let loss: ConnectionSupervisor.Loss = random.chance(0.1) ? .refused : .lost
                perform(supervisor.closed(id, loss, nowMs: nowMs))
            case 11: perform(supervisor.shutdownAnnounced(id(), nowMs: nowMs))
            case 12:
                let id = id()
                messages[id, default: []].append(max(clockMs, nowMs))
                perform(supervisor.sent(id, nowMs: nowMs))
            case 13:
                let count = random.below(4)
                perform(
                    supervisor.resubscribe(
                        (0..<count).map { _ in "s\(random.below(40))@depth" }, nowMs: nowMs))
            case 14: perform(supervisor.start(nowMs: nowMs))
            default: pass()
            }
        }

        mutating func pass() {
            switch random.below(4) {
            case 0: nowMs += Int64(random.below(500))
            case 1: nowMs += Int64(random.below(20_000))
            case 2: nowMs -= Int64(random.below(2_000))  // a clock that was set back
            default: if let wakeMs = supervisor.wakeAtMs { nowMs = max(nowMs, wakeMs) }
            }
            awaited = awaited.filter { random.below(1000) > 0 || !open.contains($0.key) }
            perform(supervisor.timePassed(nowMs: nowMs))
        }
    }

    @Test(arguments: 0..<60) func invariantsHoldWhateverHappens(_ block: UInt64) {
        var kinds: Set<String> = []
        for seed in (block * 10)..<(block * 10 + 10) {
            var run = Run(seed: seed)
            run.perform(run.supervisor.start(nowMs: run.nowMs))
            for _ in 0..<600 { run.step() }
            run.perform(run.supervisor.stop(nowMs: run.nowMs))
            run.expect(run.open.isEmpty, "\(run.open) open after the stop")
            run.expect(run.up.isEmpty, "\(run.up) connected after the stop")
            let opened = run.wasOpened.count
            for _ in 0..<50 { run.step() }
            run.expect(
                run.wasOpened.count == opened && run.supervisor.wakeAtMs == nil, "opened after the stop")
            #expect(run.broken.isEmpty, "seed \(seed): \(run.broken.first ?? "")")
            kinds.formUnion(run.kinds)
        }
        // A planned end beside a sound replacement is rare here.
        let always: Set<String> = ["open", "send", "close", "connected", "disconnected", "report"]
        #expect(kinds.isSuperset(of: always), "\(kinds)")
    }

    /// A venue that does everything right, and a shell that only reports: the shard is always served, through
    /// many renewals, and the request budget is enough.
    @Test func renewsForEverWithoutAHole() {
        var run = Run(seed: 7)
        var configuration = ConnectionSupervisor.Configuration(market: .spot)
        configuration.terms.lifeMs = 600_000
        configuration.renewalMarginMs = 60_000
        configuration.renewalJitterMs = 60_000
        run.supervisor = ConnectionSupervisor(
            streams: (0..<1024).map { "s\($0)@depth" }, configuration: configuration)
        run.perform(run.supervisor.start(nowMs: run.nowMs))
        var servedMs: Int64 = 0
        let begin = run.nowMs
        while run.nowMs < begin + 86_400_000 {
            for id in run.open.sorted() where !run.up.contains(id) {
                if let request = run.awaited.removeValue(forKey: id) {
                    run.perform(
                        run.supervisor.replied(
                            id, to: .integer(request.id), .accepted(.done), nowMs: run.nowMs))
                } else {
                    run.perform(run.supervisor.opened(id, nowMs: run.nowMs))
                }
            }
            let next = min(run.supervisor.wakeAtMs ?? .max, run.nowMs + 1000)
            if !run.up.isEmpty { servedMs += next - run.nowMs }
            run.nowMs = next
            run.perform(run.supervisor.timePassed(nowMs: run.nowMs))
        }
        #expect(run.broken.isEmpty, "\(run.broken.first ?? "")")
        #expect(run.wasOpened.count > 150)
        #expect(86_400_000 - servedMs < 10_000, "not served for \(86_400_000 - servedMs) ms")
    }
}
