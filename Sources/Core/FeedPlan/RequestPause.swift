// When to leave the venue alone: after 429, 418 and 403, and while it does not answer.
//
// A refusal counts as repeated only if its request was sent after the last refusal was known: requests in
// flight together are refused together, and that is one refusal. After a refusal, one request at a time is in
// flight until the venue has answered well, so that the rest of the plan does not hit the same wall.
//
// A failure is not a refusal. If the venue served a request sent later, the failure is that request's own.
// Only several in a row are an outage: then all requests wait, longer each time, and a few probe together, so
// that a slow one holds up no other.
//
// Invariants
// * `untilMs` is never before what any `Retry-After` demanded, as far as that is believed; see `RefusalWait`.
// * Success of a request sent before the last refusal proves nothing and changes nothing.

/// When requests may be sent again, and how many at once.
struct RequestPause: Sendable {
    /// Why no request is sent.
    enum Reason: Sendable {
        case limited, banned, blocked, outage
    }

    /// Whether the venue's last word was a refusal: one request at a time.
    private(set) var isProbing = false
    /// Whether the venue serves: it has served and has not refused or failed altogether since.
    private(set) var isProven = false
    private var refusedUntilMs: Int64 = 0
    private var refusal = Reason.limited
    private var outageUntilMs: Int64 = 0
    private var refusals = 0
    private var outages = 0
    /// Consecutive failures not explained by the requests themselves.
    private var failures = 0
    /// Requests with a lower ticket were sent before the last refusal was known.
    private var firstTicketAfter: UInt64 = 0
    /// Requests with a lower ticket were sent before the last outage was known.
    private var firstTicketTrying: UInt64 = 0
    private var lastServed: UInt64 = 0

    /// No request is sent before this time.
    var untilMs: Int64 { max(refusedUntilMs, outageUntilMs) }

    /// Why.
    var reason: Reason { refusedUntilMs >= outageUntilMs ? refusal : .outage }

    /// Whether the venue has served a request sent after this one.
    func hasServedAfter(_ ticket: UInt64) -> Bool { isProven && ticket < lastServed }

    /// The venue refused to serve us for `waitMs`; repeated, the wait doubles up to `waitMaxMs`.
    mutating func refused(
        _ reason: Reason, ticket: UInt64, waitMs: Int64, waitMaxMs: Int64, marginMs: Int64,
        nextTicket: UInt64, nowMs: Int64
    ) {
        if ticket >= firstTicketAfter { refusals += 1 }
        let longer = max(waitMs, Backoff.doubled(max(waitMs, 1000), times: refusals - 1, max: waitMaxMs))
        let untilMs = nowMs + longer + marginMs
        if untilMs > refusedUntilMs { (refusedUntilMs, refusal) = (untilMs, reason) }
        (isProbing, isProven) = (true, false)
        failures = 0
        firstTicketAfter = nextTicket
    }

    /// A request got no answer, or an error that is not its own fault.
    mutating func failed(
        ticket: UInt64, nextTicket: UInt64, outageFailureCount: Int, backoff: inout Backoff, nowMs: Int64
    ) {
        if ticket < lastServed || ticket < firstTicketTrying || ticket < firstTicketAfter { return }
        failures += 1
        if !isProbing && outages == 0 && failures < outageFailureCount { return }
        outages += 1
        outageUntilMs = nowMs + backoff.delayMs(attempt: outages)
        isProven = false
        failures = 0
        firstTicketTrying = nextTicket
    }

    /// The clock was set forward by this much, to `nowMs`: a pause not yet over ends that much later.
    mutating func clockSlipped(byMs slipMs: Int64, nowMs: Int64) {
        if refusedUntilMs > nowMs - slipMs { refusedUntilMs += slipMs }
        if outageUntilMs > nowMs - slipMs { outageUntilMs += slipMs }
    }

    /// The venue served a request.
    mutating func succeeded(ticket: UInt64) {
        if ticket < firstTicketAfter { return }
        lastServed = max(lastServed, ticket)
        (isProbing, isProven) = (false, true)
        (refusals, outages, failures) = (0, 0, 0)
        outageUntilMs = 0
    }
}
