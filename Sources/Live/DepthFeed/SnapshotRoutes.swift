// From the fetcher to the shards: the symbol of a snapshot determines its feed.

import LobHandoff
import MarketData

/// Accepts the fetcher's deliveries for the symbols of one shard.
package protocol SnapshotTaker: Sendable {
    /// - Returns: false if it cannot be accepted now; it is offered again.
    func deliver(_ delivery: SnapshotFetcher.Delivery) -> Bool
}

/// Destinations of snapshots; filled once the shards exist, which is before any snapshot is requested.
package final class SnapshotRoutes<Shard: SnapshotTaker>: @unchecked Sendable {
    private let routes = CommandQueue<[SymbolName: Shard]>(capacity: 1)
    // Thread: the fetcher's.
    private var known: [SymbolName: Shard] = [:]

    /// Routes without shards.
    package init() {}

    /// Sets each symbol's shard, once. For any thread.
    package func set(_ shards: [SymbolName: Shard]) { _ = routes.post(shards) }

    /// Delivers to the symbol's shard. Thread: the fetcher's.
    ///
    /// - Returns: false if the shard cannot accept it now, or does not exist yet.
    package func deliver(_ delivery: SnapshotFetcher.Delivery) -> Bool {
        if let shards = routes.take().first { known = shards }
        return known[delivery.key.symbol]?.deliver(delivery) ?? false
    }
}
