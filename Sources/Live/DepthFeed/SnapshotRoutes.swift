// From the fetcher to the shards: the symbol of a snapshot decides which feed gets it.

import LobHandoff
import MarketData

/// Accepts the fetcher's deliveries for the symbols of one shard.
package protocol SnapshotTaker: Sendable {
    /// - Returns: false if it cannot be accepted now; it is offered again.
    func deliver(_ delivery: SnapshotFetcher.Delivery) -> Bool
}

/// Where snapshots go; filled once the shards exist, which is before any snapshot is requested.
package final class SnapshotRoutes<Shard: SnapshotTaker>: @unchecked Sendable {
    private let routes = CommandQueue<[SymbolName: Shard]>(capacity: 1)
    // Thread: the fetcher's.
    private var known: [SymbolName: Shard] = [:]

    /// Routes that lead nowhere yet.
    package init() {}

    /// The shard of each symbol, once. For any thread.
    package func set(_ shards: [SymbolName: Shard]) { _ = routes.post(shards) }

    /// Delivers it to its shard. Thread: the fetcher's.
    ///
    /// - Returns: false if the shard cannot take it now, or is not there yet.
    package func deliver(_ delivery: SnapshotFetcher.Delivery) -> Bool {
        if let shards = routes.take().first { known = shards }
        return known[delivery.key.symbol]?.deliver(delivery) ?? false
    }
}
