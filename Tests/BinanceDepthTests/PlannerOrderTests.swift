// Whose turn it is among equals, and what becomes of a request that is cancelled and had anew.

import BinanceVenue
import FeedPlan
import MarketData
import Testing

struct PlannerOrderTests {
    typealias Planner = SnapshotPlanner
    typealias Answer = SnapshotPlanner.Answer

    static let start = PlannerTests.start

    static func rank(_ levels: Int, _ updates: Int = 0) -> SnapshotRank {
        SnapshotRank(provenLevelCount: levels, updatesPerMinute: updates)
    }

    /// Keys in the order in which they are asked for, wanted with these ranks in this order.
    static func order(_ priority: SnapshotPriority, _ ranks: [SnapshotRank]) -> [Int] {
        var planner = PlannerTests.served()
        let keys = plannerKeys(ranks.count)
        for (key, rank) in zip(keys, ranks) {
            _ = planner.request(key, priority, levelCount: 100, rank: rank, nowMs: start)
        }
        return PlannerTests.sendAll(&planner, start).map { keys.firstIndex(of: $0.key)! }
    }

    @Test(arguments: [.initial, .resync, .shallow, .check, .deepen] as [SnapshotPriority])
    func fewestLevelsFirstThenMostTrafficThenOldest(_ priority: SnapshotPriority) {
        let ranks = [
            Self.rank(100, 10), Self.rank(.max, 1000), Self.rank(3, 1), Self.rank(100, 600), Self.rank(3, 1),
            Self.rank(0),
        ]
        #expect(Self.order(priority, ranks) == [5, 2, 4, 3, 0, 1])
    }

    /// Who was proven least often first, and of these who came first.
    @Test func auditsRotate() {
        #expect(
            Self.order(.audit, [Self.rank(2), Self.rank(1), Self.rank(2), Self.rank(1)]) == [1, 3, 0, 2])
    }

    @Test func anyRankOfAMoreUrgentRequestIsBetter() {
        var planner = PlannerTests.served()
        let keys = plannerKeys(2)
        _ = planner.request(keys[0], .deepen, levelCount: 100, rank: Self.rank(0, 999), nowMs: Self.start)
        _ = planner.request(keys[1], .shallow, levelCount: 100, nowMs: Self.start)
        #expect(PlannerTests.sendAll(&planner, Self.start).map(\.key) == [keys[1], keys[0]])
    }

    @Test func mergingTakesTheBetterRank() {
        var planner = PlannerTests.served()
        let keys = plannerKeys(2)
        _ = planner.request(keys[0], .deepen, levelCount: 100, rank: Self.rank(50), nowMs: Self.start)
        _ = planner.request(keys[1], .deepen, levelCount: 100, rank: Self.rank(70), nowMs: Self.start)
        let again = [Self.rank(20), Self.rank(90)].map {
            planner.request(keys[1], .deepen, levelCount: 100, rank: $0, nowMs: Self.start)
        }
        #expect(again == [.merged, .merged])
        #expect(PlannerTests.sendAll(&planner, Self.start).map(\.key) == [keys[1], keys[0]])
    }

    /// What is told later is what counts, in flight too, and makes no request of its own.
    @Test func ranksChangeWhileRequestsWait() {
        var planner = PlannerTests.served { $0.inFlightMax = 1 }
        let keys = plannerKeys(4)
        for key in keys[..<3] {
            _ = planner.request(key, .deepen, levelCount: 100, rank: Self.rank(100), nowMs: Self.start)
        }
        planner.rank(keys[2], Self.rank(5))
        planner.rank(keys[0], Self.rank(300))
        planner.rank(keys[3], Self.rank(0))
        let first = PlannerTests.send(&planner, Self.start)!
        #expect(first.key == keys[2])
        planner.rank(keys[2], Self.rank(200))
        _ = planner.answered(first.ticket, Answer(status: 500), nowMs: Self.start)
        var rest: [SnapshotKey] = []
        for _ in 0..<3 {
            guard let request = PlannerTests.send(&planner, Self.start + 2000) else { break }
            rest.append(request.key)
            _ = planner.answered(request.ticket, PlannerTests.ok, nowMs: Self.start + 2000)
        }
        #expect(rest == [keys[1], keys[2], keys[0]])
        #expect(planner.next(nowMs: Self.start + 2000) == .idle)
    }

    // MARK: - Snapshots are behind the streams

    private static let later = start + 1000

    /// A planner that was served once, and announces.
    private static func announcing(_ change: (inout SnapshotPlanner.Configuration) -> Void = { _ in })
        -> SnapshotPlanner
    {
        var planner = PlannerTests.served {
            $0.snapshotLagMs = 300
            change(&$0)
        }
        let first = PlannerTests.send(&planner, start + 300)!
        _ = planner.answered(first.ticket, PlannerTests.ok, nowMs: start + 300)
        return planner
    }

    /// What is requested is announced before it is sent, so that its answer is not older than what is kept
    /// for it: once for each request that is made, and again for one that failed.
    @Test(arguments: SnapshotPriority.allCases) func aRequestIsAnnounced(_ priority: SnapshotPriority) {
        var planner = Self.announcing()
        let key = plannerKeys(1)[0]
        _ = planner.request(key, priority, levelCount: 100, nowMs: Self.later)
        if priority == .check {
            #expect(PlannerTests.send(&planner, Self.later)?.isAnnounced == false)
            return
        }
        let limit = key.market.snapshotLimit(atLeast: 100)
        #expect(planner.next(nowMs: Self.later) == .announce(key, limit))
        #expect(planner.next(nowMs: Self.later) == .wait(untilMs: Self.later + 300))
        // It may have begun just now.
        _ = planner.request(key, priority, levelCount: 100, nowMs: Self.later + 200)
        #expect(planner.next(nowMs: Self.later + 300) == .announce(key, limit))
        let request = PlannerTests.send(&planner, Self.later + 600)!
        #expect(request.key == key && request.isAnnounced)
        _ = planner.answered(request.ticket, Answer(status: 503), nowMs: Self.later + 700)
        #expect(planner.next(nowMs: Self.later + 5000) == .announce(key, limit))
    }

    /// What is kept for requests that are announced is bounded; the most urgent are announced first.
    @Test func fewAreAnnouncedAtOnce() {
        var planner = Self.announcing { ($0.announcedMax, $0.inFlightMax) = (3, 20) }
        for key in plannerKeys(10) {
            _ = planner.request(key, .initial, levelCount: 100, nowMs: Self.later)
        }
        func announced(_ nowMs: Int64) -> Int {
            var count = 0
            while true {
                switch planner.next(nowMs: nowMs) {
                case .announce: count += 1
                case .send: continue
                case .wait, .idle: return count
                }
            }
        }
        #expect(announced(Self.later) == 3)
        #expect(announced(Self.later + 299) == 0)
        #expect(announced(Self.later + 300) == 3)
        #expect(planner.plan(nowMs: Self.later + 300).inFlight == 3)
    }

    /// Those that are announced and for which there is no weight hold up nothing more urgent.
    @Test func theUrgentAreAnnouncedBesideOthers() {
        var planner = Self.announcing { ($0.announcedMax, $0.urgentReserve) = (1, 5000) }
        let keys = plannerKeys(3)
        _ = planner.request(keys[0], .audit, levelCount: 100, nowMs: Self.later)
        guard case .announce = planner.next(nowMs: Self.later) else { Issue.record("sent"); return }
        _ = planner.request(keys[1], .audit, levelCount: 100, nowMs: Self.later)
        #expect(planner.next(nowMs: Self.later) == .wait(untilMs: Self.later + 300))
        _ = planner.request(keys[2], .resync, levelCount: 100, nowMs: Self.later)
        guard case .announce(let key, _) = planner.next(nowMs: Self.later) else {
            Issue.record("sent"); return
        }
        #expect(key == keys[2])
        #expect(PlannerTests.sendAll(&planner, Self.later + 300).map(\.key) == [keys[2], keys[0]])
    }

    // MARK: - Cancelled and wanted again

    /// What was cancelled may come after something was missed: its answer is never taken for the new request,
    /// however deep it is, and two of a symbol are never in flight at once.
    @Test(
        arguments: [
            (.resync, 100, .initial, 100), (.audit, 1000, .resync, 100), (.initial, 100, .deepen, 1000),
        ] as [(SnapshotPriority, Int, SnapshotPriority, Int)])
    func anAnswerFromBeforeACancelIsDropped(
        _ old: SnapshotPriority, _ oldLevels: Int, _ new: SnapshotPriority, _ newLevels: Int
    ) {
        var planner = PlannerTests.served()
        let key = plannerKeys(1)[0]
        _ = planner.request(key, old, levelCount: oldLevels, nowMs: Self.start)
        let first = PlannerTests.send(&planner, Self.start)!
        planner.cancel(key)
        #expect(planner.plan(nowMs: Self.start).total == 0)
        #expect(planner.request(key, new, levelCount: newLevels, nowMs: Self.start) == .queued)
        #expect(planner.request(key, new, levelCount: 100, nowMs: Self.start) == .merged)
        #expect(planner.next(nowMs: Self.start) == .wait(untilMs: Self.start + 15_000))
        #expect(planner.plan(nowMs: Self.start).obstacle == .answers)
        #expect(planner.plan(nowMs: Self.start).total == 1)
        #expect(planner.answered(first.ticket, PlannerTests.ok, nowMs: Self.start + 100) == .drop)
        let second = PlannerTests.send(&planner, Self.start + 100)!
        #expect(second.key == key && second.limit.levelCount == newLevels && second.ticket > first.ticket)
        #expect(planner.answered(first.ticket, PlannerTests.ok, nowMs: Self.start + 200) == .drop)
        #expect(planner.answered(second.ticket, PlannerTests.ok, nowMs: Self.start + 200) == .deliver(key))
    }

    /// Cancelled and wanted anew, it waits as long as if it had failed itself.
    @Test func cancelledAndFailed() {
        var planner = PlannerTests.served()
        let key = plannerKeys(1)[0]
        _ = planner.request(key, .audit, levelCount: 1000, nowMs: Self.start)
        let first = PlannerTests.send(&planner, Self.start)!
        planner.cancel(key)
        _ = planner.request(key, .resync, levelCount: 100, nowMs: Self.start)
        _ = planner.answered(first.ticket, Answer(status: 503), nowMs: Self.start)
        #expect(planner.plan(nowMs: Self.start).queued == [0, 1, 0, 0, 0, 0])
        #expect(PlannerTests.send(&planner, Self.start) == nil)
        #expect(PlannerTests.send(&planner, Self.start + 1000)?.limit.levelCount == 100)
    }

    /// Cancelling is no way around a backoff, neither in the queue nor in flight.
    @Test(arguments: [0, 500, 403, 408], [true, false])
    func failuresAreRememberedOverACancel(_ status: Int, _ isCancelledInFlight: Bool) {
        var planner = PlannerTests.served()
        let key = plannerKeys(1)[0]
        var nowMs = Self.start
        var pausesMs: [Int64] = []
        for _ in 0..<6 {
            _ = planner.request(key, .initial, levelCount: 100, nowMs: nowMs)
            let askedMs = nowMs
            var request = PlannerTests.send(&planner, nowMs)
            while request == nil {
                guard case .wait(let untilMs) = planner.next(nowMs: nowMs) else { break }
                nowMs = untilMs
                request = PlannerTests.send(&planner, nowMs)
            }
            pausesMs.append(nowMs - askedMs)
            guard let request else { return #expect(Bool(false), "nothing to send") }
            if isCancelledInFlight { planner.cancel(key) }
            _ = planner.answered(request.ticket, Answer(status: status), nowMs: nowMs)
            planner.cancel(key)
        }
        #expect(pausesMs[0] == 0)
        for (index, pauseMs) in pausesMs.dropFirst().enumerated() {
            #expect(pauseMs >= 250 << index, "\(pausesMs)")
        }
        // A success ends it.
        _ = planner.request(key, .initial, levelCount: 100, nowMs: nowMs)
        while PlannerTests.send(&planner, nowMs).map({
            planner.answered($0.ticket, PlannerTests.ok, nowMs: nowMs)
        }) == nil {
            nowMs += 1000
        }
        _ = planner.request(key, .initial, levelCount: 100, nowMs: nowMs)
        #expect(PlannerTests.send(&planner, nowMs) != nil)
    }

    #if !DEBUG
        /// The largest queue, every entry another rank: one decision.
        @Test func fourThousandEntries() {
            var planner = PlannerTests.served()
            for (index, key) in plannerKeys(4000).enumerated() {
                let rank = Self.rank((index &* 7919) % 1000, index)
                _ = planner.request(key, .deepen, levelCount: 100, rank: rank, nowMs: Self.start)
            }
            let clock = ContinuousClock()
            var best = Duration.seconds(1)
            for _ in 0..<100 {
                let begin = clock.now
                let request = PlannerTests.send(&planner, Self.start)
                best = min(best, clock.now - begin)
                _ = request.map { planner.answered($0.ticket, PlannerTests.ok, nowMs: Self.start) }
            }
            print("one of 4,000 entries: \(best)")
            #expect(best < .microseconds(100))
        }
    #endif
}
