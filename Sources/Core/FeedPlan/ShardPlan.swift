// Which symbols share a connection. Symbols are dealt round-robin, because lists tend to begin with the
// busiest.

import MarketData

/// Deals symbols to shards.
package enum ShardPlan {
    /// As few shards as the venue's limit allows, but at least `shardCountMin`, filled evenly. Duplicates are
    /// dropped; no shard is empty.
    ///
    /// - Parameters:
    ///   - symbols: in dealing order.
    ///   - streamsPerSymbol: 1 … `streamCountMax`.
    ///   - streamCountMax: streams on one connection.
    ///   - shardCountMin: fewest shards, as long as there are symbols for them.
    package static func shards(
        _ symbols: [SymbolName], streamsPerSymbol: Int, streamCountMax: Int, shardCountMin: Int = 1
    ) -> [[SymbolName]] {
        precondition((1...streamCountMax).contains(streamsPerSymbol), "a symbol does not fit a connection")
        var seen = Set<SymbolName>()
        let symbols = symbols.filter { seen.insert($0).inserted }
        if symbols.isEmpty { return [] }
        let symbolCountMax = streamCountMax / streamsPerSymbol
        let needed = (symbols.count + symbolCountMax - 1) / symbolCountMax
        let shardCount = min(max(needed, shardCountMin), symbols.count)
        return (0..<shardCount).map { shard in
            stride(from: shard, to: symbols.count, by: shardCount).map { symbols[$0] }
        }
    }
}
