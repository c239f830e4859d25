// When the next connection may be dialled: what the venue allows in five minutes, and how long to wait after
// failures.
//
// Bounds: `attemptsPerFiveMinutesMax` times. Worst case: O(1).

/// The door to the venue, as one shard knows it.
///
/// ```
/// input              effect
/// dialled            one attempt more within five minutes
/// lost               one failure more; the next attempt waits longer
/// lost: refused      and at least twice as long as the time before, from what the venue tells
/// proved             failures before it are forgotten
/// subscribed         so are refusals
/// ```
struct DialPolicy: Sendable {
    private static let windowMs: Int64 = 300_000
    private static let countMax = 64

    private let refusedWaitMs: Int64
    private let refusedWaitMaxMs: Int64
    private var notBeforeMs: Int64 = .min
    private var attempts: RateLedger
    private var backoff: Backoff
    /// Connections in a row that were lost without having been good.
    private(set) var failures = 0
    /// How often the venue refused us for our rate since a connection was subscribed.
    private var refusals = 0

    /// A door that was never tried.
    init(_ configuration: ConnectionSupervisor.Configuration) {
        refusedWaitMs = configuration.refusedWaitMs
        refusedWaitMaxMs = configuration.refusedWaitMaxMs
        attempts = RateLedger(
            countMax: configuration.attemptsPerFiveMinutesMax, windowMs: DialPolicy.windowMs)
        backoff = Backoff(
            firstMs: configuration.backoffFirstMs, maxMs: configuration.backoffMaxMs,
            seed: configuration.seed
        )
    }

    /// The next connection is dialled at this time at the earliest.
    var dialAtMs: Int64 { max(notBeforeMs, attempts.roomAtMs) }

    /// A connection is dialled.
    mutating func dialled(nowMs: Int64) { attempts.charge(nowMs) }

    /// A time of 0 … `maxMs`, so that many shards do not do the same at once.
    mutating func jitterMs(_ maxMs: Int64) -> Int64 { backoff.jitterMs(maxMs) }

    /// A connection was good.
    mutating func proved() { failures = 0 }

    /// A connection is subscribed.
    mutating func subscribed() { refusals = 0 }

    /// The newest connection is gone.
    ///
    /// - Parameter toldMs: what the venue told to wait.
    mutating func lost(_ loss: ConnectionSupervisor.Loss, toldMs: Int64?, nowMs: Int64) {
        failures = min(failures + 1, DialPolicy.countMax)
        var delayMs = backoff.delayMs(attempt: failures)
        switch loss {
        case .lost: delayMs = max(delayMs, toldMs ?? 0)
        case .refused:
            // A ban lasts from two minutes to three days, and longer for a client that keeps trying. The
            // first time we wait as long as the venue says; after that the wait at least doubles.
            refusals = min(refusals + 1, DialPolicy.countMax)
            let doubledMs = Backoff.doubled(
                toldMs ?? refusedWaitMs, times: refusals - 1, max: refusedWaitMaxMs)
            let waitMs = max(toldMs ?? 0, doubledMs)
            let jitterMs = toldMs == nil ? waitMs / 2 : min(waitMs / 10, 30_000)
            delayMs = max(delayMs, waitMs + backoff.jitterMs(jitterMs))
        }
        notBeforeMs = max(notBeforeMs, nowMs + delayMs)
    }
}
