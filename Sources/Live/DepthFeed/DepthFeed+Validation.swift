// Legal configurations of a feed. A time beyond `TimeLimit.longestMs` is clamped to it, so `.max` means
// never.

import BinanceVenue
import MarketData

extension DepthFeed.Configuration {
    /// Checks every field.
    ///
    /// - Throws: `ConfigurationError` of the first field with an illegal value.
    package func validate() throws(ConfigurationError) {
        try ConfigurationError.check("symbols", symbols.count, 1...Int.max)
        try ConfigurationError.check(
            "symbols", "\(symbols.count) with one twice", Set(symbols).count == symbols.count, "each once")
        try StreamOwners.check(symbols)
        try streams.validate(endpoints.market, isCombined: isCombined)
        try ConfigurationError.check("tickIntervalMs", tickIntervalMs, 1...60_000)
        try ConfigurationError.check("statusIntervalMs", statusIntervalMs, 1...60_000)
        do throws(ConfigurationError) {
            try supervisor.validate(streamCount: symbols.count * streams.streamsPerSymbol)
        } catch {
            throw error.inside("supervisor")
        }
        try busySilence.validate()
    }

    /// The same with times clamped so that they can be added.
    ///
    /// - Precondition: a configuration that `validate` accepts.
    var checked: DepthFeed.Configuration {
        do throws(ConfigurationError) {
            try validate()
        } catch {
            preconditionFailure("\(error)")
        }
        var same = self
        same.busySilence = busySilence.saturated
        return same
    }
}

extension StreamSelection {
    /// Checks that a market has these streams.
    ///
    /// - Throws: `ConfigurationError` of the first field with an illegal value.
    package func validate(_ market: Market, isCombined: Bool) throws(ConfigurationError) {
        let legal = DepthInterval.allCases.filter { market.has($0) }
        try ConfigurationError.check(
            "streams.depthInterval", "\(depthInterval)", legal.contains(depthInterval),
            legal.map { "\($0)" }.joined(separator: ", ") + " on \(market.name)")
        guard let partialLevelCount else { return }
        try ConfigurationError.check(
            "streams.partialLevelCount", "\(partialLevelCount)", [5, 10, 20].contains(partialLevelCount),
            "5, 10, 20 or nil")
        try ConfigurationError.check(
            "isCombined", "false", isCombined, "true where streams.partialLevelCount is not nil")
    }
}

extension Market {
    /// Whether its depth streams exist at this interval.
    fileprivate func has(_ interval: DepthInterval) -> Bool {
        let endpoints = Endpoints(market: self, streamBase: "", restBase: "")
        return endpoints.depthStream(SymbolName("A"), every: interval) != nil
    }
}

extension BusySilence {
    /// Checks every field.
    ///
    /// - Throws: `ConfigurationError` of the first field with an illegal value, prefixed by `busySilence.`.
    package func validate() throws(ConfigurationError) {
        try ConfigurationError.check(
            "busySilence.messagesPerSecondMin", messagesPerSecondMin, 1...Int.max)
        let times = [
            ("pingAfterMs", pingAfterMs), ("pongLimitMs", pongLimitMs), ("goneAfterMs", goneAfterMs),
            ("emptyAfterMs", emptyAfterMs),
        ]
        for (field, ms) in times { try ConfigurationError.check("busySilence." + field, ms, 1...Int.max) }
    }

    /// The same with times clamped so that they can be added.
    var saturated: BusySilence {
        var same = self
        same.pingAfterMs = TimeLimit.ms(pingAfterMs)
        same.pongLimitMs = TimeLimit.ms(pongLimitMs)
        same.goneAfterMs = TimeLimit.ms(goneAfterMs)
        same.emptyAfterMs = TimeLimit.ms(emptyAfterMs)
        return same
    }
}
