// When to leave the venue alone: after 429 and 418, and while it does not answer.
//
// A refusal counts as a repeated one only if its request was sent after the last refusal was known;
// requests that were under way together are refused together, and that is one refusal. Until the venue has
// answered well, and again after every refusal or failure, one request at a time is in flight: the rest of
// the plan must not run into the same wall.
//
// Invariants
// * `untilMs` only grows, and is never before what any `Retry-After` demanded.
// * A success of a request sent before the last refusal proves nothing and changes nothing.

/// Exponential delays with jitter out of a seeded generator.
struct Backoff: Sendable {
    let firstMs: Int64
    let maxMs: Int64
    private var seed: UInt64

    init(firstMs: Int64, maxMs: Int64, seed: UInt64) {
        self.firstMs = firstMs
        self.maxMs = maxMs
        self.seed = seed
    }

    /// A delay for the `attempt`-th failure in a row, from 1: between half and all of `firstMs × 2^(attempt
    /// - 1)`, and of `maxMs` at most.
    mutating func delayMs(attempt: Int) -> Int64 {
        let full = Self.doubled(firstMs, times: attempt - 1, max: maxMs)
        return full - Int64(next() % UInt64(full / 2 + 1))
    }

    /// A time of 0 … `maxMs`.
    mutating func jitterMs(_ maxMs: Int64) -> Int64 { Int64(next() % UInt64(maxMs + 1)) }

    /// `value × 2^times`, `max` at most, without overflow.
    static func doubled(_ value: Int64, times: Int, max: Int64) -> Int64 {
        var value = min(value, max)
        for _ in 0..<Swift.max(times, 0) {
            if value >= max - value { return max }
            value += value
        }
        return value
    }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        seed &+= 0x9E37_79B9_7F4A_7C15
        var z = seed
        z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z &>> 31)
    }
}

/// The time before which nothing is asked, and how much at once after it.
struct RequestPause: Sendable {
    /// Why nothing is asked.
    enum Reason: Sendable {
        case limited, banned, outage
    }

    /// Bans grow from two minutes to three days; no pause is longer.
    static let maxMs: Int64 = 3 * 86_400_000

    private(set) var untilMs: Int64 = 0
    private(set) var reason = Reason.outage
    private(set) var isProbing = true
    private var refusals = 0
    private var outages = 0
    /// Requests with a lower ticket were sent before the last refusal or failure was known.
    private var firstTicketAfter: UInt64 = 0

    /// The venue refused to serve us for `waitMs`; repeated, the wait doubles.
    mutating func refused(
        _ reason: Reason, ticket: UInt64, waitMs: Int64, marginMs: Int64, nextTicket: UInt64, nowMs: Int64
    ) {
        if ticket >= firstTicketAfter { refusals += 1 }
        let longer = max(waitMs, Backoff.doubled(max(waitMs, 1000), times: refusals - 1, max: Self.maxMs))
        pause(reason, untilMs: nowMs + longer + marginMs, nextTicket: nextTicket)
    }

    /// A request got no answer or an error that is not its own fault. The first one in a row only slows us
    /// down.
    mutating func failed(ticket: UInt64, nextTicket: UInt64, backoff: inout Backoff, nowMs: Int64) {
        if ticket < firstTicketAfter { return }
        outages += 1
        let delayMs = outages > 1 ? backoff.delayMs(attempt: outages - 1) : 0
        pause(.outage, untilMs: nowMs + delayMs, nextTicket: nextTicket)
    }

    /// The venue served a request.
    mutating func succeeded(ticket: UInt64) {
        if ticket < firstTicketAfter { return }
        isProbing = false
        refusals = 0
        outages = 0
    }

    private mutating func pause(_ reason: Reason, untilMs: Int64, nextTicket: UInt64) {
        if untilMs > self.untilMs {
            self.untilMs = untilMs
            self.reason = reason
        }
        isProbing = true
        firstTicketAfter = nextTicket
    }
}
