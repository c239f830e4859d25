// The book most people write first: a dictionary from price to quantity per side, and the prices of each side
// in a sorted list kept by bisection, so that the best price is the list's end: the last bid, the first ask.
//
// Both lists ascend, as `bisect.insort` keeps them. New asks near the touch therefore move the whole list
// behind them; the sorted-array peer beside this one is the careful version that avoids it.

import MarketData

/// One side: quantity by price, and the prices ascending.
struct DictionarySide {
    private(set) var quantities: [Price: Quantity] = [:]
    private(set) var prices: [Price] = []

    mutating func set(_ level: PriceLevel) {
        if level.quantity == .zero {
            if quantities.removeValue(forKey: level.price) != nil {
                prices.remove(at: lowerBound(level.price))
            }
        } else if quantities.updateValue(level.quantity, forKey: level.price) == nil {
            prices.insert(level.price, at: lowerBound(level.price))
        }
    }

    mutating func load(_ levels: [PriceLevel]) {
        quantities.removeAll(keepingCapacity: true)
        for level in levels { quantities[level.price] = level.quantity }
        prices = quantities.keys.sorted()
    }

    func level(at price: Price) -> PriceLevel? {
        quantities[price].map { PriceLevel(price: price, quantity: $0) }
    }

    private func lowerBound(_ price: Price) -> Int {
        var low = 0
        var high = prices.count
        while low < high {
            let middle = (low + high) / 2
            if prices[middle] < price { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// A book of two dictionaries.
struct DictionaryBook: PeerBook {
    static let implementation = Implementation.dictionary
    private var bids = DictionarySide()
    private var asks = DictionarySide()

    mutating func load(_ snapshot: LevelLists) {
        bids.load(snapshot.bids)
        asks.load(snapshot.asks)
    }

    mutating func apply(_ update: LevelLists) {
        for level in update.bids { bids.set(level) }
        for level in update.asks { asks.set(level) }
    }

    var bestBid: PriceLevel? { bids.prices.last.flatMap { bids.level(at: $0) } }
    var bestAsk: PriceLevel? { asks.prices.first.flatMap { asks.level(at: $0) } }

    func best(_ count: Int) -> LevelLists {
        LevelLists(
            bids: bids.prices.suffix(count).reversed().compactMap { bids.level(at: $0) },
            asks: asks.prices.prefix(count).compactMap { asks.level(at: $0) })
    }

    func allLevels() -> LevelLists { best(Int.max) }
}
