// The planner's limits and times. Illegal values throw before anything starts; see `validate`.

extension SnapshotPlanner {
    /// Limits and times of a planner.
    public struct Configuration: Hashable, Sendable {
        /// The venue's budget per clock minute.
        public var weightPerMinute: Int
        /// Part of it that is never spent, and the most weight in flight at once (a single request is always
        /// allowed): for other programs at this IP, and for weight that the venue has counted but not yet
        /// reported.
        public var weightHeadroom: Int
        /// Part of the rest reserved for first and lost books.
        public var urgentReserve: Int
        /// Most requests in flight.
        public var inFlightMax = 8
        /// The same until the venue has served one, and while it does not answer.
        public var carefulInFlightMax = 4
        /// Further requests allowed whose answers are late while the venue serves others: one slow answer
        /// must not hold up the rest.
        public var lateMax = 24
        /// An answer is late after this time.
        public var lateAfterMs: Int64 = 1000
        /// This many consecutive requests without a good answer are an outage, which slows all of them.
        public var outageFailureCount = 4
        /// Most symbols waiting; further requests are refused.
        public var queueMax = 4096
        /// A request unanswered for this long is taken back and sent again.
        public var answerTimeoutMs: Int64 = 15_000
        /// Uncertainty about which minute a request is counted in: clock difference plus transit time.
        public var minuteGuardMs: Int64 = 1000
        /// First delay after a failure; doubled with every further one.
        public var backoffFirstMs: Int64 = 500
        /// Longest delay after failures.
        public var backoffMaxMs: Int64 = 60_000
        /// How far snapshots are behind the streams at most, as a rule. A request is announced by so much
        /// before it is sent: its answer would be older than the updates kept for it, and of no use. One that
        /// is to explain a silence is sent at once.
        public var snapshotLagMs: Int64 = 400
        /// Requests of one priority that are announced and not sent yet: updates are kept for each.
        public var announcedMax = 16
        /// Pause after a 429 without `Retry-After`; doubled with every further one, up to ten minutes.
        public var limitedWaitMs: Int64 = 60_000
        /// Pause after a 418 without `Retry-After`: the shortest ban.
        public var bannedWaitMs: Int64 = 120_000
        /// Pause after a 403, the venue's firewall; doubled with every further one.
        public var blockedWaitMs = RefusalWait.firstMs
        /// Longest pause after a 403 without `Retry-After`.
        public var blockedWaitMaxMs = RefusalWait.maxMs
        /// Seed of the jitter.
        public var seed: UInt64 = 1

        /// The pool's budget, a tenth of it as headroom, a tenth of the rest for urgent requests.
        public init(pool: WeightPool) {
            weightPerMinute = pool.weightPerMinute
            weightHeadroom = weightPerMinute / 10
            urgentReserve = (weightPerMinute - weightHeadroom) / 10
        }

        /// Weight that may be spent per minute.
        public var weightUsable: Int { weightPerMinute - weightHeadroom }

        /// First and longest pause after a refusal.
        func wait(_ reason: RequestPause.Reason) -> (firstMs: Int64, maxMs: Int64) {
            switch reason {
            // The budget of the next minute is whole again, whoever has spent this one's.
            case .limited, .outage: (limitedWaitMs, RefusalWait.maxMs)
            // Bans grow from two minutes to three days.
            case .banned: (bannedWaitMs, RefusalWait.toldMaxMs)
            case .blocked: (blockedWaitMs, blockedWaitMaxMs)
            }
        }

        /// The same shares of another budget; nil if too small for the deepest snapshot.
        func scaled(to weight: Int, of pool: WeightPool) -> Configuration? {
            var scaled = self
            let usual = pool.weightPerMinute
            scaled.weightPerMinute = weightPerMinute * weight / usual
            scaled.weightHeadroom = weightHeadroom * weight / usual
            let room = scaled.weightUsable - pool.requestWeightMax
            if room < 0 { return nil }
            scaled.urgentReserve = min(urgentReserve * weight / usual, room)
            return scaled
        }

        func check(pool: WeightPool) {
            precondition(weightHeadroom >= 0 && urgentReserve >= 0, "weights are at least 0")
            precondition(
                weightUsable - urgentReserve >= pool.requestWeightMax,
                "the budget has no room for the deepest snapshot")
            precondition(
                inFlightMax > 0 && carefulInFlightMax > 0 && queueMax > 0, "nothing could ever be asked for")
            precondition(lateMax >= 0 && lateAfterMs > 0, "answers are late after a while")
            precondition(outageFailureCount > 0, "an outage has failures")
            precondition(answerTimeoutMs > 0, "no request could ever be answered in time")
            precondition((0..<30_000).contains(minuteGuardMs), "the guard is less than half a minute")
            precondition(snapshotLagMs >= 0 && announcedMax > 0, "nothing could ever be announced")
            precondition(backoffFirstMs > 0 && backoffMaxMs >= backoffFirstMs, "delays are positive")
            precondition(limitedWaitMs > 0 && bannedWaitMs > 0 && blockedWaitMs > 0, "pauses are positive")
            precondition(blockedWaitMaxMs >= blockedWaitMs, "the longest pause is the longest")
        }
    }

    /// Adopts the budget stated by the venue at once: every weight of the configuration keeps its share.
    ///
    /// - Returns: false, with nothing changed, if it is implausible (less than an eighth or more than 32
    ///   times the usual) or leaves no room for the deepest snapshot.
    public mutating func venueStates(weightPerMinute stated: Int) -> Bool {
        budget.venueStates(weightPerMinute: stated)
    }
}
