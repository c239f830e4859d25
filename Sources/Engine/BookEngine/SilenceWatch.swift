// How long a symbol has been silent, and how long it may be.
//
// A stream can die alone: the venue acknowledges a subscription and never delivers, or stops delivering on a
// healthy connection. No id tells, because the next update never comes. But a symbol can also be quiet. One
// shallow snapshot tells the two apart, so silence leads to a check, and only a check that fails or finds the
// venue ahead leads to a new subscription.

/// ```
/// state      input          next       isTooLong
/// new        subscribed     new        no; the first look begins to count
///            isTooLong      waiting    no
///            heard          hearing
/// waiting    isTooLong      –          after firstEventNsMax, doubled for every step in vain
/// hearing    isTooLong      –          after silenceNsMin and thirty usual intervals, doubled likewise
/// waiting,   heard          hearing    starts over; no step was in vain
/// hearing    subscribed     new        starts over; no check was in vain, but requests were
///            startedAnew    –          starts over; one more check in vain: the symbol was merely quiet
///            wanted-        –          starts over; one more request in vain, until something is heard
///            Subscription
///            leftBehind     –          starts over; no step was in vain
/// ```
/// Doubling ends at `silenceNsMax`. A new connection ends the patience with what was quiet, since its
/// subscription is another; not that with requests, which where nobody answers checks would go on for ever.
struct SilenceWatch {
    /// When the last update came, on the engine's clock; 0 if none has.
    private(set) var heardNs: Int64 = 0
    /// The usual time between two updates, smoothed over sixteen; 0 until there were two.
    private(set) var usualIntervalNs: Int64 = 0
    /// 0 until a look finds the time of a new subscription.
    private var sinceNs: Int64 = 0
    private var quietChecks = 0
    private var vainRequests = 0
    /// When a new subscription was wanted last; 0 if never.
    private var subscribedNs: Int64 = 0
    /// Whether an update of this subscription has come.
    private(set) var isHeard = false

    mutating func subscribed() {
        sinceNs = 0
        quietChecks = 0
        isHeard = false
    }

    @inline(__always)
    mutating func heard(nowNs: Int64) {
        // The time between two subscriptions says nothing about the symbol.
        if isHeard {
            let intervalNs = nowNs &- heardNs
            usualIntervalNs += usualIntervalNs == 0 ? intervalNs : (intervalNs - usualIntervalNs) / 16
        }
        heardNs = nowNs
        sinceNs = nowNs
        (quietChecks, vainRequests) = (0, 0)
        isHeard = true
    }

    /// The symbol was found to be merely quiet.
    mutating func startedAnew(nowNs: Int64) {
        sinceNs = nowNs
        quietChecks += 1
    }

    /// The venue was found to have moved on without the stream.
    mutating func leftBehind(nowNs: Int64) {
        sinceNs = nowNs
        (quietChecks, vainRequests) = (0, 0)
    }

    /// A new subscription is wanted.
    mutating func wantedSubscription(nowNs: Int64) {
        sinceNs = nowNs
        vainRequests += 1
        subscribedNs = nowNs
    }

    /// When the silence is too long, on the engine's clock. A new subscription begins to count with the first
    /// call.
    mutating func dueNs(nowNs: Int64, _ limits: EngineConfiguration) -> Int64 {
        if sinceNs == 0 { sinceNs = max(nowNs, 1) }
        let (dueNs, isNever) = sinceNs.addingReportingOverflow(limitNs(limits))
        return isNever ? .max : dueNs
    }

    /// When a new subscription is allowed: not twice in five seconds, doubled for every request in vain.
    func subscribableNs(_ limits: EngineConfiguration) -> Int64 {
        if subscribedNs == 0 { return .min }
        var distanceNs: Int64 = 5_000_000_000
        for _ in 0..<min(vainRequests, 20) where distanceNs < limits.silenceNsMax { distanceNs *= 2 }
        return subscribedNs &+ min(distanceNs, limits.silenceNsMax)
    }

    private func limitNs(_ limits: EngineConfiguration) -> Int64 {
        let unusualNs = min(usualIntervalNs, .max / 30) * 30
        var limitNs = isHeard ? max(limits.silenceNsMin, unusualNs) : limits.firstEventNsMax
        var doublings = quietChecks + vainRequests
        while doublings > 0 && limitNs < limits.silenceNsMax {
            limitNs = limitNs > limits.silenceNsMax / 2 ? limits.silenceNsMax : limitNs * 2
            doublings -= 1
        }
        return limitNs
    }
}
