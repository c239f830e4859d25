// The book as a person would write it to be sure of it: a dictionary per side, sorted when read.

import DepthBook
import MarketData

/// The model that the real book is compared with.
public struct NaiveOrderBook {
    /// Quantity by bid price.
    public var bids: [Int64: Int64] = [:]
    /// Quantity by ask price.
    public var asks: [Int64: Int64] = [:]

    /// Most levels a side may have, by what came since it was counted.
    private var bounds = (bids: 0, asks: 0)

    /// An empty model.
    public init() {}

    /// Sets absolute quantities in message order; zero removes.
    public mutating func apply(bids newBids: [PriceLevel], asks newAsks: [PriceLevel]) {
        for level in newBids { NaiveOrderBook.set(&bids, level) }
        for level in newAsks { NaiveOrderBook.set(&asks, level) }
    }

    private static func set(_ side: inout [Int64: Int64], _ level: PriceLevel) {
        side[level.price.mantissa] = level.quantity.mantissa == 0 ? nil : level.quantity.mantissa
    }

    /// Drops the deepest levels of each side near the cap, as `OrderBook` documents it.
    ///
    /// - Parameter lengths: levels of the message just applied.
    public mutating func enforce(levelCountMax: Int, after lengths: (bids: Int, asks: Int)) {
        let kept = levelCountMax - levelCountMax / 16
        let full = levelCountMax - levelCountMax / 32
        bounds = (bounds.bids + lengths.bids, bounds.asks + lengths.asks)
        if bounds.bids > levelCountMax {
            if bids.count > full {
                for level in levels(.bid).dropFirst(kept) { bids[level.price.mantissa] = nil }
            }
            bounds.bids = bids.count
        }
        if bounds.asks > levelCountMax {
            if asks.count > full {
                for level in levels(.ask).dropFirst(kept) { asks[level.price.mantissa] = nil }
            }
            bounds.asks = asks.count
        }
    }

    /// Levels of a side, best first.
    public func levels(_ side: Side) -> [PriceLevel] {
        switch side {
        case .bid: bids.map { PriceLevel($0.key, $0.value) }.sorted { $0.price > $1.price }
        case .ask: asks.map { PriceLevel($0.key, $0.value) }.sorted { $0.price < $1.price }
        }
    }
}
