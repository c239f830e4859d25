// Whether a request may be sent now: the budget of request weight that an IP has, and what the venue has said
// to the requests before.
//
// Requests of all kinds are charged here and observe the same pauses. What they request, and in which order,
// is up to the caller.
//
// Invariants
// * Weight charged to a clock minute never exceeds `weightUsable`; what is not urgent leaves `urgentReserve`
//   of it to what is.
// * Nothing is let through before the end of a pause; after a refusal, one request at a time until the venue
//   has served one.
// * At most `inFlightMax` requests are under way, and `lateMax` beside them that are late while requests sent
//   after them were served; `carefulInFlightMax` until the venue has served one.
//
// Bounds: one entry for each request under way. Worst case: O(requests under way).

/// The budget of requests to one pool.
///
/// ```
/// input                               effect
/// spend                               charged, and under way under a new ticket
/// answering, answered: a count        the venue's, if it is larger than ours
/// answering, answered: good           the venue serves: pauses end
/// answered: no such symbol, its own   likewise: the venue serves
/// answered: 429, 418, 403             all wait; a 403 of a request that got one before only if nothing is
///                                     served
/// answered: not, or 5xx, 408          several in a row are an outage, and all wait
/// late refusal                        as a timely one
/// venueStates                         all weights in proportion to what is stated
/// ```
struct RequestBudget: Sendable {
    /// Whether one more request may be under way now.
    enum Gate: Hashable {
        /// It may, if its weight fits.
        case open
        /// Not before this time.
        case paused(untilMs: Int64)
        /// Not before one of the others is answered, or late by this time.
        case crowded(wakeMs: Int64)
    }

    /// Limits and times; the weights are in proportion to what the venue states.
    private(set) var limits: SnapshotPlanner.Configuration
    /// What the owner wanted.
    private let wanted: SnapshotPlanner.Configuration
    /// The budget that is planned.
    let pool: WeightPool
    private(set) var ledger: WeightLedger
    private(set) var pause = RequestPause()
    private var backoff: Backoff
    /// Requests under way, and when they were sent.
    private var underWay: [UInt64: Int64] = [:]
    private var nextTicket: UInt64 = 1
    private var clockMs: Int64 = 0
    /// The usual time to an answer.
    private(set) var latencyMs: Int64 = 200
    /// Requests sent since the start.
    private(set) var sentCount = 0
    /// Answers 429, 418 and 403 since the start.
    private(set) var refusalCount = 0
    /// Requests since the start that got no answer or an error worth a retry.
    private(set) var transientFailureCount = 0

    /// A budget of which nothing is spent.
    init(pool: WeightPool, _ configuration: SnapshotPlanner.Configuration) {
        self.pool = pool
        limits = configuration
        wanted = configuration
        ledger = WeightLedger(guardMs: configuration.minuteGuardMs)
        backoff = Backoff(
            firstMs: configuration.backoffFirstMs, maxMs: configuration.backoffMaxMs,
            seed: configuration.seed
        )
    }

    /// The clock was set by so much, to `nowMs`: no pause ends earlier for that.
    mutating func clockSlipped(byMs slipMs: Int64, nowMs: Int64) {
        if slipMs <= 0 { return }
        pause.clockSlipped(byMs: slipMs, nowMs: nowMs)
    }

    /// What the clock showed at the last input, which may be before `nowMs` once it was set back: for
    /// durations.
    private(set) var presentMs: Int64 = 0

    /// The time of the last input: time never runs backwards in here, whatever the clock does.
    var nowMs: Int64 { clockMs }

    /// Time has passed; every other input wants this one before it.
    mutating func advance(_ nowMs: Int64) -> Int64 {
        presentMs = nowMs
        clockMs = max(clockMs, nowMs)
        ledger.advance(nowMs: clockMs)
        return clockMs
    }

    /// Takes over the budget that the venue states; false if it cannot be believed or has no room for the
    /// heaviest request.
    mutating func venueStates(weightPerMinute stated: Int) -> Bool {
        let usual = pool.weightPerMinute
        guard (usual / 8...usual * 32).contains(stated),
            let scaled = wanted.scaled(to: stated, of: pool)
        else { return false }
        limits = scaled
        return true
    }

    /// Whether one more request may be under way.
    func gate(nowMs: Int64) -> Gate {
        if nowMs < pause.untilMs { return .paused(untilMs: pause.untilMs) }
        let crowd = crowd(nowMs: nowMs)
        return crowd.hasRoom ? .open : .crowded(wakeMs: crowd.wakeMs)
    }

    /// The first moment from now on at which `weight` more fits, if nothing else is sent before.
    ///
    /// - Parameter isUrgent: whether it may spend what is kept for urgent requests.
    func roomMs(for weight: Int, isUrgent: Bool, nowMs: Int64) -> Int64 {
        ledger.roomMs(
            for: weight, within: limits.weightUsable, keeping: isUrgent ? 0 : limits.urgentReserve,
            nowMs: nowMs)
    }

    /// Charges a request that is sent now.
    ///
    /// - Returns: its ticket.
    mutating func spend(_ weight: Int, isUrgent: Bool, nowMs: Int64) -> UInt64 {
        ledger.spend(weight, isUrgent: isUrgent, nowMs: nowMs)
        sentCount += 1
        let ticket = nextTicket
        nextTicket += 1
        underWay[ticket] = nowMs
        return ticket
    }

    /// When a request was sent that is under way.
    func sentAtMs(_ ticket: UInt64) -> Int64? { underWay[ticket] }

    /// The answer to a request has come, so long after it was sent.
    mutating func tookMs(_ ms: Int64) { latencyMs += (ms - latencyMs) / 8 }

    /// The answer to a request has begun. A good one proves that the venue serves us again, without waiting
    /// for the rest of a long body.
    mutating func answering(_ ticket: UInt64, _ head: SnapshotPlanner.Answer) {
        if let sentAtMs = underWay[ticket], let used = head.usedWeight {
            ledger.learn(used: used, sentAtMs: sentAtMs)
        }
        switch head.meaning {
        case .success: pause.succeeded(ticket: ticket)
        case .refusal, .transient, .permanent: break
        }
    }

    /// A request was answered, or is taken back because it was not.
    ///
    /// - Parameter hasFailed: whether the same was refused or failed before. While the venue serves others,
    ///   its firewall then refuses what is asked, not us.
    /// - Returns: what the answer means for the caller.
    mutating func answered(
        _ ticket: UInt64, _ answer: SnapshotPlanner.Answer, hasFailed: Bool = false, nowMs: Int64
    ) -> SnapshotPlanner.Answer.Meaning {
        if let sentAtMs = underWay.removeValue(forKey: ticket), let used = answer.usedWeight {
            ledger.learn(used: used, sentAtMs: sentAtMs)
        }
        let meaning = answer.meaning
        switch meaning {
        case .success, .permanent: pause.succeeded(ticket: ticket)
        case .refusal(.blocked) where hasFailed && pause.isProven: break
        case .refusal(let reason): refuse(reason, answer, ticket, nowMs)
        case .transient:
            transientFailureCount += 1
            pause.failed(
                ticket: ticket, nextTicket: nextTicket, outageFailureCount: limits.outageFailureCount,
                backoff: &backoff, nowMs: nowMs)
        }
        return meaning
    }

    /// When what has failed so often may be asked again, pauses apart.
    mutating func backoffMs(attempt: Int) -> Int64 { backoff.delayMs(attempt: attempt) }

    private mutating func refuse(
        _ reason: RequestPause.Reason, _ answer: SnapshotPlanner.Answer, _ ticket: UInt64,
        _ nowMs: Int64
    ) {
        refusalCount += 1
        let toldMs = answer.retryAfterSeconds.map { Int64(min(max($0, 0), 30 * 86_400)) * 1000 }
        let waits = limits.wait(reason)
        pause.refused(
            reason, ticket: ticket, waitMs: toldMs ?? waits.firstMs, waitMaxMs: waits.maxMs,
            marginMs: limits.minuteGuardMs, nextTicket: nextTicket, nowMs: nowMs)
    }

    private var inFlightMax: Int {
        if pause.isProbing { return 1 }
        return pause.isProven ? limits.inFlightMax : min(limits.carefulInFlightMax, limits.inFlightMax)
    }

    /// Whether one more request may be under way, and when that may change by the passing of time.
    ///
    /// A request that is late does not count while the venue has served one that was sent after it: its
    /// slowness is its own.
    private func crowd(nowMs: Int64) -> (hasRoom: Bool, wakeMs: Int64) {
        var count = 0
        var late = 0
        var wakeMs = Int64.max
        for (ticket, sentAtMs) in underWay {
            let lateAtMs = sentAtMs + limits.lateAfterMs
            if pause.hasServedAfter(ticket) && lateAtMs <= nowMs {
                late += 1
                continue
            }
            count += 1
            if pause.hasServedAfter(ticket) { wakeMs = min(wakeMs, lateAtMs) }
        }
        return (count + max(late - limits.lateMax, 0) < inFlightMax, wakeMs)
    }
}
