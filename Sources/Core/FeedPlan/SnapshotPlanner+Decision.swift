// The planner's decision, made once and used both to act and to display the plan.

extension SnapshotPlanner {
    /// What keeps the planner from sending.
    public enum Obstacle: UInt8, Sendable, BitwiseCopyable {
        /// The venue answered 429.
        case limited
        /// The venue answered 418.
        case banned
        /// The venue's firewall answered 403.
        case blocked
        /// The venue does not answer, or only with errors.
        case outage
        /// This minute's weight is spent.
        case budget
        /// Enough requests are in flight, or all there are.
        case answers
        /// All requests wait after a failure.
        case backoff
    }

    /// The plan at one moment.
    public struct Plan: Hashable, Sendable {
        /// Waiting entries, by `SnapshotPriority`.
        public var queued: [Int]
        /// Requests sent and not yet answered.
        public var inFlight: Int
        /// Weight spent in this clock minute, by our count or the venue's, whichever is larger.
        public var weightSpent: Int
        /// Weight we allow ourselves per minute.
        public var weightMax: Int
        /// What the planner is waiting for; nil if something can be sent now, or if there is nothing to do.
        public var obstacle: Obstacle?
        /// Earliest time of the next request; nil without an obstacle.
        public var waitingUntilMs: Int64?
        /// Delivered entries of this batch. A batch begins with the first request after an idle time.
        public var delivered: Int
        /// Entries of this batch that failed for good.
        public var failed: Int
        /// All entries of this batch so far.
        public var total: Int
        /// When the last entry should be delivered if all goes well; nil if there is none.
        public var etaMs: Int64?
        /// Requests sent since the start.
        public var sentCount: Int
        /// Answers 429, 418 and 403 since the start.
        public var refusalCount: Int
        /// Requests since the start with no answer or a retryable error.
        public var transientFailureCount: Int
    }

    enum Decision {
        case send(SnapshotQueue.Entry)
        case announce(SnapshotQueue.Entry)
        case wait(untilMs: Int64, Obstacle)
        case idle
    }

    /// The next step; the ledger's time must be `nowMs`. After the clock was set back, its reading
    /// `presentMs` is earlier for a while: durations go on.
    func decide(nowMs: Int64, presentMs: Int64) -> Decision {
        var wakeMs = Int64.max
        for flight in flights { wakeMs = min(wakeMs, flight.sentAtMs + configuration.answerTimeoutMs) }
        if queue.isEmpty { return flights.isEmpty ? .idle : .wait(untilMs: wakeMs, .answers) }
        switch budget.gate(nowMs: nowMs) {
        case .paused(let untilMs): return .wait(untilMs: min(wakeMs, untilMs), budget.pause.obstacle)
        case .crowded(let crowdedMs): return .wait(untilMs: min(wakeMs, crowdedMs), .answers)
        case .open: break
        }
        let search = queue.first(nowMs: presentMs)
        guard var first = search.entry else {
            return .wait(
                untilMs: min(wakeMs, search.wakeMs), search.wakeMs == .max ? .answers : .backoff)
        }
        wakeMs = min(wakeMs, search.wakeMs)
        if isToBeAnnounced(first) && queue.announcedCount(first.priority) >= configuration.announcedMax {
            guard let ready = queue.first(nowMs: presentMs, isAnnounced: true).entry else {
                return .wait(untilMs: wakeMs, .answers)
            }
            first = ready
        }
        let weightInFlight = flights.reduce(first.limit.weight) { $0 + $1.request.limit.weight }
        if !flights.isEmpty && weightInFlight > configuration.weightHeadroom {
            return .wait(untilMs: wakeMs, .answers)
        }
        let roomMs = budget.roomMs(
            for: first.limit.weight, isUrgent: first.priority.isUrgent, nowMs: nowMs)
        if roomMs > nowMs { return .wait(untilMs: min(wakeMs, roomMs), .budget) }
        return isToBeAnnounced(first) ? .announce(first) : .send(first)
    }

    private func isToBeAnnounced(_ entry: SnapshotQueue.Entry) -> Bool {
        !entry.isAnnounced && entry.priority.awaitsUpdates && configuration.snapshotLagMs > 0
    }

    /// The current plan. O(entries × log entries); for display, not for the hot path.
    public func plan(nowMs: Int64) -> Plan {
        var ledger = budget.ledger
        ledger.advance(nowMs: nowMs)
        var queued = [Int](repeating: 0, count: SnapshotPriority.allCases.count)
        for entry in queue.entries { queued[entry.priority.rawValue] += 1 }
        var plan = Plan(
            queued: queued, inFlight: flights.count, weightSpent: ledger.spent(nowMs: nowMs),
            weightMax: configuration.weightUsable, delivered: batch.delivered, failed: batch.failed,
            total: batch.delivered + batch.failed + pendingCount, etaMs: etaMs(nowMs: nowMs),
            sentCount: budget.sentCount, refusalCount: budget.refusalCount,
            transientFailureCount: budget.transientFailureCount)
        switch decide(nowMs: nowMs, presentMs: nowMs) {
        case .send, .announce, .idle: break
        case .wait(let untilMs, let obstacle):
            plan.obstacle = obstacle
            plan.waitingUntilMs = untilMs
        }
        return plan
    }

    /// Plays the queue through: budget, pause and backoff as they stand, answers after the usual time.
    private func etaMs(nowMs: Int64) -> Int64? {
        if pendingCount == 0 { return nil }
        var ledger = budget.ledger
        let latencyMs = budget.latencyMs
        var timeMs = max(nowMs, budget.pause.untilMs)
        // While probing, the second request waits for the first answer.
        if budget.pause.isProbing && !queue.isEmpty { timeMs += latencyMs }
        var lastMs = flights.map { max(nowMs, $0.sentAtMs + latencyMs) }.max() ?? nowMs
        for entry in queue.entries.sorted(by: { $0.goesBefore($1) }) {
            timeMs = max(timeMs, entry.notBeforeMs)
            ledger.advance(nowMs: timeMs)
            timeMs = ledger.roomMs(
                for: entry.limit.weight, within: configuration.weightUsable,
                keeping: entry.priority.isUrgent ? 0 : configuration.urgentReserve, nowMs: timeMs)
            ledger.advance(nowMs: timeMs)
            ledger.spend(entry.limit.weight, isUrgent: entry.priority.isUrgent, nowMs: timeMs)
            lastMs = max(lastMs, timeMs + latencyMs)
            let abreast = min(configuration.inFlightMax, configuration.weightHeadroom / entry.limit.weight)
            timeMs += latencyMs / Int64(max(abreast, 1))
        }
        return lastMs
    }

}

extension RequestPause {
    var obstacle: SnapshotPlanner.Obstacle {
        switch reason {
        case .limited: .limited
        case .banned: .banned
        case .blocked: .blocked
        case .outage: .outage
        }
    }
}

extension SnapshotPlanner.Answer {
    /// Whether and when an answer calls for a retry.
    enum Meaning {
        case success
        case refusal(RequestPause.Reason)
        case transient
        case permanent(SnapshotPlanner.Failure)
    }

    var meaning: Meaning {
        switch (status, code) {
        case (200...299, _): .success
        case (418, _): .refusal(.banned)
        case (429, _), (_, -1003): .refusal(.limited)
        // 403 is the venue's firewall, which reacts to rate or content.
        case (403, _): .refusal(.blocked)
        // -1000 … -1008 are the venue's own failures.
        case (0, _), (408, _), (500..., _), (_, -1000), (_, -1001), (_, -1007), (_, -1008):
            .transient
        case (_, -1121): .permanent(.unknownSymbol)
        case (_, _): .permanent(.refused(status: status, code: code))
        }
    }
}
