// Legal configurations of a service, all validated here before any thread exists. A time beyond
// `TimeLimit.longestMs` is clamped to it, so `.max` means never.

import BinanceVenue
import BookEngine
import DepthFeed
import FeedPlan
import FeedSockets
import LobHandoff
import LobTransport
import MarketData

extension ServiceConfiguration {
    /// Deepest available depth.
    private static var depthMax: Int { 5000 }
    /// Largest CPU number; a nonexistent one is reported when a thread is pinned to it.
    private static var cpuMax: Int { 65_535 }

    /// Checks every field.
    ///
    /// - Throws: `ConfigurationError` of the first field with an illegal value; of symbols it is only checked
    ///   that no two different ones share their streams.
    public func validate() throws(ConfigurationError) {
        try StreamOwners.check(symbols)
        try streams.validate(endpoints.market, isCombined: isCombined)
        try ConfigurationError.check("depth", depth, 1...ServiceConfiguration.depthMax)
        try ConfigurationError.check("auditEveryMs", auditEveryMs, 0...Int.max)
        try ConfigurationError.check("lagMsMax", lagMsMax, 0...Int.max)
        try ConfigurationError.check("shardCountMin", shardCountMin, 1...ServiceConfiguration.symbolCountMax)
        try ConfigurationError.check("tickIntervalMs", tickIntervalMs, 1...60_000)
        try ConfigurationError.check("silenceMs", silenceMs, 1...Int.max)
        for (index, cpu) in cpus.enumerated() {
            try ConfigurationError.check("cpus[\(index)]", cpu, 0...ServiceConfiguration.cpuMax)
        }
        if let ringBytes {
            let range = FrameRing.capacityBytesRange
            try ConfigurationError.check(
                "ringBytes", "\(ringBytes)", range.contains(ringBytes) && ringBytes.nonzeroBitCount == 1,
                "a power of two, \(range.lowerBound) … \(range.upperBound)")
        }
        do throws(ConfigurationError) {
            try supervisor.validate(streamCount: streams.streamsPerSymbol)
        } catch {
            throw error.inside("supervisor")
        }
        try socket.validate()
        if supervisor.terms.attemptsPerFiveMinutesMax != nil {
            try ConfigurationError.check("shardCountMin", shardCountMin, 1...max(diallingShardsMax, 1))
        }
        try busySilence.validate()
        try validateFetcher()
        try validateLoop()
    }

    private func validateFetcher() throws(ConfigurationError) {
        let bytesMax = 1 << 30
        try ConfigurationError.check("fetcher.bodyBytesMax", fetcher.bodyBytesMax, 1...bytesMax)
        try ConfigurationError.check("fetcher.listBytesMax", fetcher.listBytesMax, 1...bytesMax)
        try ConfigurationError.check("fetcher.requestLimitMs", fetcher.requestLimitMs, 1...Int.max)
        try ConfigurationError.check("fetcher.listLimitMs", fetcher.listLimitMs, 1...Int.max)
        try ConfigurationError.check("fetcher.listAttemptsMax", fetcher.listAttemptsMax, 1...Int.max)
        try ConfigurationError.check("fetcher.redeliveryMs", fetcher.redeliveryMs, 1...60_000)
        try ConfigurationError.check("fetcher.statusIntervalMs", fetcher.statusIntervalMs, 1...60_000)
        let pool = endpoints.market.weightPool
        do throws(ConfigurationError) {
            // Checked as given, since values derived from illegal numbers may overflow.
            try (fetcher.planner ?? SnapshotPlanner.Configuration(pool: pool)).validate(pool: pool)
            try fetcherOptions.planner?.validate(pool: pool)
        } catch {
            throw error.inside("fetcher.planner")
        }
    }

    private func validateLoop() throws(ConfigurationError) {
        let bytesMax = 1 << 30
        try ConfigurationError.check("loop.readBytesMax", loop.readBytesMax, 16_384...1 << 24)
        try ConfigurationError.check("loop.queueBytesMax", loop.queueBytesMax, 4096...bytesMax)
        try ConfigurationError.check("loop.commandCountMax", loop.commandCountMax, 1...1_000_000)
    }

    /// Checks that the venue's addresses are valid.
    func validateAddresses() throws(TransportError) {
        _ = try ServiceURL(endpoints.streamBase + endpoints.combinedStreamTarget([]))
        _ = try ServiceURL(endpoints.restBase)
    }
}
