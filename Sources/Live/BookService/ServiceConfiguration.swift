// The configuration of a service.

import BinanceVenue
import BookEngine
import DepthFeed
import FeedPlan
import FeedSockets
import LobHandoff
import LobTransport
import MarketData

/// The configuration of a service.
public struct ServiceConfiguration: Sendable {
    /// Most symbols per service.
    public static var symbolCountMax: Int { 4096 }

    /// The venue's addresses.
    public var endpoints: Endpoints
    /// Symbols; duplicates are dropped. Two that differ only in the case of letters are refused: the venue
    /// gives their streams one name.
    public var symbols: [SymbolName]
    /// Which streams of each symbol.
    public var streams = StreamSelection()
    /// Whether event times are in microseconds; spot only.
    public var isMicroseconds = false
    /// Whether messages name their streams; see `DepthFeed.Configuration.isCombined`.
    public var isCombined = true
    /// Levels per side to maintain, 1 … 5000: snapshots request this many, and a book is deepened when half
    /// of them are left.
    public var depth = 1000
    /// Time between two audits of a book; 0 and `.max` disable them.
    public var auditEveryMs: Int64 = 600_000
    /// A book whose updates arrive this much later than usual is stale; 0 and `.max`: never.
    public var lagMsMax: Int64 = 5_000
    /// Reaction to a contradiction by the venue.
    public var mismatchPolicy = MismatchPolicy.resync
    /// How often views are published.
    public var publication = Publication.perMessage
    /// Minimum number of shards; more are added if one connection cannot carry all streams. At most 60 on a
    /// market that limits attempts to connect (75 with one backend): each must be able to dial.
    public var shardCountMin = 1
    /// Size of each shard's ring in bytes, a power of two; nil: the default for every sixteen symbols of the
    /// shard, at most 128 MiB. That holds half a second of the busiest traffic measured on all of them, so a
    /// book thread that loses its CPU for that long loses nothing.
    public var ringBytes: Int?
    /// What threads do when idle.
    public var idle = IdleStrategy.backoff
    /// CPUs for the feed thread and the book thread of each shard in turn; threads beyond the list are not
    /// pinned.
    public var cpus: [Int] = []
    /// Backends, limits and headers of the connections.
    public var socket = WebSocketClient.Options.feed
    /// Limits and times of the connection supervisor.
    public var supervisor: ConnectionSupervisor.Configuration
    /// When a busy connection that goes silent counts as lost.
    public var busySilence = BusySilence()
    /// Limits of the snapshot fetcher.
    public var fetcher = SnapshotFetcher.Options()
    /// Certificate authorities, proxy, buffers.
    public var loop = EventLoop.Options()
    /// Time between two ticks of the engine.
    public var tickIntervalMs = 100
    /// Silence after which a symbol's streams are resubscribed, and how far a snapshot may lie ahead.
    public var silenceMs: Int64 = 30_000
    /// Seed of all jitter.
    public var seed: UInt64 = 1

    /// A configuration with default settings.
    public init(endpoints: Endpoints, symbols: [SymbolName]) {
        self.endpoints = endpoints
        self.symbols = symbols
        supervisor = ConnectionSupervisor.Configuration(market: endpoints.market)
    }
}

extension ServiceConfiguration {
    /// Levels of the market's snapshot that `depth` needs, and no more.
    var wantedLevelCount: Int { endpoints.market.snapshotLimit(atLeast: depth).levelCount }

    /// Levels of a first or lost book: all at once if that costs little of a minute's weight, otherwise few,
    /// so that hundreds of symbols are live within seconds.
    var firstLevelCount: Int {
        let market = endpoints.market
        let weight = market.snapshotLimit(atLeast: depth).weight * symbols.count
        return weight <= market.weightPool.weightPerMinute / 4
            ? wantedLevelCount : min(market.shallowSnapshotLimit.levelCount, wantedLevelCount)
    }

    /// Reserves enough request weight each minute (at most half) to resync every book: failures such as a
    /// full ring or a lost connection usually hit all books at once, so the weight must not already have been
    /// spent on depth and audits.
    var fetcherOptions: SnapshotFetcher.Options {
        var options = fetcher
        let market = endpoints.market
        var planner = fetcher.planner ?? SnapshotPlanner.Configuration(pool: market.weightPool)
        let all = symbols.count * market.snapshotLimit(atLeast: firstLevelCount).weight
        planner.urgentReserve = max(planner.urgentReserve, min(all, planner.weightUsable / 2))
        options.planner = planner.saturated
        options.requestLimitMs = TimeLimit.ms(fetcher.requestLimitMs)
        options.listLimitMs = TimeLimit.ms(fetcher.listLimitMs)
        return options
    }

    /// Attempts to connect that the venue allows an address in five minutes.
    private static var attemptsMax: Int { 300 }

    /// Most attempts of one dial.
    var attemptsPerDialMax: Int { WebSocketClient.attemptCountMax(socket) }

    /// Most shards that may each dial once in five minutes, whatever becomes of it.
    var diallingShardsMax: Int { ServiceConfiguration.attemptsMax / attemptsPerDialMax }

    /// The engine of a shard.
    package var engine: EngineConfiguration {
        var engine = EngineConfiguration(rules: endpoints.market.rules)
        engine.symbolCountMax = ServiceConfiguration.symbolCountMax
        engine.levelCountMax = max(engine.levelCountMax, 4 * depth)
        // 0 would disable deepening.
        engine.provenLevelCountMin = max(min(depth, wantedLevelCount) / 2, 1)
        engine.requestsAreAnnounced = true
        engine.auditEveryNs = TimeLimit.ns(auditEveryMs)
        engine.lagNsMax = TimeLimit.ns(lagMsMax)
        // A ticker may precede the update with its id by up to the stream's interval.
        let threeIntervalsNs = 3 * TimeLimit.ns(Int64(streams.depthInterval.rawValue))
        engine.aheadNsMax = max(engine.aheadNsMax, threeIntervalsNs)
        engine.mismatchPolicy = mismatchPolicy
        engine.publication = publication
        engine.statusEveryNs = 1_000_000_000
        engine.firstEventNsMax = TimeLimit.ns(silenceMs)
        engine.silenceNsMin = TimeLimit.ns(silenceMs)
        return engine
    }

    /// The feed of a shard.
    func feed(shard: Int, of shardCount: Int, _ symbols: [SymbolName]) -> DepthFeed.Configuration {
        var feed = DepthFeed.Configuration(endpoints: endpoints, symbols: symbols)
        feed.streams = streams
        feed.isMicroseconds = isMicroseconds
        feed.isCombined = isCombined
        feed.supervisor = supervisor
        // The venue counts an address's attempts, whichever shard makes them, and those of a dial too that
        // was the last one allowed.
        let whole = ServiceConfiguration.attemptsMax / shardCount - (attemptsPerDialMax - 1)
        feed.supervisor.attemptsPerFiveMinutesMax = max(
            1, min(supervisor.attemptsPerFiveMinutesMax, 240 / shardCount, whole))
        feed.supervisor.seed = seed &+ UInt64(shard)
        feed.busySilence = busySilence
        feed.tickIntervalMs = tickIntervalMs
        return feed
    }

    /// Ring size in bytes of a shard with this many symbols.
    func ringBytes(symbolCount: Int) -> Int {
        if let ringBytes { return ringBytes }
        var bytes = FrameRing.defaultCapacityBytes
        while bytes < 1 << 27 && bytes / FrameRing.defaultCapacityBytes * 16 < symbolCount { bytes *= 2 }
        return bytes
    }

    /// The CPU of the `index`-th thread, nil if it is not pinned.
    func cpu(_ index: Int) -> Int? { index < cpus.count ? cpus[index] : nil }
}
