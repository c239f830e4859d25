// One side of a book: a contiguous sorted array with gaps.
//
// Why gaps: a dense sorted array moves its whole better half for every insertion, and real updates are deep
// (median rank 60 to 300). Here a deleted level leaves a free slot, and levelling adds about one free slot in
// four, so an insertion moves at most seven neighbours. Why all searches come first: those of a message are
// independent, so their cache and branch latencies overlap; searching and changing level by level costs
// almost twice as much.
//
// A level is stored by rank: the price mantissa of a bid, its bitwise complement for an ask. Better is
// greater on both sides, so one algorithm serves both.
//
// Quiet symbols change the same few prices over and over. For a message of few levels a side therefore first
// looks at the slots where it last found them, and searches only for a level that is not there any more.
//
// Invariants (checked by `integrity()`)
// * `keys[0 ..< capacity]` ascend, equal keys allowed; a slot is free if and only if its quantity is 0.
// * A free slot keeps the key of the level deleted there or repeats a neighbour's; of equal keys only the
//   first may be live, so the first slot not below a key is where it must be.
// * `every8[g]` is the last key of the g-th group of 8 slots; `every64`, `every512` likewise.
// * `high` is the greatest live slot, or -1 if there is none.
// * Outside `0 ..< capacity`: keys `Int64.min` below and `Int64.max` above, quantities 1 (never free); only
//   the dummy slot far below receives the stores of levels that have no slot.
//
// Worst case: an insertion that finds no free slot within eight levels a window of 64, 128, … slots around
// it, the smallest with enough free slots; if need be the whole side (`capacity` slots), or twice that when
// it grows.
//
// SAFETY: all pointers lie in `memory`, which the struct owns and frees; slots come from searches over that
// memory and so lie in `0 ... capacity`, and the margins absorb the kernels' overreach of eight slots.

import CLobKernels
import MarketData

/// One sorted side of an order book. Not copyable; frees itself.
@safe
public struct BookSide: ~Copyable {
    /// Slots beyond either end that kernels may touch.
    static let margin = 16
    /// Slots before the first quantity; one of them is the dummy slot.
    static let quantityMargin = 48
    /// Samples beyond the last that kernels may read.
    static let sampleMargin = 8
    /// Capacity of an empty side in slots; every capacity is 64 times a power of two, or three times that.
    static let capacityMin = 128

    var memory: UnsafeMutableRawPointer
    /// Slots, samples and the best slot, as the kernels change them.
    var lanes: lob_side
    /// Where the prices of short messages were last found.
    var hints: lob_hints
    /// Number of levellings so far, and the slots they touched.
    public internal(set) var levelling = Levelling()

    /// How often free slots had to be redistributed.
    public struct Levelling: Sendable, BitwiseCopyable {
        /// Number of windows levelled.
        public var windowCount = 0
        /// Slots in them.
        public var slotCount = 0
        /// Number of times the whole side moved to a larger memory.
        public var growthCount = 0
    }

    init(_ side: Side) {
        unsafe memory = unsafe UnsafeMutableRawPointer(bitPattern: 1)!
        let none: UnsafeMutablePointer<Int64> = unsafe UnsafeMutablePointer(bitPattern: 8)!
        unsafe lanes = unsafe lob_side(
            keys: none, quantities: none, every8: none, every64: none, every512: none, capacity: 0,
            group512_count: 0,
            flip: side == .bid ? 0 : -1, high: -1)
        unsafe hints = unsafe lob_hints(slots: UnsafeMutablePointer(bitPattern: 2)!, trust: -1, most: -1)
        allocate(capacity: BookSide.capacityMin)
        removeAll()
    }

    deinit { unsafe memory.deallocate() }

    @inline(__always)
    var keys: UnsafeMutablePointer<Int64> { unsafe lanes.keys }
    @inline(__always)
    var quantities: UnsafeMutablePointer<Int64> { unsafe lanes.quantities }
    @inline(__always)
    var every8: UnsafeMutablePointer<Int64> { unsafe lanes.every8 }
    @inline(__always)
    var every64: UnsafeMutablePointer<Int64> { unsafe lanes.every64 }
    @inline(__always)
    var every512: UnsafeMutablePointer<Int64> { unsafe lanes.every512 }
    /// Number of slots.
    @inline(__always)
    var capacity: Int { unsafe Int(lanes.capacity) }
    /// XOR mask that turns a price into a rank and back: 0 for bids, -1 for asks.
    @inline(__always)
    var flip: Int64 { unsafe lanes.flip }
    /// Slot of the best level, or -1.
    @inline(__always)
    var high: Int {
        get { unsafe Int(lanes.high) }
        set { unsafe lanes.high = Int64(newValue) }
    }

    /// Which side this is.
    var side: Side { flip == 0 ? .bid : .ask }

    /// The level in a slot.
    @inline(__always)
    func level(at slot: Int) -> PriceLevel { unsafe PriceLevel(keys[slot] ^ flip, quantities[slot]) }

    /// The best level, nil if the side is empty. O(1).
    @inline(__always)
    var best: PriceLevel? { high < 0 ? nil : level(at: high) }

    /// Sets the absolute quantities of the levels of one side of a message; zero removes.
    ///
    /// Removing an absent price does nothing. If a price occurs twice, the later quantity wins.
    /// - Parameters:
    ///   - levels: `count` levels in message order, quantities at least 0.
    ///   - scratch: room for `count + 1` insertions.
    /// - Complexity: O(count), plus rare levelling (see the header). Allocates only to grow.
    @inline(__always)
    mutating func apply(
        _ levels: UnsafePointer<PriceLevel>, count: Int, scratch: UnsafeMutablePointer<lob_insertion>
    ) {
        let raw = unsafe UnsafeRawPointer(levels).assumingMemoryBound(to: lob_level.self)
        if unsafe count <= hints.most {
            if unsafe count > 0 && !lob_set_hinted(&lanes, &hints, raw, Int64(count)) {
                unsafe applyUnordered(levels, count: count)
            }
            return
        }
        if count < 2 {
            if unsafe count == 1 && !lob_set_level(&lanes, raw) { unsafe set(levels[0]) }
            return
        }
        let left = unsafe lob_set_levels(&lanes, raw, Int64(count), scratch)
        if left.count != 0 { unsafe finish(levels, count: count, scratch, left) }
    }

    /// What the kernel has left: the insertions that need levelling, or prices out of order.
    @inline(never)
    private mutating func finish(
        _ levels: UnsafePointer<PriceLevel>, count: Int, _ insertions: UnsafePointer<lob_insertion>,
        _ left: lob_insertions_left
    ) {
        var left = left
        if left.count < 0 { return unsafe applyUnordered(levels, count: count) }
        let raw = unsafe UnsafeRawPointer(levels).assumingMemoryBound(to: lob_level.self)
        while left.count > 0 {
            let insertion = unsafe insertions[Int(left.at)]
            let level = unsafe levels[Int(insertion.level)]
            let key = level.price.mantissa ^ flip
            insertLevelling(key, level.quantity.mantissa, near: find(key))
            left.count -= 1
            left.at += left.step
            if left.count > 0 { left = unsafe lob_insert_levels(&lanes, raw, insertions, left) }
        }
        if unsafe quantities[high] == 0 { high = deeper(high) }
    }

    /// For prices out of order or repeated: one search and one change each, in message order, so the later
    /// wins.
    @inline(never)
    mutating func applyUnordered(_ levels: UnsafePointer<PriceLevel>, count: Int) {
        for j in 0..<count { unsafe set(levels[j]) }
    }

    /// Sets the absolute quantity at one price; zero removes.
    mutating func set(_ level: PriceLevel) { setOne(level, at: find(level.price.mantissa ^ flip)) }

    /// Stores without branching on whether the level has a slot, which is known last.
    @inline(__always)
    private mutating func setOne(_ level: PriceLevel, at slot: Int) {
        let key = level.price.mantissa ^ flip
        let quantity = level.quantity.mantissa
        let target = unsafe keys[slot] == key ? slot : Int(LOB_DUMMY_SLOT)
        unsafe quantities[target] = quantity
        high = max(high, target)
        if target < 0 && quantity != 0 { insert(key, quantity, at: slot) }
        if unsafe quantities[high] == 0 { high = deeper(high) }
    }

    /// Groups of 512 slots, rounded up to a number of eights that the kernel has a loop for; 0 below 512.
    @inline(__always)
    static func group512Count(_ capacity: Int) -> Int {
        let count = (capacity &>> 9 &+ 7) & ~7
        return count == 24 ? 32 : count
    }

    /// The first slot whose key is not below `key`: `0 ... capacity`.
    @inline(never)
    func find(_ key: Int64) -> Int { search(key) }

    @inline(__always)
    private func search(_ key: Int64) -> Int {
        var group = 0
        var sample = 0
        while sample < capacity &>> 9 {
            unsafe group &+= Int(lob_below8(every512 + sample, key))
            sample &+= 8
        }
        group = unsafe group &* 8 &+ Int(lob_below8(every64 + group &* 8, key))
        group = unsafe group &* 8 &+ Int(lob_below8(every8 + group &* 8, key))
        return unsafe group &* 8 &+ Int(lob_below8(keys + group &* 8, key))
    }

    /// Inserts a new level where its search ended; the nearest free slot within eight absorbs the shift.
    @inline(__always)
    mutating func insert(_ key: Int64, _ quantity: Int64, at slot: Int) {
        let above = unsafe lob_free8(quantities + slot)
        if above != 0 {
            let distance = above.trailingZeroBitCount / Int(LOB_FREE8_UNIT)
            unsafe lob_open_upwards(keys + slot, Int64(distance), key)
            unsafe lob_open_upwards(quantities + slot, Int64(distance), quantity)
            let last = slot &+ distance
            high = last > high ? last : high
            resample(slot, last)
            return
        }
        let below = unsafe lob_free8(quantities + slot - 8)
        if below != 0 {
            let distance =
                (below &<< (32 &- 8 &* UInt32(LOB_FREE8_UNIT))).leadingZeroBitCount / Int(LOB_FREE8_UNIT)
            unsafe lob_open_downwards(keys + slot, Int64(distance), key)
            unsafe lob_open_downwards(quantities + slot, Int64(distance), quantity)
            high = slot &- 1 > high ? slot &- 1 : high
            resample(slot &- 1 &- distance, slot &- 1)
            return
        }
        insertLevelling(key, quantity, near: slot)
    }

    /// Refreshes the samples after the keys of `first ... last` (at most nine slots) changed.
    @inline(__always)
    func resample(_ first: Int, _ last: Int) {
        unsafe every8[first &>> 3] = unsafe keys[first | 7]
        unsafe every8[last &>> 3] = unsafe keys[last | 7]
        if first | 63 <= last {
            unsafe every64[first &>> 6] = unsafe keys[first | 63]
            if first | 511 <= last { unsafe every512[first &>> 9] = unsafe keys[first | 511] }
        }
    }
}
