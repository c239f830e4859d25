// Compares two books level by level, in slices: both sides are walked from the best level outwards, like a
// merge.
//
// Between slices both books may move, as long as they move alike: what was compared stays equal, and the rest
// is compared as it then is. So a slice can be as short as the thread can spare.
//
// Worst case: `levelCountMax` levels of each book per slice, and two searches.

import MarketData

/// The comparison of one side of two books. Starts at the best level.
struct SideComparison {
    private let side: Side
    /// Rank of the last level compared; levels from here outwards are still to come.
    private var doneRank = Int64.max
    private(set) var difference: LevelDifference?

    init(_ side: Side) { self.side = side }

    /// Compares at most `levelCountMax` further levels; true if the side is done.
    mutating func advance(
        _ own: borrowing OrderBook, _ other: borrowing OrderBook, levelCountMax: Int
    ) -> Bool {
        let worst = SideComparison.worstRank(own.proven(side), other.proven(side), side)
        guard let worst else { return true }
        switch side {
        case .bid: return walk(own.bids, other.bids, worst, levelCountMax)
        case .ask: return walk(own.asks, other.asks, worst, levelCountMax)
        }
    }

    /// The worst rank to which both books are known; nil if one of them is not known at all.
    private static func worstRank(_ a: ProvenRange, _ b: ProvenRange, _ side: Side) -> Int64? {
        guard let first = rank(a, side), let second = rank(b, side) else { return nil }
        return max(first, second)
    }

    private static func rank(_ range: ProvenRange, _ side: Side) -> Int64? {
        switch range {
        case .nothing: nil
        case .to(let price): price.mantissa ^ (side == .bid ? 0 : -1)
        case .unbounded: .min
        }
    }

    private mutating func walk(
        _ own: borrowing BookSide, _ other: borrowing BookSide, _ worst: Int64, _ levelCountMax: Int
    ) -> Bool {
        var mine = own.firstSlot(below: doneRank)
        var theirs = other.firstSlot(below: doneRank)
        var left = levelCountMax
        while left > 0 {
            let a = own.rank(mine, notBelow: worst)
            let b = other.rank(theirs, notBelow: worst)
            if a == nil && b == nil { return true }
            let rank = max(a ?? .min, b ?? .min)
            let mineQuantity = a == rank ? own.quantity(in: mine) : .zero
            let otherQuantity = b == rank ? other.quantity(in: theirs) : .zero
            if mineQuantity != otherQuantity {
                difference = LevelDifference(
                    price: own.price(ofRank: rank), own: mineQuantity, other: otherQuantity)
                return true
            }
            mine = own.deeper(mine)
            theirs = other.deeper(theirs)
            doneRank = rank
            left -= 1
        }
        return false
    }
}

/// The comparison of two whole books, in slices. O(levels) in all; allocates nothing.
package struct BookComparison: Sendable {
    /// State of the comparison.
    package enum Progress: Hashable, Sendable {
        /// There are levels left.
        case unfinished
        /// Inside both proven ranges the books are equal.
        case equal
        /// They differ; this is the first difference.
        case differ(Side, LevelDifference)
    }

    private var bids = SideComparison(.bid)
    private var asks = SideComparison(.ask)
    private var bidsAreDone = false

    /// A comparison that has not started.
    package init() {}

    /// Compares at most `levelCountMax` further levels per side. Both books must have equal scales and stand
    /// at the same update.
    package mutating func advance(
        _ own: borrowing OrderBook, _ other: borrowing OrderBook, levelCountMax: Int = .max
    ) -> Progress {
        if !bidsAreDone {
            bidsAreDone = bids.advance(own, other, levelCountMax: levelCountMax)
            if let found = bids.difference { return .differ(.bid, found) }
            if !bidsAreDone { return .unfinished }
        }
        let isDone = asks.advance(own, other, levelCountMax: levelCountMax)
        if let found = asks.difference { return .differ(.ask, found) }
        return isDone ? .equal : .unfinished
    }
}
