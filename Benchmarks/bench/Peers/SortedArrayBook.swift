// The book a careful person writes: one array of levels per side, sorted so that the best is at the end of
// both, found by binary search, changed by `insert` and `remove`. Most changes of a real book are near its
// best price, so few levels move. The order of a side is a type, so the comparison is compiled in.

import MarketData

/// How a side is sorted: worse prices first.
protocol SideOrder {
    static func isWorse(_ a: Price, than b: Price) -> Bool
}

/// Lower bids are worse.
enum BidOrder: SideOrder {
    @inline(__always)
    static func isWorse(_ a: Price, than b: Price) -> Bool { a < b }
}

/// Higher asks are worse.
enum AskOrder: SideOrder {
    @inline(__always)
    static func isWorse(_ a: Price, than b: Price) -> Bool { a > b }
}

/// One side, worst level first.
struct SortedArraySide<Order: SideOrder> {
    private(set) var levels: [PriceLevel] = []

    mutating func set(_ level: PriceLevel) {
        let index = lowerBound(level.price)
        let isHeld = index < levels.count && levels[index].price == level.price
        if isHeld && level.quantity == .zero {
            levels.remove(at: index)
        } else if isHeld {
            levels[index].quantity = level.quantity
        } else if level.quantity != .zero {
            levels.insert(level, at: index)
        }
    }

    mutating func load(_ sorted: [PriceLevel]) {
        levels.removeAll(keepingCapacity: true)
        levels.append(contentsOf: sorted.reversed())
    }

    private func lowerBound(_ price: Price) -> Int {
        var low = 0
        var high = levels.count
        while low < high {
            let middle = (low + high) / 2
            if Order.isWorse(levels[middle].price, than: price) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// A book of two sorted arrays.
struct SortedArrayBook: PeerBook {
    static let implementation = Implementation.sortedArray
    private var bids = SortedArraySide<BidOrder>()
    private var asks = SortedArraySide<AskOrder>()

    mutating func load(_ snapshot: LevelLists) {
        bids.load(snapshot.bids)
        asks.load(snapshot.asks)
    }

    mutating func apply(_ update: LevelLists) {
        for level in update.bids { bids.set(level) }
        for level in update.asks { asks.set(level) }
    }

    var bestBid: PriceLevel? { bids.levels.last }
    var bestAsk: PriceLevel? { asks.levels.last }

    func best(_ count: Int) -> LevelLists {
        LevelLists(bids: bids.levels.suffix(count).reversed(), asks: asks.levels.suffix(count).reversed())
    }

    func allLevels() -> LevelLists { best(Int.max) }
}
