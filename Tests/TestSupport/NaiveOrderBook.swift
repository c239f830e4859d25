// The book as a person would write it to be sure of it: a dictionary per side, sorted when read.

import DepthBook
import MarketData

/// The model that the real book is compared with.
public struct NaiveOrderBook {
    /// Quantity by bid price.
    public var bids: [Int64: Int64] = [:]
    /// Quantity by ask price.
    public var asks: [Int64: Int64] = [:]

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

    /// Drops the deepest levels of each side beyond the cap, as `OrderBook` documents it.
    public mutating func enforce(levelCountMax: Int) {
        let kept = levelCountMax - levelCountMax / 16
        if bids.count > levelCountMax {
            for level in levels(.bid)[kept...] { bids[level.price.mantissa] = nil }
        }
        if asks.count > levelCountMax {
            for level in levels(.ask)[kept...] { asks[level.price.mantissa] = nil }
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
