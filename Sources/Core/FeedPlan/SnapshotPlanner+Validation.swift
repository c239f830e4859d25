// Legal configurations of a planner. A time beyond `TimeLimit.longestMs` is clamped to it, so `.max` means
// never.

import MarketData

extension SnapshotPlanner.Configuration {
    /// Checks every field.
    ///
    /// - Parameter pool: the budget to be planned.
    /// - Throws: `ConfigurationError` of the first field with an illegal value.
    public func validate(pool: WeightPool) throws(ConfigurationError) {
        let weightMax = 1_000_000_000
        try ConfigurationError.check("weightPerMinute", weightPerMinute, 1...weightMax)
        try ConfigurationError.check("weightHeadroom", weightHeadroom, 0...weightMax)
        try ConfigurationError.check("urgentReserve", urgentReserve, 0...weightMax)
        let heaviest = pool.requestWeightMax
        try ConfigurationError.check(
            "weightPerMinute", "\(weightPerMinute)",
            weightPerMinute - weightHeadroom - urgentReserve >= heaviest,
            "\(heaviest) or more above weightHeadroom and urgentReserve")
        try ConfigurationError.check("inFlightMax", inFlightMax, 1...1_000)
        try ConfigurationError.check("carefulInFlightMax", carefulInFlightMax, 1...1_000)
        try ConfigurationError.check("lateMax", lateMax, 0...1_000)
        try ConfigurationError.check("lateAfterMs", lateAfterMs, 1...Int.max)
        try ConfigurationError.check("outageFailureCount", outageFailureCount, 1...Int.max)
        try ConfigurationError.check("queueMax", queueMax, 1...1_000_000)
        try ConfigurationError.check("answerTimeoutMs", answerTimeoutMs, 1...Int.max)
        try ConfigurationError.check("minuteGuardMs", minuteGuardMs, 0...29_999)
        try ConfigurationError.check("backoffFirstMs", backoffFirstMs, 1...Int.max)
        try ConfigurationError.check(
            "backoffMaxMs", "\(backoffMaxMs)", backoffMaxMs >= backoffFirstMs, "at least backoffFirstMs")
        try ConfigurationError.check("snapshotLagMs", snapshotLagMs, 0...60_000)
        try ConfigurationError.check("announcedMax", announcedMax, 1...1_000)
        try ConfigurationError.check("limitedWaitMs", limitedWaitMs, 1...Int.max)
        try ConfigurationError.check("bannedWaitMs", bannedWaitMs, 1...Int.max)
        try ConfigurationError.check("blockedWaitMs", blockedWaitMs, 1...Int.max)
        try ConfigurationError.check(
            "blockedWaitMaxMs", "\(blockedWaitMaxMs)", blockedWaitMaxMs >= blockedWaitMs,
            "at least blockedWaitMs")
    }

    /// The same with times clamped so that they can be added.
    public var saturated: SnapshotPlanner.Configuration {
        var same = self
        same.answerTimeoutMs = TimeLimit.ms(answerTimeoutMs)
        same.backoffFirstMs = TimeLimit.ms(backoffFirstMs)
        same.backoffMaxMs = TimeLimit.ms(backoffMaxMs)
        same.limitedWaitMs = TimeLimit.ms(limitedWaitMs)
        same.bannedWaitMs = TimeLimit.ms(bannedWaitMs)
        same.blockedWaitMs = TimeLimit.ms(blockedWaitMs)
        same.blockedWaitMaxMs = TimeLimit.ms(blockedWaitMaxMs)
        same.lateAfterMs = TimeLimit.ms(lateAfterMs)
        return same
    }
}
