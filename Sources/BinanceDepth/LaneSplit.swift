// Which streams a symbol is followed by, and which symbols share a connection.
//
// All streams of a symbol go over the same connection: they meet in one engine, and tickers prove a book
// only if they keep their order with its events. Symbols are dealt out in turn, because whoever lists them
// tends to begin with the busiest.

import MarketData

/// The streams of every symbol of a lane.
public struct StreamChoice: Hashable, Sendable {
    /// Interval of the depth stream.
    public var depthInterval = DepthInterval.ms100
    /// Whether the best bid and ask are followed too; every one is compared with the book.
    public var hasBookTicker = true
    /// Levels of the partial depth stream, 5, 10 or 20, which is compared with the book too; nil for none.
    public var partialLevelCount: Int?

    /// Depth every 100 ms, and the book ticker.
    public init() {}

    /// Streams of one symbol.
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

/// Deals symbols out to lanes.
public enum LaneSplit {
    /// As few lanes as the venue's limit allows, but at least `laneCountMin`, filled evenly. Symbols named
    /// twice are taken once; there are no empty lanes.
    ///
    /// - Parameters:
    ///   - streamsPerSymbol: 1 … `streamCountMax`.
    ///   - streamCountMax: streams on one connection.
    public static func lanes(
        _ symbols: [SymbolName], streamsPerSymbol: Int, streamCountMax: Int, laneCountMin: Int = 1
    ) -> [[SymbolName]] {
        precondition((1...streamCountMax).contains(streamsPerSymbol), "a symbol does not fit a connection")
        var seen = Set<SymbolName>()
        let symbols = symbols.filter { seen.insert($0).inserted }
        if symbols.isEmpty { return [] }
        let symbolCountMax = streamCountMax / streamsPerSymbol
        let needed = (symbols.count + symbolCountMax - 1) / symbolCountMax
        let laneCount = min(max(needed, laneCountMin), symbols.count)
        return (0..<laneCount).map { lane in
            stride(from: lane, to: symbols.count, by: laneCount).map { symbols[$0] }
        }
    }
}
