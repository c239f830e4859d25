// Reading a side, from the best level outwards, skipping free slots; and the checks used by tests and audits.
//
// SAFETY: slots stay in `0 ... high`, and `high < capacity`; `lob_level` has the layout of `PriceLevel`, and
// at most as many are written as the output has.

import CLobKernels
import MarketData

extension BookSide {
    /// Number of levels. O(capacity), eight slots at a time: the hot path keeps no count, since counting
    /// costs twenty instructions a level there.
    public var count: Int { high < 0 ? 0 : (high | 7) &+ 1 &- freeCount(0, (high | 7) &+ 1) }

    /// Number of levels from the best one down to a price, inclusive. O(slots / 8).
    func count(downTo price: Price) -> Int {
        let first = find(price.mantissa ^ flip)
        if first > high { return 0 }
        let whole = (high &+ 1 &- first) & ~7
        var count = whole &- freeCount(first, whole)
        for slot in (first + whole)..<(high + 1) where unsafe quantities[slot] != 0 { count += 1 }
        return count
    }

    /// Where the best slots lie, and what is read on the way to them.
    @inline(__always)
    var lines: SideLines {
        let best = max(high, 0)
        return unsafe SideLines(
            keys: UInt(bitPattern: keys + best), quantities: UInt(bitPattern: quantities + best),
            every8: UInt(bitPattern: every8 + best &>> 3), every64: UInt(bitPattern: every64 + best &>> 6),
            every512: UInt(bitPattern: every512), hints: hints.most > 0 ? UInt(bitPattern: hints.slots) : 0)
    }

    /// The slot of the next deeper level, or -1. Free slots are skipped eight at a time; the margin ends the
    /// walk.
    @inline(__always)
    func deeper(_ slot: Int) -> Int {
        var next = slot &- 1
        if unsafe quantities[next] != 0 { return next }
        while true {
            let held = unsafe ~lob_free8(quantities + next - 7) & UInt32((1 << (8 * Int(LOB_FREE8_UNIT))) - 1)
            if held != 0 {
                let highest = (31 &- held.leadingZeroBitCount) / Int(LOB_FREE8_UNIT)
                return next &- 7 &+ highest
            }
            next &-= 8
        }
    }

    /// The best slot with a rank below `rank`, or -1. O(1): one search.
    func firstSlot(below rank: Int64) -> Int {
        if unsafe high < 0 || rank > keys[high] { return high }
        let slot = find(rank) &- 1
        return unsafe slot < 0 || quantities[slot] != 0 ? slot : deeper(slot)
    }

    /// The rank of the level in a slot; nil past the last level and below `worst`.
    @inline(__always)
    func rank(_ slot: Int, notBelow worst: Int64) -> Int64? {
        unsafe slot < 0 || keys[slot] < worst ? nil : keys[slot]
    }

    /// The quantity in a slot that holds a level.
    @inline(__always)
    func quantity(in slot: Int) -> Quantity { unsafe Quantity(quantities[slot]) }

    /// Converts a rank to a price.
    @inline(__always)
    func price(ofRank rank: Int64) -> Price { Price(rank ^ flip) }

    /// Calls `body` with each level, best first, until it returns false.
    @inline(__always)
    public func forEachLevel(_ body: (PriceLevel) -> Bool) {
        var slot = high
        while slot >= 0 {
            if !body(level(at: slot)) { return }
            slot = deeper(slot)
        }
    }

    /// The deepest price held, nil if the side is empty. O(capacity).
    public var worst: Price? {
        for slot in 0..<(high + 1) where unsafe quantities[slot] != 0 {
            return unsafe Price(keys[slot] ^ flip)
        }
        return nil
    }

    /// Copies the best twenty levels, best first; the rest of the output may be overwritten.
    /// - Returns: the number of levels written.
    @inline(__always)
    func copyBest(to output: inout InlineArray<20, PriceLevel>) -> Int {
        unsafe withUnsafeMutableBytes(of: &output) { bytes in
            unsafe Int(
                lob_best_levels(
                    keys, quantities, Int64(high), flip,
                    bytes.assumingMemoryBound(to: lob_level.self).baseAddress!,
                    20))
        }
    }

    /// The quantity at a price; zero if there is no such level. O(1): one search.
    public func quantity(at price: Price) -> Quantity {
        let key = price.mantissa ^ flip
        let slot = find(key)
        return unsafe keys[slot] == key ? Quantity(quantities[slot]) : .zero
    }

    /// Frees the deepest levels so that `kept` remain.
    /// - Returns: the best price removed, nil if none was.
    mutating func evict(keeping kept: Int) -> Price? {
        var slot = high
        var seen = 0
        while slot >= 0 && seen < kept {
            seen += 1
            slot = deeper(slot)
        }
        if slot < 0 { return nil }
        let gone = unsafe Price(keys[slot] ^ flip)
        unsafe quantities.update(repeating: 0, count: slot + 1)
        if kept == 0 { high = -1 }
        return gone
    }

    /// The first broken invariant of the storage, or nil.
    func storageFault() -> StorageFault? {
        for slot in 0..<capacity {
            if unsafe slot > 0 && keys[slot] < keys[slot - 1] { return .unsorted(slot: slot) }
            if unsafe quantities[slot] < 0 { return .negativeQuantity(slot: slot) }
            if unsafe slot > 0 && quantities[slot] != 0 && keys[slot] == keys[slot - 1] {
                return .duplicate(slot: slot)
            }
            if unsafe slot > high && quantities[slot] != 0 { return .liveAboveBest(slot: slot) }
        }
        for group in 0..<(capacity / 8) where unsafe every8[group] != keys[group * 8 + 7] {
            return .staleSample(slot: group * 8 + 7)
        }
        for group in 0..<(capacity / 64) where unsafe every64[group] != keys[group * 64 + 63] {
            return .staleSample(slot: group * 64 + 63)
        }
        for group in 0..<(capacity / 512) where unsafe every512[group] != keys[group * 512 + 511] {
            return .staleSample(slot: group * 512 + 511)
        }
        if unsafe high >= 0 && quantities[high] == 0 { return .bestIsFree }
        // Kernels read at most eight slots outside; far below that lies the dummy slot, which may hold
        // anything.
        for slot in 1...16 {
            if unsafe keys[-slot] != .min || quantities[-slot] != 1 { return .brokenMargin }
            if unsafe keys[capacity + slot - 1] != .max || quantities[capacity + slot - 1] != 1 {
                return .brokenMargin
            }
        }
        return nil
    }
}

/// A broken invariant of a side's storage: a bug in this package or damaged memory, never caused by input.
public enum StorageFault: Error, Hashable, Sendable {
    /// A key is below its left neighbour.
    case unsorted(slot: Int)
    /// A quantity is negative.
    case negativeQuantity(slot: Int)
    /// A live level repeats the key on its left.
    case duplicate(slot: Int)
    /// A live level is better than the best.
    case liveAboveBest(slot: Int)
    /// A sample differs from the key it samples.
    case staleSample(slot: Int)
    /// The best slot holds no level.
    case bestIsFree
    /// A margin was overwritten.
    case brokenMargin
}
