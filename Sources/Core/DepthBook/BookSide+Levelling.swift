// Memory of a side, and how free slots are spread in it. Everything here is rare: levelling a few hundred
// slots every few hundred insertions, growing now and then.
//
// SAFETY: as in BookSide.swift; windows are aligned, lie in `0 ..< capacity`, and are compacted and spread in
// place.

import CLobKernels
import MarketData

extension BookSide {
    /// Allocates memory for `capacity` slots, every slot and margin in its empty state; the old memory is not
    /// freed.
    mutating func allocate(capacity: Int) {
        let margin = BookSide.margin
        let counts = [capacity, capacity, capacity / 8, capacity / 64, capacity / 512]
        let total = counts.reduce(0) { $0 + $1 + 2 * margin }
        unsafe memory = .allocate(byteCount: total * 8, alignment: 128)
        let words = unsafe memory.bindMemory(to: Int64.self, capacity: total)
        unsafe words.initialize(repeating: .max, count: total)
        var at = margin
        func lane(_ count: Int) -> UnsafeMutablePointer<Int64> {
            defer { at += count + 2 * margin }
            return unsafe words + at
        }
        unsafe lanes.keys = unsafe lane(capacity)
        unsafe lanes.quantities = unsafe lane(capacity)
        unsafe lanes.every8 = unsafe lane(capacity / 8)
        unsafe lanes.every64 = unsafe lane(capacity / 64)
        unsafe lanes.every512 = unsafe lane(capacity / 512)
        unsafe (keys - margin).update(repeating: .min, count: margin)
        unsafe (quantities - margin).update(repeating: 1, count: capacity + 2 * margin)
        unsafe lanes.capacity = Int64(capacity)
        unsafe lanes.group512_count = Int64((capacity &>> 9 &+ 7) & ~7)
    }

    /// Empties the side, keeping its memory.
    mutating func removeAll() {
        unsafe keys.update(repeating: .max, count: capacity)
        unsafe quantities.update(repeating: 0, count: capacity)
        unsafe every8.update(repeating: .max, count: capacity / 8)
        unsafe every64.update(repeating: .max, count: capacity / 64)
        unsafe every512.update(repeating: .max, count: capacity / 512)
        high = -1
    }

    /// Minimum number of free slots for a window to be worth levelling: five of 32 in a window of 64 slots,
    /// two more with every doubling, at most half. Rising shares make wide windows rare: a levelled window
    /// has room for many insertions. Measured on captured traffic: flat shares of an eighth to three eighths
    /// touch twice as many slots, and steeper ones hit wide windows on messages of ordinary length.
    static func freeCountMin(_ width: Int) -> Int {
        (width &* min(5 &+ 2 &* (width.trailingZeroBitCount &- 6), 16)) &>> 5
    }

    /// Inserts where no slot within eight is free: levels the smallest surrounding window with enough free
    /// slots.
    @inline(never)
    mutating func insertLevelling(_ key: Int64, _ quantity: Int64, near slot: Int) {
        var width = 64
        let inside = min(slot, capacity &- 1)
        var first = inside & ~(width &- 1)
        var free = freeCount(first, width)
        while free < BookSide.freeCountMin(width) {
            if width == capacity {
                grow()
                insert(key, quantity, at: find(key))
                return
            }
            let sibling = first ^ width
            free &+= freeCount(sibling, width)
            first = first & ~width
            width &*= 2
        }
        spread(compact(first, width), over: first, width)
        let top = first &+ width &- 1
        if high < top && high >= first { high = top }
        if unsafe quantities[high] == 0 { high = deeper(high) }
        levelling.windowCount &+= 1
        levelling.slotCount &+= width
        // At least five slots in 32 are now free, evenly: one of the eight above or below is.
        insert(key, quantity, at: find(key))
    }

    /// Free slots in a window; `width` is a multiple of 8.
    func freeCount(_ first: Int, _ width: Int) -> Int {
        unsafe Int(lob_free_count(quantities + first, Int64(width)))
    }

    /// Moves the live levels of a window to its front, in order.
    /// - Returns: their number.
    func compact(_ first: Int, _ width: Int) -> Int {
        unsafe Int(lob_compact(keys + first, quantities + first, Int64(width)))
    }

    /// Spreads the `live` levels at the front of a window evenly over it.
    func spread(_ live: Int, over first: Int, _ width: Int) {
        unsafe lob_spread(keys + first, quantities + first, Int64(live), Int64(width))
        resampleWindow(first, width)
    }

    /// Refreshes the samples of a window; `first` and `width` are multiples of 64.
    func resampleWindow(_ first: Int, _ width: Int) {
        var at = first &>> 3
        while at < (first &+ width) &>> 3 {
            unsafe every8[at] = unsafe keys[at &* 8 &+ 7]
            at &+= 1
        }
        at = first &>> 6
        while at < (first &+ width) &>> 6 {
            unsafe every64[at] = unsafe keys[at &* 64 &+ 63]
            at &+= 1
        }
        at = first &>> 9
        while at <= (first &+ width &- 1) &>> 9 {
            unsafe every512[at] = unsafe keys[at &* 512 &+ 511]
            at &+= 1
        }
    }

    /// Moves the side to twice the capacity.
    @inline(never)
    mutating func grow() {
        let live = compact(0, capacity)
        let old = unsafe (memory: memory, keys: keys, quantities: quantities)
        allocate(capacity: capacity * 2)
        unsafe (keys + capacity / 4).update(from: old.keys, count: live)
        unsafe (quantities + capacity / 4).update(from: old.quantities, count: live)
        settle(live)
        unsafe old.memory.deallocate()
        levelling.growthCount &+= 1
    }

    /// Makes the `live` ascending levels starting at slot `capacity / 4` the contents of the side, spread
    /// over the middle half: a quarter of the slots stays free below for deeper levels, a quarter above for
    /// better ones. What the other slots held does not matter.
    mutating func settle(_ live: Int) {
        if live == 0 {
            removeAll()
            return
        }
        let first = capacity / 4
        unsafe keys.update(repeating: .min, count: first)
        unsafe quantities.update(repeating: 0, count: first)
        spread(live, over: first, capacity / 2)
        unsafe (keys + capacity - first).update(repeating: .max, count: first)
        unsafe (quantities + capacity - first).update(repeating: 0, count: first)
        resampleWindow(0, capacity)
        high = first + capacity / 2 - 1
        if unsafe quantities[high] == 0 { high = deeper(high) }
    }

    /// Replaces the contents with one side of a snapshot; zero quantities are skipped.
    ///
    /// - Parameter levels: `count` levels, best first and strictly ordered, as the venue sends them; any
    ///   other order is accepted at the cost of one search and insertion per level.
    /// - Complexity: O(count + capacity) when ordered.
    mutating func load(_ levels: UnsafePointer<PriceLevel>, count: Int) {
        var wanted = BookSide.capacityMin
        while wanted < count * 8 / 3 { wanted *= 2 }
        if wanted > capacity {
            unsafe memory.deallocate()
            allocate(capacity: wanted)
        }
        let loaded = unsafe (keys: keys + capacity / 4, quantities: quantities + capacity / 4)
        var live = 0
        var previous = Int64.min
        var at = count
        while at > 0 {
            at &-= 1
            let key = unsafe levels[at].price.mantissa ^ flip
            if key <= previous {
                removeAll()
                unsafe applyUnordered(levels, count: count)
                return
            }
            previous = key
            unsafe loaded.keys[live] = key
            unsafe loaded.quantities[live] = unsafe levels[at].quantity.mantissa
            unsafe live &+= levels[at].quantity.mantissa == 0 ? 0 : 1
        }
        settle(live)
    }
}
