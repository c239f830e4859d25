// Decides whether a request may be sent now: the request weight budget of an IP, and the venue's reaction to
// earlier requests.
//
// Requests of all kinds are charged here and observe the same pauses. Their content and order are up to the
// caller.
//
// Invariants
// * Weight charged to a clock minute never exceeds `weightUsable`; requests that are not urgent leave
//   `urgentReserve` of it to those that are.
// * Nothing is sent before the end of a pause; after a refusal, one request at a time until the venue has
//   served one.
// * At most `inFlightMax` requests are in flight, plus `lateMax` that are late while requests sent after them
//   were served; `carefulInFlightMax` until the venue has served one.
//
// Bounds: one entry per request in flight. Worst case: O(requests in flight).

/// The budget for requests to one pool.
///
/// ```
/// input                               effect
/// spend                               charged, and in flight under a new ticket
/// answering, answered: a count        the venue's, if larger than ours
/// answering, answered: good           the venue serves: pauses end
/// answered: no such symbol, its own   likewise: the venue serves
/// answered: 429, 418, 403             all wait; a repeated 403 of one request only if nothing is served
/// answered: none, or 5xx, 408         several in a row are an outage, and all wait
/// late refusal                        as a timely one
/// venueStates                         all weights scale with the stated budget
/// ```
struct RequestBudget: Sendable {
    /// Whether one more request may be sent now.
    enum Gate: Hashable {
        /// Yes, if its weight fits.
        case open
        /// Not before this time.
        case paused(untilMs: Int64)
        /// Not before another one is answered, or late by this time.
        case crowded(wakeMs: Int64)
    }

    /// Limits and times; weights are scaled to what the venue states.
    private(set) var limits: SnapshotPlanner.Configuration
    /// The owner's configuration, unscaled.
    private let wanted: SnapshotPlanner.Configuration
    /// The budget being planned.
    let pool: WeightPool
    private(set) var ledger: WeightLedger
    private(set) var pause = RequestPause()
    private var backoff: Backoff
    /// Requests in flight and when they were sent.
    private var underWay: [UInt64: Int64] = [:]
    private var nextTicket: UInt64 = 1
    private var clockMs: Int64 = 0
    /// Typical time to an answer.
    private(set) var latencyMs: Int64 = 200
    /// Requests sent since the start.
    private(set) var sentCount = 0
    /// Answers 429, 418 and 403 since the start.
    private(set) var refusalCount = 0
    /// Requests since the start with no answer or a retryable error.
    private(set) var transientFailureCount = 0

    /// A budget with nothing spent.
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

    /// The clock was set by this much, to `nowMs`; no pause is shortened by that.
    mutating func clockSlipped(byMs slipMs: Int64, nowMs: Int64) {
        if slipMs <= 0 { return }
        pause.clockSlipped(byMs: slipMs, nowMs: nowMs)
    }

    /// Clock reading at the last input, for durations; it may lie before `nowMs` after the clock was set
    /// back.
    private(set) var presentMs: Int64 = 0

    /// Time has passed; must precede every other input.
    ///
    /// - Returns: the time from now on, which never runs backwards, whatever the clock does.
    mutating func advance(_ nowMs: Int64) -> Int64 {
        presentMs = nowMs
        clockMs = max(clockMs, nowMs)
        ledger.advance(nowMs: clockMs)
        return clockMs
    }

    /// Adopts the budget stated by the venue; false if it is implausible or too small for the heaviest
    /// request.
    mutating func venueStates(weightPerMinute stated: Int) -> Bool {
        let usual = pool.weightPerMinute
        guard (usual / 8...usual * 32).contains(stated),
            let scaled = wanted.scaled(to: stated, of: pool)
        else { return false }
        limits = scaled
        return true
    }

    /// Whether one more request may be sent.
    func gate(nowMs: Int64) -> Gate {
        if nowMs < pause.untilMs { return .paused(untilMs: pause.untilMs) }
        let crowd = crowd(nowMs: nowMs)
        return crowd.hasRoom ? .open : .crowded(wakeMs: crowd.wakeMs)
    }

    /// The first moment from now on at which `weight` more fits, if nothing else is sent first.
    ///
    /// - Parameter isUrgent: whether it may spend the urgent reserve.
    func roomMs(for weight: Int, isUrgent: Bool, nowMs: Int64) -> Int64 {
        ledger.roomMs(
            for: weight, within: limits.weightUsable, keeping: isUrgent ? 0 : limits.urgentReserve,
            nowMs: nowMs)
    }

    /// Charges a request that is being sent.
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

    /// A request took this long to be answered.
    mutating func tookMs(_ ms: Int64) { latencyMs += (ms - latencyMs) / 8 }

    /// The answer to a request has begun. A good one proves that the venue serves us again, before the rest
    /// of a long body arrives.
    mutating func answering(_ ticket: UInt64, _ head: SnapshotPlanner.Answer) {
        if let sentAtMs = underWay[ticket], let used = head.usedWeight {
            ledger.learn(used: used, sentAtMs: sentAtMs)
        }
        switch head.meaning {
        case .success: pause.succeeded(ticket: ticket)
        case .refusal, .transient, .permanent: break
        }
    }

    /// A request was answered, or is taken back unanswered.
    ///
    /// - Parameter hasFailed: whether the same request was refused or failed before. If the venue serves
    ///   others, its firewall then objects to the request, not to us.
    /// - Returns: the meaning of the answer for the caller.
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

    /// When something that has failed this often may be retried, pauses aside.
    mutating func backoffMs(attempt: Int) -> Int64 { backoff.delayMs(attempt: attempt) }

    private mutating func refuse(
        _ reason: RequestPause.Reason, _ answer: SnapshotPlanner.Answer, _ ticket: UInt64,
        _ nowMs: Int64
    ) {
        refusalCount += 1
        let toldMs = answer.retryAfterSeconds.map { RefusalWait.ms(retryAfterSeconds: $0) }
        let waits = limits.wait(reason)
        pause.refused(
            reason, ticket: ticket, waitMs: toldMs ?? waits.firstMs, waitMaxMs: waits.maxMs,
            marginMs: limits.minuteGuardMs, nextTicket: nextTicket, nowMs: nowMs)
    }

    private var inFlightMax: Int {
        if pause.isProbing { return 1 }
        return pause.isProven ? limits.inFlightMax : min(limits.carefulInFlightMax, limits.inFlightMax)
    }

    /// Whether one more request may be sent, and when time alone may change that.
    ///
    /// A late request does not count if the venue has served one that was sent after it: then only that
    /// request is slow.
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
