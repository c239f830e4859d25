// When the next connection may be dialled: what the venue allows in five minutes, and the delay after
// failures.
//
// Bounds: `attemptsPerFiveMinutesMax` times. Worst case: O(1).

/// One shard's limits on dialling the venue.
///
/// ```
/// input              effect
/// dialled            one more attempt within five minutes, whether or not there was room for it
/// lost               one more failure; the next attempt waits longer
/// lost: refused      the wait at least doubles, starting from the venue's own
/// proved             earlier failures are forgotten
/// subscribed         earlier refusals are forgotten
/// ```
struct DialPolicy: Sendable {
    private static let windowMs: Int64 = 300_000
    private static let countMax = 64

    private let refusedWaitMs: Int64
    private let refusedWaitMaxMs: Int64
    private var notBeforeMs: Int64 = .min
    private var attempts: RateLedger
    private var backoff: Backoff
    /// Consecutive connections lost without having been good.
    private(set) var failures = 0
    /// Rate refusals by the venue since a connection was last subscribed.
    private var refusals = 0

    /// A policy without any attempts yet.
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

    /// Earliest time to dial the next connection.
    var dialAtMs: Int64 { max(notBeforeMs, attempts.roomAtMs) }

    /// A connection is being dialled, or dialled again by its link.
    mutating func dialled(nowMs: Int64) { attempts.charge(nowMs) }

    /// A random time of 0 … `maxMs`, so that many shards do not act at once.
    mutating func jitterMs(_ maxMs: Int64) -> Int64 { backoff.jitterMs(maxMs) }

    /// A connection was good.
    mutating func proved() { failures = 0 }

    /// A connection is subscribed.
    mutating func subscribed() { refusals = 0 }

    /// The newest connection is gone.
    ///
    /// - Parameter toldMs: how long the venue told us to wait.
    mutating func lost(_ loss: ConnectionSupervisor.Loss, toldMs: Int64?, nowMs: Int64) {
        failures = min(failures + 1, DialPolicy.countMax)
        var delayMs = backoff.delayMs(attempt: failures)
        switch loss {
        case .lost: delayMs = max(delayMs, toldMs ?? 0)
        case .refused:
            // A ban lasts from two minutes to three days, longer for a client that keeps trying. The first
            // time we wait as long as the venue says; after that the wait at least doubles.
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
