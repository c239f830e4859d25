// The true book of a simulated symbol: every level, both sides, in plain sorted arrays.
//
// Simple, because it is off the hot path: one array per side with the best level at the end, and one
// algorithm for both sides by means of the signed key. Most changes hit near the best and move few levels.
// Prices and quantities are mantissas in the profile's scales, however many decimals the venue prints at the
// moment.
//
// Invariants: keys are strictly ascending, no quantity is zero. Worst case: a change at the deepest of n
// levels moves 16 n bytes.

import MarketData

/// One side of a true book.
package struct TrueSide: Sendable {
    /// Which side it is.
    package let side: Side
    /// All levels, worst first, best last.
    package private(set) var levels: [PriceLevel] = []

    /// An empty side.
    package init(_ side: Side) { self.side = side }

    /// Number of levels.
    package var count: Int { levels.count }
    /// The best level, nil if there is none.
    package var best: PriceLevel? { levels.last }

    /// The level with `rank` better ones.
    package func level(rank: Int) -> PriceLevel { levels[levels.count - 1 - rank] }

    /// A number that is greater the better the price is.
    package func key(_ price: Int64) -> Int64 { side == .bid ? price : -price }

    /// Number of levels strictly better than this price.
    package func rank(of price: Int64) -> Int {
        let index = position(price)
        return levels.count - index - (holds(price, at: index) ? 1 : 0)
    }

    /// The quantity at this price, 0 if there is none.
    package func quantity(at price: Int64) -> Int64 {
        let index = position(price)
        return holds(price, at: index) ? levels[index].quantity.mantissa : 0
    }

    /// Sets a level to a quantity; zero removes it. False if the side already has that quantity.
    @discardableResult
    package mutating func set(_ level: PriceLevel) -> Bool {
        let index = position(level.price.mantissa)
        let isHeld = holds(level.price.mantissa, at: index)
        if level.quantity == .zero {
            if isHeld { levels.remove(at: index) }
            return isHeld
        }
        if !isHeld {
            levels.insert(level, at: index)
            return true
        }
        if levels[index].quantity == level.quantity { return false }
        levels[index].quantity = level.quantity
        return true
    }

    /// Replaces all levels.
    mutating func load(bestFirst: [PriceLevel]) { levels = bestFirst.reversed() }

    private func holds(_ price: Int64, at index: Int) -> Bool {
        index < levels.count && levels[index].price.mantissa == price
    }

    /// Index of the first level that is not worse than this price.
    private func position(_ price: Int64) -> Int { position(price, from: 0, to: levels.count) }

    private func position(_ price: Int64, from first: Int, to end: Int) -> Int {
        let wanted = key(price)
        var low = first
        var count = end - first
        // Binary search without a branch on the comparison: half of those branches would be mispredicted.
        while count > 0 {
            let half = (count + 1) / 2
            low = key(levels[low + half - 1].price.mantissa) < wanted ? low + half : low
            count -= half
        }
        return low
    }

    /// Appends what the side holds at each of `prices`, which are ordered from worst to best or from best to
    /// worst.
    func append(_ prices: [Int64], to found: inout [PriceLevel]) {
        var near = levels.count / 2
        for price in prices {
            near = gallop(price, near)
            let isHeld = holds(price, at: near)
            found.append(PriceLevel(price, isHeld ? levels[near].quantity.mantissa : 0))
        }
    }

    /// The position of a price not far from an index: strides double until they pass it.
    private func gallop(_ price: Int64, _ near: Int) -> Int {
        let wanted = key(price)
        var low = near
        var high = near
        var stride = 4
        while low > 0 && key(levels[low - 1].price.mantissa) >= wanted {
            low = max(low - stride, 0)
            stride *= 2
        }
        stride = 4
        while high < levels.count && key(levels[high].price.mantissa) < wanted {
            high = min(high + stride, levels.count)
            stride *= 2
        }
        return position(price, from: low, to: high)
    }
}

/// Both sides of a true book at one update id.
package struct TrueBook: Sendable {
    /// Update id of this state.
    package internal(set) var id = UpdateID(0)
    /// Decimals of prices and quantities.
    package let scales: SymbolScales
    /// Buyers.
    package private(set) var bids = TrueSide(.bid)
    /// Sellers.
    package private(set) var asks = TrueSide(.ask)

    /// An empty book.
    package init(_ scales: SymbolScales) { self.scales = scales }

    /// One of the two sides.
    package subscript(side: Side) -> TrueSide { side == .bid ? bids : asks }

    /// Sets a level of one side; zero quantity removes it. False if the side already has that quantity.
    @discardableResult
    package mutating func set(_ side: Side, _ level: PriceLevel) -> Bool {
        side == .bid ? bids.set(level) : asks.set(level)
    }

    mutating func load(_ side: Side, bestFirst: [PriceLevel]) {
        if side == .bid { bids.load(bestFirst: bestFirst) } else { asks.load(bestFirst: bestFirst) }
    }
}
