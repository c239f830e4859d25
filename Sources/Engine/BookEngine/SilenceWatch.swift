// How long a symbol has been silent, and how long it may be.
//
// A single stream can die: the venue acknowledges a subscription and never delivers, or stops delivering on a
// healthy connection. No id reveals it, because the next update never arrives. But a symbol can also be
// quiet. One shallow snapshot distinguishes the two, so silence leads to a check, and only a check that fails
// or finds the venue ahead leads to a resubscription.

/// ```
/// state      input          next       isTooLong
/// new        subscribed     new        no; counting starts with the first look
///            isTooLong      waiting    no
///            heard          hearing
/// taken      isTooLong      –          after a thirtieth of silenceNsMin and three usual intervals, no later
///                                      than waiting; doubled likewise
///            heard          hearing    starts over
///            foundQuiet     –          starts over; one more fruitless check
///            wanted-        waiting    as below
///            Subscription,
///            leftBehind
/// waiting    isTooLong      –          after firstEventNsMax, doubled for every fruitless step
/// hearing    isTooLong      –          after silenceNsMin and thirty usual intervals, doubled likewise
/// waiting,   heard          hearing    starts over; no step was fruitless
/// hearing    subscribed     new        starts over; no check was fruitless, but requests were
///            takenOver      taken      likewise; new if the usual interval is unknown
///            foundQuiet     –          starts over; one more fruitless check: the symbol was merely quiet
///            wanted-        –          starts over; one more fruitless request, until something is heard
///            Subscription
///            leftBehind     –          starts over; no check was fruitless, but requests were
/// ```
/// Requests are counted separately until the book has been live for long, since one that did not help says
/// the same whether updates arrive or not: a stream may be late, which no subscription mends. `lasted` ends
/// that count.
///
/// Doubling ends at `silenceNsMax`. A new connection, being a new subscription, resets the patience with
/// quiet streams; not that with requests, which would go on for ever if nobody answers checks, or if a stream
/// is accepted and stays dead while its ticker shows that the venue moves on.
struct SilenceWatch {
    /// When the last update arrived, on the engine's clock; 0 if none has.
    private(set) var heardNs: Int64 = 0
    /// The usual time between two updates, smoothed over sixteen; 0 until there were two.
    private(set) var usualIntervalNs: Int64 = 0
    /// 0 until a look finds the time of a new subscription.
    private var sinceNs: Int64 = 0
    private var quietChecks = 0
    private var vainRequests = 0
    /// Resubscriptions since the book was last live for long.
    private var requests = 0
    /// When a resubscription was last requested; 0 if never.
    private var subscribedNs: Int64 = 0
    /// Whether an update of this subscription has arrived.
    private(set) var isHeard = false
    /// Whether it follows another one, and nothing of it has arrived yet.
    private var isTakenOver = false

    mutating func subscribed() {
        sinceNs = 0
        quietChecks = 0
        (isHeard, isTakenOver) = (false, false)
    }

    /// Another connection's stream goes on where this one's ended; whether it delivers is not known yet, but
    /// how long the symbol is usually silent.
    mutating func takenOver() {
        subscribed()
        isTakenOver = usualIntervalNs > 0
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
        (isHeard, isTakenOver) = (true, false)
    }

    /// The book had been live for long until now. What was requested just now is one.
    mutating func lasted(nowNs: Int64) { requests = subscribedNs == nowNs ? min(requests, 1) : 0 }

    /// The symbol turned out to be merely quiet.
    mutating func foundQuiet(nowNs: Int64) {
        sinceNs = nowNs
        quietChecks += 1
    }

    /// The venue turned out to have moved on without the stream.
    mutating func leftBehind(nowNs: Int64) {
        sinceNs = nowNs
        quietChecks = 0
        isTakenOver = false
    }

    /// A resubscription is requested.
    mutating func wantedSubscription(nowNs: Int64) {
        sinceNs = nowNs
        vainRequests += 1
        requests += 1
        subscribedNs = nowNs
        isTakenOver = false
    }

    /// Whether silence alone, without a check, is enough to resubscribe: not as soon after another connection
    /// took over as a check is due.
    func isTelling(nowNs: Int64, _ limits: EngineConfiguration) -> Bool {
        !isTakenOver || nowNs &- sinceNs >= limits.firstEventNsMax
    }

    /// When the silence becomes too long, on the engine's clock. A new subscription starts counting with the
    /// first call.
    mutating func dueNs(nowNs: Int64, _ limits: EngineConfiguration) -> Int64 {
        if sinceNs == 0 { sinceNs = max(nowNs, 1) }
        let (dueNs, isNever) = sinceNs.addingReportingOverflow(limitNs(limits))
        return isNever ? .max : dueNs
    }

    /// When a resubscription is allowed: not twice in five seconds, doubled for every request that has not
    /// led to a lasting book.
    func subscribableNs(_ limits: EngineConfiguration) -> Int64 {
        if subscribedNs == 0 { return .min }
        var distanceNs: Int64 = 5_000_000_000
        for _ in 0..<min(requests, 20) where distanceNs < limits.silenceNsMax { distanceNs *= 2 }
        return subscribedNs &+ min(distanceNs, limits.silenceNsMax)
    }

    private func limitNs(_ limits: EngineConfiguration) -> Int64 {
        let usualNs = min(usualIntervalNs, .max / 30)
        var limitNs = limits.firstEventNsMax
        if isTakenOver {
            limitNs = min(limitNs, max(limits.silenceNsMin / 30, 3 * usualNs))
        } else if isHeard {
            limitNs = max(limits.silenceNsMin, 30 * usualNs)
        }
        var doublings = quietChecks + vainRequests
        while doublings > 0 && limitNs < limits.silenceNsMax {
            limitNs = limitNs > limits.silenceNsMax / 2 ? limits.silenceNsMax : limitNs * 2
            doublings -= 1
        }
        return limitNs
    }
}
