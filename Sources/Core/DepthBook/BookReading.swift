// Questions about a book, answered once for all readers: for the book itself with all its levels, and for the
// published view with the best twenty.
//
// Why a protocol: the answer must not depend on where the question was asked. Both readers give their levels
// best first and say how far they know the side; one walk, which never leaves that range, feeds every sum.
//
// Invariants
// * No answer rests on a level outside the known range: a price that depends on one is nil, and a sum ends
//   before it and says so. How old the levels are, and whether the book is stale, is in the book or view
//   itself.
// * Sums and products are 128-bit integers and quotients are exact fractions; nothing is rounded here.
//
// Worst case: a walk over all known levels of a side.

import MarketData

/// Something that shows the levels of both sides and knows how far they can be trusted.
public protocol BookReading: ~Copyable {
    /// Calls `body` with each level of a side, best first, until it returns false.
    borrowing func forEachLevel(_ side: Side, _ body: (PriceLevel) -> Bool)

    /// The range of a side in which no level of the venue is missing from `forEachLevel`.
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
    /// Calls `body` with each known level, best first, until it returns how the walk ends.
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

    /// Between best bid and best ask, nearer to the side with less quantity: each price weighted by the
    /// quantity of the other. In price mantissas; nil if either is not known.
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

    /// (bids − asks) / (bids + asks) of the quantities of the best `levelCount` levels a side: −1 … 1.
    ///
    /// - Returns: nil if a side has that many levels and they are not known, or if there is no quantity.
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

    /// What it takes to fill a quantity.
    ///
    /// - Parameters:
    ///   - quantity: at least 0; less counts as 0.
    ///   - side: the side whose levels are taken: `.ask` to buy, `.bid` to sell.
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

    /// What an amount is enough for.
    ///
    /// The walk takes whole levels, and of the last one the greatest quantity that the rest pays for. The
    /// fill is whole if less than the price of one more quantity unit is left.
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

    /// Quantity and notional at most this many hundredths of a percent away from the mid price.
    ///
    /// - Returns: nil if the mid price is not known.
    @inlinable
    public borrowing func available(_ side: Side, withinBasisPoints distance: UInt32) -> DepthSum? {
        guard let mid = mid else { return nil }
        // No price lies between the exact limit and the integer next to it on the near side.
        let factor = side == .bid ? 10_000 - Int128(distance) : 10_000 + Int128(distance)
        let product = mid.numerator * factor
        let divisor = mid.denominator * 10_000
        let limit = (side == .bid ? product + divisor - 1 : product) / divisor
        return available(side, within: Price(Int64(clamping: max(limit, 0))))
    }
}
