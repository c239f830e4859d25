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
        let (margin, before, behind) = (BookSide.margin, BookSide.quantityMargin, BookSide.sampleMargin)
        // Every run begins on a cache line: 8 words. The short search always reads 32 samples of 64.
        let every64Count = max((capacity / 64 + 7) & ~7, 32)
        let samples = [capacity / 8, every64Count, BookSide.group512Count(capacity)]
        let hintWords = Int(LOB_HINTS) / 4
        let total = 2 * capacity + before + 3 * margin + samples.reduce(hintWords) { $0 + $1 + behind }
        unsafe memory = .allocate(byteCount: total * 8, alignment: 128)
        let words = unsafe memory.bindMemory(to: Int64.self, capacity: total)
        unsafe words.initialize(repeating: .max, count: total)
        var at = 0
        func run(_ count: Int, before: Int, behind: Int) -> UnsafeMutablePointer<Int64> {
            defer { at += before + count + behind }
            return unsafe words + at + before
        }
        unsafe lanes.keys = unsafe run(capacity, before: margin, behind: margin)
        unsafe lanes.quantities = unsafe run(capacity, before: before, behind: margin)
        unsafe lanes.every8 = unsafe run(samples[0], before: 0, behind: behind)
        unsafe lanes.every64 = unsafe run(samples[1], before: 0, behind: behind)
        unsafe lanes.every512 = unsafe run(samples[2], before: 0, behind: behind)
        let hintRun = unsafe run(hintWords, before: 0, behind: 0)
        unsafe hintRun.update(repeating: 0, count: hintWords)
        unsafe hints.slots = unsafe UnsafeMutableRawPointer(hintRun)
            .bindMemory(to: UInt16.self, capacity: Int(LOB_HINTS))
        unsafe (keys - margin).update(repeating: .min, count: margin)
        unsafe (quantities - before).update(repeating: 1, count: before + capacity + margin)
        unsafe lanes.capacity = Int64(capacity)
        unsafe lanes.group512_count = Int64(BookSide.group512Count(capacity))
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
            let start = first & ~width
            if start &+ 2 &* width > capacity {
                // The last window of a capacity that is no power of two has no sibling.
                (first, width) = (0, capacity)
                free = freeCount(0, capacity)
            } else {
                free &+= freeCount(first ^ width, width)
                first = start
                width &*= 2
            }
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

    /// Refreshes the samples of a window; `first` and `width` are multiples of 64, or of 8 where the samples
    /// above are refreshed later.
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
        // The last group of 512 may be shorter, and has no sample then.
        at = first &>> 9
        let end = min((first &+ width &+ 511) &>> 9, capacity &>> 9)
        while at < end {
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
        unsafe (keys + capacity / 8).update(from: old.keys, count: live)
        unsafe (quantities + capacity / 8).update(from: old.quantities, count: live)
        settle(live)
        unsafe old.memory.deallocate()
        levelling.growthCount &+= 1
    }

    /// Makes the `live` ascending levels starting at slot `capacity / 8` the contents of the side, spread
    /// over the middle three quarters: an eighth of the slots stays free below for deeper levels, an eighth
    /// above for better ones. What the other slots held does not matter.
    mutating func settle(_ live: Int) {
        if live == 0 {
            removeAll()
            return
        }
        let first = capacity / 8
        unsafe keys.update(repeating: .min, count: first)
        unsafe quantities.update(repeating: 0, count: first)
        let width = capacity - 2 * first
        spread(live, over: first, width)
        unsafe (keys + capacity - first).update(repeating: .max, count: first)
        unsafe (quantities + capacity - first).update(repeating: 0, count: first)
        resampleWindow(0, capacity)
        high = first + width - 1
        if unsafe quantities[high] == 0 { high = deeper(high) }
        remember()
    }

    /// Gives the hints a new trial if they failed and enough levels were received since.
    ///
    /// - Parameter received: how many since the last call; those that were new and stayed need not count.
    mutating func reconsiderHints(after received: Int) {
        if unsafe hints.trust >= 0 { return }
        unsafe hints.trust += min(Int64(received), -(unsafe hints.trust))
        if unsafe hints.trust >= 0 { remember() }
    }

    /// Remembers where the best levels are.
    @inline(never)
    mutating func remember() { unsafe lob_remember(&lanes, &hints) }

    /// The smallest capacity with two slots per level: the middle three quarters are then two thirds full.
    static func capacity(for count: Int) -> Int {
        var wanted = BookSide.capacityMin
        while wanted < count * 2 { wanted *= 2 }
        let smaller = wanted / 4 * 3
        return smaller >= max(count * 2, BookSide.capacityMin) ? smaller : wanted
    }

    /// Replaces the contents with one side of a snapshot; zero quantities are skipped.
    ///
    /// - Parameter levels: `count` levels, best first and strictly ordered, as the venue sends them; any
    ///   other order is accepted at the cost of one search and insertion per level. A side four times too
    ///   large shrinks.
    /// - Complexity: O(count + capacity) when ordered.
    mutating func load(_ levels: UnsafePointer<PriceLevel>, count: Int) {
        let wanted = BookSide.capacity(for: count)
        if wanted > capacity || wanted * 4 <= capacity {
            unsafe memory.deallocate()
            allocate(capacity: wanted)
        }
        let loaded = unsafe (keys: keys + capacity / 8, quantities: quantities + capacity / 8)
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
