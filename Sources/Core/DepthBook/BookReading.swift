// Analytics of a book, written once for all readers: the book itself with all its levels, and the published
// view with the best twenty.
//
// Why a protocol: the answer must not depend on which of them is asked. Both give their levels best first and
// say how far they know the side; every sum comes from one walk, which never leaves that range.
//
// Invariants
// * No answer rests on a level outside the known range: a price that depends on one is nil, and a sum stops
//   before it and says so. The age of the levels and whether the book is stale are in the book or view
//   itself.
// * Sums and products are 128-bit integers and quotients are exact fractions; nothing is rounded here.
//
// Worst case: a walk over all known levels of a side.

import MarketData

/// A source of levels of both sides that knows how far they can be trusted.
public protocol BookReading: ~Copyable {
    /// Calls `body` with each level of a side, best first, until it returns false.
    borrowing func forEachLevel(_ side: Side, _ body: (PriceLevel) -> Bool)

    /// The range of a side within which `forEachLevel` misses no level of the venue.
    borrowing func known(_ side: Side) -> ProvenRange
}

extension OrderBook: BookReading {
    /// The proven range: a book shows every level it holds.
    @inlinable
    public borrowing func known(_ side: Side) -> ProvenRange { proven(side) }
}

extension BookView: BookReading {
    /// Calls `body` with each level of a side, best first, until it returns false.
    @inlinable
    public func forEachLevel(_ side: Side, _ body: (PriceLevel) -> Bool) {
        switch side {
        case .bid: for index in 0..<count(side) where !body(bids[index]) { return }
        case .ask: for index in 0..<count(side) where !body(asks[index]) { return }
        }
    }

    /// How far the book behind the view is known.
    @inlinable
    public func proven(_ side: Side) -> ProvenRange { side == .bid ? provenBids : provenAsks }

    /// The proven range, cut off at the last level of a full view: the book may hold more below it.
    @inlinable
    public func known(_ side: Side) -> ProvenRange {
        let proven = proven(side)
        let count = count(side)
        if count < BookView.levelCountMax { return proven }
        let last = side == .bid ? bids[count - 1].price : asks[count - 1].price
        return proven.reaches(last, on: side) ? .to(last) : proven
    }

    @inlinable
    func count(_ side: Side) -> Int {
        min(Int(side == .bid ? bidCount : askCount), BookView.levelCountMax)
    }
}

extension BookReading where Self: ~Copyable {
    /// Calls `body` with each known level, best first, until it returns why the walk stops.
    @inlinable
    @inline(__always)
    borrowing func walk(_ side: Side, _ body: (PriceLevel) -> WalkEnd?) -> WalkEnd {
        let range = known(side)
        var end: WalkEnd = range == .unbounded ? .sideEnds : .rangeEnds
        forEachLevel(side) { level in
            if !range.reaches(level.price, on: side) { return false }
            guard let decided = body(level) else { return true }
            end = decided
            return false
        }
        return end
    }

    /// The best level of a side, nil if the side is empty or its best level is not known.
    @inlinable
    public borrowing func best(_ side: Side) -> PriceLevel? {
        var best: PriceLevel?
        _ = walk(side) {
            best = $0
            return .complete
        }
        return best
    }

    /// Best ask minus best bid, negative in a crossed book; nil if either is not known.
    @inlinable
    public var spread: Price? {
        guard let bid = best(.bid), let ask = best(.ask) else { return nil }
        let (spread, overflow) = ask.price.mantissa.subtractingReportingOverflow(bid.price.mantissa)
        return overflow ? nil : Price(spread)
    }

    /// Halfway between best bid and best ask, in price mantissas; nil if either is not known.
    @inlinable
    public var mid: ExactRatio? {
        guard let bid = best(.bid), let ask = best(.ask) else { return nil }
        return ExactRatio(Int128(bid.price.mantissa) + Int128(ask.price.mantissa), 2)
    }

    /// The prices of best bid and best ask, each weighted by the quantity of the other (the microprice). In
    /// price mantissas; nil if either is not known.
    @inlinable
    public var microprice: ExactRatio? {
        guard let bid = best(.bid), let ask = best(.ask) else { return nil }
        let bidQuantity = Int128(bid.quantity.mantissa)
        let askQuantity = Int128(ask.quantity.mantissa)
        let all = bidQuantity + askQuantity
        if all <= 0 { return nil }
        return ExactRatio(
            Int128(bid.price.mantissa) * askQuantity + Int128(ask.price.mantissa) * bidQuantity, all)
    }

    /// (bids − asks) / (bids + asks) of the quantities of the best `levelCount` levels per side: −1 … 1.
    ///
    /// - Returns: nil if fewer than that many levels are known of a side that has them, or if there is no
    ///   quantity.
    @inlinable
    public borrowing func imbalance(levelCount: Int) -> ExactRatio? {
        let bids = cumulative(.bid, levelCount: levelCount)
        let asks = cumulative(.ask, levelCount: levelCount)
        let all = bids.quantity + asks.quantity
        if !bids.isExact || !asks.isExact || all <= 0 { return nil }
        return ExactRatio(bids.quantity - asks.quantity, all)
    }

    /// Quantity and notional of the best `levelCount` levels of a side.
    @inlinable
    public borrowing func cumulative(_ side: Side, levelCount: Int) -> DepthSum {
        var sum = DepthSum()
        if levelCount <= 0 { return sum }
        sum.end = walk(side) {
            if !sum.add($0.price, $0.quantity.mantissa) { return .numbersEnd }
            return sum.levelCount == levelCount ? .complete : nil
        }
        return sum
    }

    /// The cost of filling a quantity.
    ///
    /// - Parameters:
    ///   - quantity: at least 0; less counts as 0.
    ///   - side: the side taken from: `.ask` to buy, `.bid` to sell.
    @inlinable
    public borrowing func fill(_ quantity: Quantity, from side: Side) -> DepthFill {
        var sum = DepthSum()
        var left = quantity.mantissa
        if left <= 0 { return .whole(sum) }
        sum.end = walk(side) {
            let taken = min(left, $0.quantity.mantissa)
            if !sum.add($0.price, taken) { return .numbersEnd }
            left -= taken
            return left == 0 ? .complete : nil
        }
        return left == 0 ? .whole(sum) : .part(sum)
    }

    /// The quantity that a notional amount buys or sells.
    ///
    /// The walk takes whole levels, and of the last one the greatest quantity the remainder pays for. The
    /// fill is whole if less than the price of one more quantity unit remains.
    ///
    /// - Parameters:
    ///   - notional: at least 0, with the decimals of a price plus those of a quantity; less counts as 0.
    ///   - side: as of `fill(_:from:)`.
    @inlinable
    public borrowing func fill(notional: Int128, from side: Side) -> DepthFill {
        var sum = DepthSum()
        if notional <= 0 { return .whole(sum) }
        sum.end = walk(side) {
            let price = Int128($0.price.mantissa)
            let payable = price > 0 ? (notional - sum.notional) / price : Int128(Int64.max)
            let taken = min(Int64(clamping: payable), $0.quantity.mantissa)
            if taken > 0 && !sum.add($0.price, taken) { return .numbersEnd }
            return taken < $0.quantity.mantissa || sum.notional == notional ? .complete : nil
        }
        return sum.end == .complete ? .whole(sum) : .part(sum)
    }

    /// Quantity and notional at a price or better.
    @inlinable
    public borrowing func available(_ side: Side, within limit: Price) -> DepthSum {
        var sum = DepthSum()
        let end = walk(side) {
            if side.isBetter(limit, than: $0.price) { return .complete }
            return sum.add($0.price, $0.quantity.mantissa) ? nil : .numbersEnd
        }
        sum.end = end != .numbersEnd && known(side).reaches(limit, on: side) ? .complete : end
        return sum
    }

    /// Quantity and notional within this many basis points of the mid price.
    ///
    /// - Returns: nil if the mid price is not known.
    @inlinable
    public borrowing func available(_ side: Side, withinBasisPoints distance: UInt32) -> DepthSum? {
        guard let mid = mid else { return nil }
        // No price lies between the exact limit and the next integer on the near side.
        let factor = side == .bid ? 10_000 - Int128(distance) : 10_000 + Int128(distance)
        let product = mid.numerator * factor
        let divisor = mid.denominator * 10_000
        let limit = (side == .bid ? product + divisor - 1 : product) / divisor
        return available(side, within: Price(Int64(clamping: max(limit, 0))))
    }
}
