// The planner's limits and times. Wrong ones are a mistake of the operator and refused at the start.

import MarketData

extension SnapshotPlanner {
    /// Limits and times of a planner.
    public struct Configuration: Hashable, Sendable {
        /// The venue's budget per clock minute.
        public var weightPerMinute: Int
        /// Part of it that is never spent, and the most weight in flight at once (but one request always
        /// may be): for others at this IP, and for what the venue has counted but not told us yet.
        public var weightHeadroom: Int
        /// Part of the rest that is kept for first books and lost ones.
        public var urgentReserve: Int
        /// Requests in flight at once.
        public var inFlightMax = 8
        /// Symbols waiting at once; wishes beyond are refused.
        public var queueMax = 4096
        /// A request without an answer for this long is taken back and asked again.
        public var answerTimeoutMs: Int64 = 15_000
        /// Uncertainty of which minute a request is counted in: difference of the clocks plus time on the
        /// way.
        public var minuteGuardMs: Int64 = 1000
        /// First delay after a failure; doubled with every further one.
        public var backoffFirstMs: Int64 = 500
        /// Longest delay after failures.
        public var backoffMaxMs: Int64 = 60_000
        /// Pause after a 429 without `Retry-After`.
        public var limitedWaitMs: Int64 = 60_000
        /// Pause after a 418 without `Retry-After`: the shortest ban.
        public var bannedWaitMs: Int64 = 120_000
        /// Seed of the jitter.
        public var seed: UInt64 = 1

        /// The pool's budget, a tenth of it as headroom, a tenth of the rest for urgent wishes.
        public init(pool: WeightPool) {
            weightPerMinute = pool.weightPerMinute
            weightHeadroom = weightPerMinute / 10
            urgentReserve = (weightPerMinute - weightHeadroom) / 10
        }

        /// Weight that may be spent per minute.
        public var weightUsable: Int { weightPerMinute - weightHeadroom }

        func check(pool: WeightPool) {
            let heaviest =
                Market.allCases.filter { $0.weightPool == pool }.flatMap(\.snapshotLimits)
                .map(\.weight).max() ?? 0
            precondition(weightHeadroom >= 0 && urgentReserve >= 0, "weights are at least 0")
            precondition(
                weightUsable - urgentReserve >= heaviest, "the budget has no room for the deepest snapshot")
            precondition(inFlightMax > 0 && queueMax > 0, "nothing could ever be asked for")
            precondition(answerTimeoutMs > 0, "no request could ever be answered in time")
            precondition((0..<30_000).contains(minuteGuardMs), "the guard is less than half a minute")
            precondition(backoffFirstMs > 0 && backoffMaxMs >= backoffFirstMs, "delays are positive")
            precondition(limitedWaitMs > 0 && bannedWaitMs > 0, "pauses are positive")
        }
    }
}
