// What a service derives from its configuration, also used by runs without sockets: the same levels, limits
// and reserve, so that simulation results hold for the service.

import BinanceVenue
import BookEngine
import DepthFeed
import FeedPlan
import MarketData

extension ServiceConfiguration {
    /// Levels per side to request. Few for whatever restores trust: that arrives soonest when little weight
    /// is left, and depth follows.
    package func levelCount(_ priority: SnapshotPriority) -> Int {
        switch priority {
        case .initial, .resync, .shallow, .check: firstLevelCount
        case .deepen, .audit: wantedLevelCount
        }
    }

    /// The engine of every shard.
    package var shardEngine: EngineConfiguration { engine }

    /// The planner of the fetcher.
    package var fetcherPlanner: SnapshotPlanner.Configuration {
        fetcherOptions.planner ?? SnapshotPlanner.Configuration(pool: endpoints.market.weightPool)
    }

    /// Most symbols of one shard.
    package var shardSymbolCountMax: Int { supervisor.terms.streamCountMax / streams.streamsPerSymbol }
}
