// Which snapshot to request next, and when: thousands of symbols share one request weight budget per IP.
//
// Pure: time comes in, decisions come out. The owner calls `next` until it says wait, sends what it is told
// to send, and reports every answer. Whatever the order of these calls, the budget of a clock minute is kept,
// and nothing is sent while the venue has told us to stay away.
//
// One entry per symbol, so the queue is bounded by the subscribed symbols and by `queueMax`. Ranks change
// while entries wait, so it is unordered and searched linearly once per call of `next` (see `SnapshotQueue`).
//
// Invariants
// * Weight charged to a clock minute never exceeds `weightPerMinute - weightHeadroom`; urgent requests find
//   at least `urgentReserve` of it, whatever deepening and audits spend.
// * Nothing is sent before the end of a pause; after a refusal, one request at a time until the venue has
//   served one.
// * At most `inFlightMax` requests are in flight, plus `lateMax` that are late while requests sent after them
//   were served; `carefulInFlightMax` until the venue has served one. At most one per symbol, cancelled ones
//   included; and, by weight, only as many as fit the headroom (or one): the venue's last count may not
//   include weight in flight.
// * Among those that are due, the most urgent goes first, then the better rank, then the oldest; if it does
//   not fit the budget, nothing overtakes it.
// * A request is sent `snapshotLagMs` after it was announced, or later, unless it checks a silence; at most
//   `announcedMax` of a priority are announced and not yet sent.
// * A request is forgotten after success, permanent failure or cancellation; otherwise it is retried.
//   Cancelling and requesting again does not shorten its backoff.
//
// Worst case: requests of low priority or rank starve while more urgent ones keep arriving.

/// Plans the depth snapshots of all symbols that share one weight budget.
///
/// States of one entry:
/// ```
/// state       input                                          next state  outcome
/// none        request                                        queued      queued
/// queued      request: more urgent, or as urgent and deeper  queued      merged, with its priority and limit
///             request: other                                 –           merged; the better rank counts
///             rank                                           –           with this rank
///             next: its turn, time and room                  –           announce, once for each request
///             next: the same, a lag later                    in flight   send
///             cancel                                         none
/// in flight   request                                        –           under way; counts if asked again
///             answer 2xx                                     none        deliver
///             answer 429, 418                                queued      retry, when the pause is over
///             answer 403                                     queued      retry, some time after the pause
///             no answer, 5xx, 408                            queued      retry, when its backoff is over
///             answer -1121                                   none        failed, unknown symbol
///             answer, any other                              none        failed, refused
///             cancel                                         abandoned
/// abandoned   request                                        –           queued until this one has ended
///             any answer, or none in time                    none        drop
/// ```
public struct SnapshotPlanner: Sendable {
    /// A request to send now.
    public struct Request: Hashable, Sendable {
        /// Identifies this request in `answered`; increasing.
        public var ticket: UInt64
        /// Symbol and market.
        public var key: SnapshotKey
        /// Depth and weight.
        public var limit: SnapshotLimit
        /// Whether it was announced before.
        public var isAnnounced = false
    }

    /// What to do now.
    public enum Step: Hashable, Sendable {
        /// Send this, then call `next` again.
        case send(Request)
        /// This will be sent in a moment: what comes from now on must be kept for it. Then ask again.
        case announce(SnapshotKey, SnapshotLimit)
        /// Nothing before this time, unless an answer or a request comes first.
        case wait(untilMs: Int64)
        /// Nothing is requested and nothing is in flight.
        case idle
    }

    /// The venue's answer.
    public struct Answer: Hashable, Sendable {
        /// HTTP status; 0 if none came (connection failed or timed out).
        public var status: Int
        /// `code` of an error body.
        public var code: Int?
        /// `Retry-After`, in seconds.
        public var retryAfterSeconds: Int?
        /// `X-MBX-USED-WEIGHT-1M`.
        public var usedWeight: Int?

        /// An answer with this status and these headers.
        public init(status: Int, code: Int? = nil, retryAfterSeconds: Int? = nil, usedWeight: Int? = nil) {
            self.status = status
            self.code = code
            self.retryAfterSeconds = retryAfterSeconds
            self.usedWeight = usedWeight
        }
    }

    /// Outcome of an answered request.
    public enum Outcome: Hashable, Sendable {
        /// Success: pass the body on.
        case deliver(SnapshotKey)
        /// It will be retried, not before this time.
        case retry(SnapshotKey, notBeforeMs: Int64)
        /// It will not be retried.
        case failed(SnapshotKey, Failure)
        /// It was cancelled.
        case drop
    }

    /// Why a retry is useless.
    public enum Failure: Hashable, Sendable {
        /// The market has no such symbol.
        case unknownSymbol
        /// The venue refused the request itself.
        case refused(status: Int, code: Int?)
    }

    /// Result of `request`.
    public enum Acceptance: Hashable, Sendable {
        /// It is a new entry.
        case queued
        /// The symbol already had an entry; the more urgent of the two requests counts.
        case merged
        /// A request for the symbol is in flight, and its answer will serve this one too.
        case underWay
        /// The queue is full; nothing changed.
        case full
    }

    /// A request in flight.
    struct Flight: Sendable {
        var request: Request
        var entry: SnapshotQueue.Entry
        var sentAtMs: Int64
        var isAbandoned = false
    }

    /// Limits and times; weights are scaled to what the venue states.
    public var configuration: Configuration { budget.limits }
    /// The budget being planned.
    public var pool: WeightPool { budget.pool }
    var budget: RequestBudget
    var queue = SnapshotQueue()
    var flights: [Flight] = []
    /// Entries of this batch that were delivered, and that failed for good.
    private(set) var batch = (delivered: 0, failed: 0)
    private var nextOrder: UInt64 = 0

    /// A planner for this pool with nothing to do.
    public init(pool: WeightPool, configuration: Configuration? = nil) {
        let configuration = configuration ?? Configuration(pool: pool)
        configuration.check(pool: pool)
        budget = RequestBudget(pool: pool, configuration)
    }

    /// Requests a snapshot of a symbol.
    ///
    /// - Parameters:
    ///   - key: the symbol and its market.
    ///   - priority: its purpose.
    ///   - limit: levels per side to request, and their cost.
    ///   - attempt: consecutive failed snapshots of this symbol so far; the request waits accordingly.
    ///   - rank: its place among those of equal priority.
    ///   - nowMs: the time.
    public mutating func request(
        _ key: SnapshotKey, _ priority: SnapshotPriority, _ limit: SnapshotLimit, attempt: Int = 0,
        rank: SnapshotRank = SnapshotRank(), nowMs: Int64
    ) -> Acceptance {
        _ = advance(nowMs)
        var entry = SnapshotQueue.Entry(
            key: key, priority: priority, limit: limit, rank: rank, order: nextOrder, notBeforeMs: nowMs)
        if let index = flights.firstIndex(where: { $0.request.key == key }) {
            if !flights[index].isAbandoned {
                flights[index].entry.merge(priority, limit, rank)
                return .underWay
            }
            // Its answer predates whatever has happened since it was sent.
            entry.isBehindFlight = true
        }
        if queue.merge(key, priority, limit, rank) { return .merged }
        if queue.count >= configuration.queueMax { return .full }
        if pendingCount == 0 { batch = (0, 0) }
        if attempt > 0 { entry.notBeforeMs = nowMs + budget.backoffMs(attempt: attempt) }
        queue.put(entry)
        nextOrder += 1
        return .queued
    }

    /// Updates the rank of a symbol; no effect unless a snapshot of it is requested.
    public mutating func rank(_ key: SnapshotKey, _ rank: SnapshotRank) {
        queue.rank(key, rank)
        for index in flights.indices where flights[index].request.key == key {
            flights[index].entry.rank = rank
        }
    }

    /// Cancels a symbol's request. An answer in flight will be dropped even if the symbol is requested again
    /// first.
    public mutating func cancel(_ key: SnapshotKey) {
        queue.forget(key, nowMs: budget.presentMs, most: configuration.queueMax)
        for index in flights.indices where flights[index].request.key == key {
            flights[index].isAbandoned = true
        }
    }

    /// The next step. Requests not answered in time are taken back first.
    public mutating func next(nowMs: Int64) -> Step {
        let now = advance(nowMs)
        while let late = flights.firstIndex(where: { $0.sentAtMs + configuration.answerTimeoutMs <= nowMs }) {
            _ = settle(flights.remove(at: late), Answer(status: 0), now)
        }
        switch decide(nowMs: now, presentMs: nowMs) {
        case .idle: return .idle
        case .wait(let untilMs, _): return .wait(untilMs: untilMs)
        case .announce(let entry):
            queue.announced(entry.key, notBeforeMs: nowMs + configuration.snapshotLagMs)
            return .announce(entry.key, entry.limit)
        case .send(let entry):
            queue.take(entry.key)
            let ticket = budget.spend(
                entry.limit.weight, isUrgent: entry.priority.isUrgent, nowMs: now)
            let request = Request(
                ticket: ticket, key: entry.key, limit: entry.limit, isAnnounced: entry.isAnnounced)
            flights.append(Flight(request: request, entry: entry, sentAtMs: nowMs))
            return .send(request)
        }
    }

    /// Reports the answer to a request, or its absence. An answer that arrives too late is dropped, but a
    /// refusal in it counts.
    public mutating func answered(_ ticket: UInt64, _ answer: Answer, nowMs: Int64) -> Outcome {
        let now = advance(nowMs)
        guard let index = flights.firstIndex(where: { $0.request.ticket == ticket }) else {
            if case .refusal = answer.meaning { _ = budget.answered(ticket, answer, nowMs: now) }
            return .drop
        }
        let flight = flights.remove(at: index)
        if answer.status != 0 { budget.tookMs(max(nowMs - flight.sentAtMs, 0)) }
        return settle(flight, answer, now)
    }

    /// Entries that will still produce an outcome.
    var pendingCount: Int { queue.count + flights.count { !$0.isAbandoned } }

    private mutating func settle(_ flight: Flight, _ answer: Answer, _ now: Int64) -> Outcome {
        let key = flight.request.key
        var entry = flight.entry
        entry.isAnnounced = false
        queue.flightEnded(key)
        let meaning = budget.answered(
            flight.request.ticket, answer, hasFailed: entry.failures > 0, nowMs: now)
        let pausedUntilMs = budget.pause.untilMs
        switch meaning {
        case .success:
            if flight.isAbandoned { return .drop }
            batch.delivered += 1
            return .deliver(key)
        case .permanent(let failure):
            if flight.isAbandoned { return .drop }
            batch.failed += 1
            return .failed(key, failure)
        case .refusal(.blocked):
            entry.failures += 1
            let alsoMs = Backoff.doubled(
                configuration.blockedWaitMs, times: entry.failures, max: configuration.blockedWaitMaxMs)
            entry.notBeforeMs = max(pausedUntilMs, budget.presentMs + alsoMs)
        case .refusal:
            entry.notBeforeMs = pausedUntilMs
        case .transient:
            entry.failures += 1
            entry.notBeforeMs = budget.presentMs + budget.backoffMs(attempt: entry.failures)
        }
        if flight.isAbandoned {
            queue.remember(entry, nowMs: budget.presentMs, most: configuration.queueMax)
            return .drop
        }
        queue.put(entry)
        return .retry(key, notBeforeMs: max(entry.notBeforeMs, pausedUntilMs))
    }

    /// Time never runs backwards here, whatever the clock does.
    mutating func advance(_ nowMs: Int64) -> Int64 { budget.advance(nowMs) }
}
