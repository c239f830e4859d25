// Operations on a whole book: its digest, its levels for tools, its integrity.

import MarketData

/// What is wrong with a book.
public enum IntegrityFault: Error, Hashable, Sendable {
    /// Best bid at or above best ask.
    case crossed(bid: Price, ask: Price)
    /// The storage of a side is damaged.
    case storage(side: Side, StorageFault)
}

extension OrderBook {
    /// 64-bit hash of all levels, independent of insertion history; see `BookDigest`. O(levels).
    public borrowing func digest() -> UInt64 {
        var digest = BookDigest()
        bids.forEachLevel {
            digest.add($0); return true
        }
        digest.endSide()
        asks.forEachLevel {
            digest.add($0); return true
        }
        digest.endSide()
        return digest.value
    }

    /// All levels of a side, best first, as an array for tools and tests.
    public borrowing func levels(_ side: Side) -> [PriceLevel] {
        var levels: [PriceLevel] = []
        forEachLevel(side) {
            levels.append($0); return true
        }
        return levels
    }

    /// Calls `body` with each level of a side, best first, until it returns false.
    @inline(__always)
    public borrowing func forEachLevel(_ side: Side, _ body: (PriceLevel) -> Bool) {
        switch side {
        case .bid: bids.forEachLevel(body)
        case .ask: asks.forEachLevel(body)
        }
    }

    /// How far a side is known.
    public borrowing func proven(_ side: Side) -> ProvenRange { side == .bid ? provenBids : provenAsks }

    /// The first fault found, or nil: sides sorted, no zero or negative quantity, samples true, not crossed.
    /// - Complexity: O(capacity); for tests and audits.
    public borrowing func integrityFault() -> IntegrityFault? {
        if let fault = bids.storageFault() { return .storage(side: .bid, fault) }
        if let fault = asks.storageFault() { return .storage(side: .ask, fault) }
        if let bid = bestBid, let ask = bestAsk, bid.price >= ask.price {
            return .crossed(bid: bid.price, ask: ask.price)
        }
        return nil
    }
}

extension OrderBook {
    /// Slots visited by a walk through both sides: the cost of such a walk. O(1).
    package var slotCount: Int { bids.high + asks.high + 2 }

    /// Number of levels inside the proven range of a side. O(slots / 8).
    public borrowing func provenLevelCount(_ side: Side) -> Int {
        switch proven(side) {
        case .nothing: 0
        case .to(let worst): side == .bid ? bids.count(downTo: worst) : asks.count(downTo: worst)
        case .unbounded: side == .bid ? bids.count : asks.count
        }
    }

    /// Whether a price of a side lies inside the proven range, so that the book's answer for it is exact.
    public borrowing func isProven(_ side: Side, _ price: Price) -> Bool {
        proven(side).reaches(price, on: side)
    }

    /// Whether the best price of a side is known: it lies inside the proven range, or the side is known to be
    /// empty. O(1).
    @inline(__always)
    public borrowing func hasProvenBest(_ side: Side) -> Bool {
        guard let best = side == .bid ? bestBid : bestAsk else { return proven(side) == .unbounded }
        return isProven(side, best.price)
    }

    /// Whether the best prices of both sides are known. Changes nothing; it says `mutating` because an
    /// object's book that is borrowed is copied for the call, all 288 bytes of it, and one that is changed is
    /// not.
    package mutating func hasProvenBests() -> Bool { hasProvenBest(.bid) && hasProvenBest(.ask) }

    /// The first level in which two books of equal scales differ inside both proven ranges of a side, nil if
    /// there is none.
    ///
    /// - Returns: the differing price with both quantities, zero if a book has no such level.
    /// - Complexity: O(levels). Allocates nothing.
    public borrowing func difference(from other: borrowing OrderBook, _ side: Side) -> LevelDifference? {
        var walk = SideComparison(side)
        _ = walk.advance(self, other, levelCountMax: .max)
        return walk.difference
    }
}

/// A price at which two books differ.
public struct LevelDifference: Hashable, Sendable, BitwiseCopyable {
    /// The price.
    public var price: Price
    /// Quantity in this book.
    public var own: Quantity
    /// Quantity in the other book.
    public var other: Quantity
}
