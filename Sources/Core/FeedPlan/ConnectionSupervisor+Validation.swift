// Legal configurations of a connection supervisor. A time beyond `TimeLimit.longestMs` is clamped to it, so
// `.max` means never.

import MarketData

extension ConnectionSupervisor.Configuration {
    /// Checks every field.
    ///
    /// - Parameter streamCount: streams that one connection will carry.
    /// - Throws: `ConfigurationError` of the first field with an illegal value.
    public func validate(streamCount: Int = 1) throws(ConfigurationError) {
        try validateTerms(streamCount)
        try ConfigurationError.check("batchNameCountMax", batchNameCountMax, 1...10_000)
        try ConfigurationError.check("messageSharePercent", messageSharePercent, 1...100)
        try ConfigurationError.check("attemptsPerFiveMinutesMax", attemptsPerFiveMinutesMax, 1...100_000)
        try ConfigurationError.check("lostAfterCount", lostAfterCount, 1...Int.max)
        try ConfigurationError.check("lostSharePercent", lostSharePercent, 1...1_000)
        let positive = [
            ("answerLimitMs", answerLimitMs), ("dialLimitMs", dialLimitMs),
            ("backoffFirstMs", backoffFirstMs),
        ]
        for (field, ms) in positive { try ConfigurationError.check(field, ms, 1...Int.max) }
        let others = [
            ("provenAfterMs", provenAfterMs), ("deliveredAfterMs", deliveredAfterMs),
            ("refusedWaitMs", refusedWaitMs), ("renewalMarginMs", renewalMarginMs),
            ("renewalJitterMs", renewalJitterMs), ("overlapMs", overlapMs), ("coalesceMs", coalesceMs),
            ("lostWithinMs", lostWithinMs),
        ]
        for (field, ms) in others { try ConfigurationError.check(field, ms, 0...Int.max) }
        try ConfigurationError.check(
            "backoffMaxMs", "\(backoffMaxMs)", backoffMaxMs >= backoffFirstMs, "at least backoffFirstMs")
        try ConfigurationError.check(
            "refusedWaitMaxMs", "\(refusedWaitMaxMs)", refusedWaitMaxMs >= refusedWaitMs,
            "at least refusedWaitMs")
        let renewalMs = TimeLimit.ms(renewalMarginMs) + TimeLimit.ms(renewalJitterMs)
        try ConfigurationError.check(
            "renewalMarginMs", "\(renewalMarginMs)", renewalMs < Int64(TimeLimit.ms(terms.lifeMs)),
            "with renewalJitterMs below terms.lifeMs")
    }

    private func validateTerms(_ streamCount: Int) throws(ConfigurationError) {
        try ConfigurationError.check("terms.pingIntervalMs", terms.pingIntervalMs, 1...Int.max)
        try ConfigurationError.check("terms.pongDeadlineMs", terms.pongDeadlineMs, 1...Int.max)
        try ConfigurationError.check("terms.messagesPerSecondMax", terms.messagesPerSecondMax, 1...100_000)
        try ConfigurationError.check("terms.streamCountMax", terms.streamCountMax, 1...1_000_000)
        try ConfigurationError.check("terms.lifeMs", terms.lifeMs, 1...Int.max)
        if let attempts = terms.attemptsPerFiveMinutesMax {
            try ConfigurationError.check("terms.attemptsPerFiveMinutesMax", attempts, 1...Int.max)
        }
        try ConfigurationError.check("streams", streamCount, 1...terms.streamCountMax)
    }

    /// The same with times clamped so that they can be added.
    var saturated: ConnectionSupervisor.Configuration {
        var same = self
        same.terms.lifeMs = TimeLimit.ms(terms.lifeMs)
        for time in ConnectionSupervisor.Configuration.times {
            same[keyPath: time] = TimeLimit.ms(same[keyPath: time])
        }
        return same
    }

    private static var times: [WritableKeyPath<ConnectionSupervisor.Configuration, Int64>] {
        [
            \.answerLimitMs, \.dialLimitMs, \.provenAfterMs, \.deliveredAfterMs, \.backoffFirstMs,
            \.backoffMaxMs, \.refusedWaitMs, \.refusedWaitMaxMs, \.renewalMarginMs, \.renewalJitterMs,
            \.overlapMs, \.coalesceMs, \.lostWithinMs,
        ]
    }
}
