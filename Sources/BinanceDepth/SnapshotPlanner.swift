// Which snapshot to ask for next, and when: one budget of request weight per IP, hundreds of symbols that
// want some.
//
// Pure: time comes in, decisions come out. The owner asks `next` until it says wait, sends what it is told
// to send, and reports every answer. Whatever the order of these calls, the budget of a clock minute is
// kept and nothing is sent while the venue has told us to stay away.
//
// One entry per symbol, so the queue is bounded by the symbols subscribed and by `queueMax`. It is a
// dictionary that is searched for its most urgent entry, O(entries) per request sent: at a few hundred
// requests a minute an ordered queue would save nothing and cost the code that keeps it right.
//
// Invariants
// * Weight charged to a clock minute never exceeds `weightPerMinute - weightHeadroom`; deepening and
//   auditing never touch the last `urgentReserve` of that.
// * Nothing is sent before the end of a pause; after one, one request at a time until the venue has served
//   one.
// * At most `inFlightMax` requests are in flight, at most one per symbol, cancelled ones included; and only
//   so many that their weight fits the headroom, or one: weight of ours that the venue's last count may
//   not hold yet.
// * Among those whose time has come, the most urgent goes first and the oldest of these; if it does not fit
//   the budget, nothing overtakes it.
// * A request is forgotten after success, after a permanent failure, or when cancelled; otherwise it is
//   asked again.
//
// Worst case: a symbol in the queue of an unserved priority waits as long as more urgent ones keep coming.

import MarketData

/// A symbol of one market.
public struct SnapshotKey: Hashable, Sendable {
    /// Its market.
    public var market: Market
    /// Its name.
    public var symbol: SymbolName

    /// The key of this symbol.
    public init(market: Market, symbol: SymbolName) {
        self.market = market
        self.symbol = symbol
    }
}

/// What a snapshot is for, most urgent first.
public enum SnapshotPriority: Int, CaseIterable, Comparable, Sendable {
    /// The first book of a symbol.
    case initial
    /// The book was lost, or must prove itself before it is believed again.
    case resync
    /// A good book whose best price of a side is not known any more.
    case shallow
    /// A silent stream: is it merely quiet?
    case check
    /// More levels for a good book.
    case deepen
    /// Proof of a good book.
    case audit

    /// More urgent first.
    public static func < (a: SnapshotPriority, b: SnapshotPriority) -> Bool { a.rawValue < b.rawValue }

    /// Whether somebody waits for a book.
    var isUrgent: Bool {
        switch self {
        case .initial, .resync, .shallow, .check: true
        case .deepen, .audit: false
        }
    }
}

/// Which of two snapshots of equal priority is wanted more.
public struct SnapshotRank: Hashable, Comparable, Sendable {
    /// Proven levels left on the worse side; `.max` where the side is known whole.
    public var provenLevelCount: Int
    /// Depth updates a minute.
    public var updatesPerMinute: Int

    /// A rank; by default the last.
    public init(provenLevelCount: Int = .max, updatesPerMinute: Int = 0) {
        self.provenLevelCount = provenLevelCount
        self.updatesPerMinute = updatesPerMinute
    }

    /// Fewer levels first, then more traffic.
    public static func < (a: SnapshotRank, b: SnapshotRank) -> Bool {
        (a.provenLevelCount, b.updatesPerMinute) < (b.provenLevelCount, a.updatesPerMinute)
    }
}

/// Plans the depth snapshots of all symbols that share one weight budget.
///
/// The life of one entry:
/// ```
/// state       input                                          next state  outcome
/// none        request                                        queued      queued
/// queued      request: more urgent, or as urgent and deeper  queued      merged, with its priority and limit
///             request: other                                 –           merged
///             next: its turn, time and room                  in flight   send
///             cancel                                         none
/// in flight   request                                        –           merged; counts if it is asked again
///             answer 2xx                                     none        deliver
///             answer 429, 418                                queued      retry, when the pause is over
///             no answer, 5xx, 403, 408                       queued      retry, when its backoff is over
///             answer -1121                                   none        failed, unknown symbol
///             answer, any other                              none        failed, refused
///             cancel                                         abandoned
/// abandoned   request                                        –           queued, and waits for the end of
/// this
///             any answer, or none in time                    none        drop
/// ```
public struct SnapshotPlanner: Sendable {
    /// A request to send now.
    public struct Request: Hashable, Sendable {
        /// Names this request in `answered`; increasing.
        public var ticket: UInt64
        /// Whose snapshot.
        public var key: SnapshotKey
        /// How deep, and at what weight.
        public var limit: SnapshotLimit
    }

    /// What to do now.
    public enum Step: Hashable, Sendable {
        /// Send this, then ask again.
        case send(Request)
        /// Nothing before this time, unless an answer or a request comes in.
        case wait(untilMs: Int64)
        /// Nothing is wanted and nothing is in flight.
        case idle
    }

    /// What the venue answered.
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

    /// What becomes of an answered request.
    public enum Outcome: Hashable, Sendable {
        /// Success: hand the body on.
        case deliver(SnapshotKey)
        /// It will be asked again, not before this time.
        case retry(SnapshotKey, notBeforeMs: Int64)
        /// It will not be asked again.
        case failed(SnapshotKey, Failure)
        /// Nobody waits for it any more.
        case drop
    }

    /// Why asking again is useless.
    public enum Failure: Hashable, Sendable {
        /// The market has no such symbol.
        case unknownSymbol
        /// The venue refused the request itself.
        case refused(status: Int, code: Int?)
    }

    /// What became of a wish.
    public enum Acceptance: Hashable, Sendable {
        /// It is a new entry.
        case queued
        /// The symbol had an entry; the more urgent wish of the two counts.
        case merged
        /// The queue is full; nothing changed.
        case full
    }

    /// A wish that waits.
    struct Entry: Sendable {
        var priority: SnapshotPriority
        var limit: SnapshotLimit
        /// Order of arrival; kept over retries.
        var order: UInt64
        var notBeforeMs: Int64
        var failures = 0

        /// The more urgent wish counts; of two as urgent, the deeper.
        mutating func merge(_ priority: SnapshotPriority, _ limit: SnapshotLimit) {
            if priority < self.priority || (priority == self.priority && limit.weight > self.limit.weight) {
                (self.priority, self.limit) = (priority, limit)
            }
        }
    }

    /// A request that was sent.
    struct Flight: Sendable {
        var request: Request
        var entry: Entry
        var sentAtMs: Int64
        var isAbandoned = false
    }

    /// Limits and times.
    public let configuration: Configuration
    /// The budget that is planned.
    public let pool: WeightPool
    var queue: [SnapshotKey: Entry] = [:]
    var flights: [Flight] = []
    /// Tickets of requests in flight that are no snapshots, and when they were sent.
    var others: [UInt64: Int64] = [:]
    var ledger: WeightLedger
    var pause = RequestPause()
    var tally = Tally()
    var latencyMs: Int64 = 200
    var backoff: Backoff
    var nextTicket: UInt64 = 1
    private var nextOrder: UInt64 = 0
    private var clockMs: Int64 = 0

    /// A planner of this pool with nothing to do.
    public init(pool: WeightPool, configuration: Configuration? = nil) {
        let configuration = configuration ?? Configuration(pool: pool)
        configuration.check(pool: pool)
        self.pool = pool
        self.configuration = configuration
        ledger = WeightLedger(guardMs: configuration.minuteGuardMs)
        backoff = Backoff(
            firstMs: configuration.backoffFirstMs, maxMs: configuration.backoffMaxMs, seed: configuration.seed
        )
    }

    /// Asks for a snapshot of a symbol with at least `levelCount` levels a side, as far as the market has
    /// such.
    ///
    /// - Parameter attempt: fruitless snapshots of this symbol in a row before this one; it waits
    ///   accordingly.
    public mutating func request(
        _ key: SnapshotKey, _ priority: SnapshotPriority, levelCount: Int, attempt: Int = 0,
        rank: SnapshotRank = SnapshotRank(), nowMs: Int64
    ) -> Acceptance {
        precondition(key.market.weightPool == pool, "a symbol of another weight pool")
        let now = advance(nowMs)
        let limit = key.market.snapshotLimit(atLeast: levelCount)
        if let index = flights.firstIndex(where: { $0.request.key == key && !$0.isAbandoned }) {
            flights[index].entry.merge(priority, limit)
            return .merged
        }
        if queue[key]?.merge(priority, limit) != nil { return .merged }
        if queue.count >= configuration.queueMax { return .full }
        if pendingCount == 0 { tally.startBatch() }
        let delayMs = attempt > 0 ? backoff.delayMs(attempt: attempt) : 0
        queue[key] = Entry(priority: priority, limit: limit, order: nextOrder, notBeforeMs: now + delayMs)
        nextOrder += 1
        return .queued
    }

    /// Forgets what is wanted of a symbol; an answer that is under way will be dropped.
    public mutating func cancel(_ key: SnapshotKey) {
        queue[key] = nil
        for index in flights.indices where flights[index].request.key == key {
            flights[index].isAbandoned = true
        }
    }

    /// What to do now. Requests that were not answered in time are taken back first.
    public mutating func next(nowMs: Int64) -> Step {
        let now = advance(nowMs)
        while let late = flights.firstIndex(where: { $0.sentAtMs + configuration.answerTimeoutMs <= now }) {
            _ = settle(flights.remove(at: late), Answer(status: 0), now)
        }
        switch decide(nowMs: now) {
        case .idle: return .idle
        case .wait(let untilMs, _): return .wait(untilMs: untilMs)
        case .send(let key, let entry):
            queue[key] = nil
            let request = Request(ticket: nextTicket, key: key, limit: entry.limit)
            nextTicket += 1
            ledger.spend(entry.limit.weight, nowMs: now)
            flights.append(Flight(request: request, entry: entry, sentAtMs: now))
            tally.sent += 1
            return .send(request)
        }
    }

    /// Reports the answer to a request, or that there is none. An answer that comes after its time is
    /// dropped, but its refusal counts.
    public mutating func answered(_ ticket: UInt64, _ answer: Answer, nowMs: Int64) -> Outcome {
        let now = advance(nowMs)
        guard let index = flights.firstIndex(where: { $0.request.ticket == ticket }) else {
            if case .refusal(let reason) = answer.meaning { refuse(reason, answer, ticket, now) }
            return .drop
        }
        let flight = flights.remove(at: index)
        if let used = answer.usedWeight { ledger.learn(used: used, sentAtMs: flight.sentAtMs) }
        if answer.status != 0 { latencyMs += (now - flight.sentAtMs - latencyMs) / 8 }
        return settle(flight, answer, now)
    }

    /// Entries that will still lead to an outcome.
    var pendingCount: Int { queue.count + flights.count { !$0.isAbandoned } }

    private mutating func settle(_ flight: Flight, _ answer: Answer, _ now: Int64) -> Outcome {
        let (key, ticket) = (flight.request.key, flight.request.ticket)
        var entry = flight.entry
        switch answer.meaning {
        case .success:
            pause.succeeded(ticket: ticket)
            if flight.isAbandoned { return .drop }
            tally.delivered += 1
            return .deliver(key)
        case .permanent(let failure):
            pause.succeeded(ticket: ticket)
            if flight.isAbandoned { return .drop }
            tally.failed += 1
            return .failed(key, failure)
        case .refusal(let reason):
            refuse(reason, answer, ticket, now)
            entry.notBeforeMs = pause.untilMs
        case .transient:
            tally.transientFailures += 1
            pause.failed(ticket: ticket, nextTicket: nextTicket, backoff: &backoff, nowMs: now)
            entry.failures += 1
            entry.notBeforeMs = now + backoff.delayMs(attempt: entry.failures)
        }
        if flight.isAbandoned { return .drop }
        queue[key] = entry
        return .retry(key, notBeforeMs: max(entry.notBeforeMs, pause.untilMs))
    }

    mutating func refuse(
        _ reason: RequestPause.Reason, _ answer: Answer, _ ticket: UInt64, _ now: Int64
    ) {
        tally.refusals += 1
        let wantedMs = answer.retryAfterSeconds.map { Int64(min(max($0, 0), 30 * 86_400)) * 1000 }
        let defaultMs = reason == .banned ? configuration.bannedWaitMs : configuration.limitedWaitMs
        pause.refused(
            reason, ticket: ticket, waitMs: wantedMs ?? defaultMs, marginMs: configuration.minuteGuardMs,
            nextTicket: nextTicket, nowMs: now)
    }

    /// Time never runs backwards in here, whatever the clock does.
    mutating func advance(_ nowMs: Int64) -> Int64 {
        clockMs = max(clockMs, nowMs)
        ledger.advance(nowMs: clockMs)
        return clockMs
    }
}
