// The streams by which a symbol is followed.
//
// All streams of a symbol share one connection: they meet in one engine, and tickers prove a book only if
// they keep their order relative to its updates.

import MarketData

/// The streams of each symbol of a shard.
public struct StreamSelection: Hashable, Sendable {
    /// Interval of the depth stream.
    public var depthInterval = DepthInterval.ms100
    /// Whether the best bid and ask are followed too; each is compared with the book.
    public var hasBookTicker = true
    /// Levels of the partial depth stream, 5, 10 or 20, also compared with the book; nil for none.
    public var partialLevelCount: Int?

    /// Depth every 100 ms, and the book ticker.
    public init() {}

    /// Number of streams per symbol.
    public var streamsPerSymbol: Int { 1 + (hasBookTicker ? 1 : 0) + (partialLevelCount == nil ? 0 : 1) }

    /// Names of the streams of one symbol; nil if the market has no such stream.
    public func names(of symbol: SymbolName, at endpoints: Endpoints) -> [String]? {
        guard let depth = endpoints.depthStream(symbol, every: depthInterval) else { return nil }
        var names = [depth]
        if hasBookTicker { names.append(endpoints.bookTickerStream(symbol)) }
        if let partialLevelCount {
            let partial = endpoints.partialDepthStream(
                symbol, levels: partialLevelCount, every: depthInterval)
            guard let partial else { return nil }
            names.append(partial)
        }
        return names
    }
}
