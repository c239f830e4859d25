// The levels of an update, wherever they lie.
//
// SAFETY: as long as the update is borrowed; nobody keeps one longer than a call.

import MarketData

/// Both sides of an update as a book takes them. An update that is a property of something would be copied to
/// be passed on; this is not.
@unsafe
@usableFromInline
struct UpdateLevels {
    var bids: UnsafePointer<PriceLevel>
    var bidCount: Int
    var asks: UnsafePointer<PriceLevel>
    var askCount: Int

    @usableFromInline
    @inline(__always)
    init(bids: UnsafePointer<PriceLevel>, bidCount: Int, asks: UnsafePointer<PriceLevel>, askCount: Int) {
        unsafe self.bids = unsafe bids
        unsafe self.bidCount = bidCount
        unsafe self.asks = unsafe asks
        unsafe self.askCount = askCount
    }

    /// The first and the last price of each side; those of an ordered side lie between them. The parser lets
    /// no other through, so this is for callers that make their own updates.
    @inline(__always)
    func check() throws(BookError) {
        var seen: UInt64 = 0
        if unsafe bidCount > 0 {
            unsafe seen |= UpdateLevels.excess(bids[0]) | UpdateLevels.excess(bids[bidCount &- 1])
        }
        if unsafe askCount > 0 {
            unsafe seen |= UpdateLevels.excess(asks[0]) | UpdateLevels.excess(asks[askCount &- 1])
        }
        if seen &>> 63 != 0 { throw .priceOutOfRange }
    }

    /// Its highest bit is set if the price is negative or beyond the largest legal one.
    @inline(__always)
    private static func excess(_ level: PriceLevel) -> UInt64 {
        let price = UInt64(bitPattern: level.price.mantissa)
        return price | (UInt64(Price.mantissaMax) &- price)
    }

    /// Whether there is no quantity but zero.
    var removeOnly: Bool {
        for i in unsafe 0..<bidCount where unsafe bids[i].quantity != .zero { return false }
        for i in unsafe 0..<askCount where unsafe asks[i].quantity != .zero { return false }
        return true
    }

    /// An update of these levels in other scales; nil if a number does not fit them. O(levels), allocating.
    func scaled(
        from own: SymbolScales, to wide: SymbolScales, _ updateID: UpdateID, _ time: Int64
    ) -> DepthUpdate? {
        var update = unsafe DepthUpdate(levelCapacity: max(bidCount, askCount, 1))
        (update.last, update.eventTimeUs, update.scales) = (updateID, time, wide)
        for i in unsafe 0..<bidCount {
            guard let level = unsafe bids[i].scaled(from: own, to: wide) else { return nil }
            update.bids.append(level)
        }
        for i in unsafe 0..<askCount {
            guard let level = unsafe asks[i].scaled(from: own, to: wide) else { return nil }
            update.asks.append(level)
        }
        return update
    }
}
