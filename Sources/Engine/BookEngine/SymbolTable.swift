// Symbol bytes to slot, without a String, a hasher or an allocation: open addressing over the name's quick
// hash.

import MarketData

/// Finds the slot of a symbol. Grows only when a symbol is added.
struct SymbolTable {
    /// Slot + 1, or 0 if free; a power of two, at least twice the number of symbols.
    private var buckets: [Int32] = Array(repeating: 0, count: 64)
    private(set) var names: [SymbolName] = []

    /// The slot of a symbol, or -1. O(1).
    func slot(of name: SymbolName) -> Int {
        let mask = buckets.count &- 1
        var bucket = Int(truncatingIfNeeded: name.quickHash) & mask
        while buckets[bucket] != 0 {
            let slot = Int(buckets[bucket]) &- 1
            if names[slot] == name { return slot }
            bucket = (bucket &+ 1) & mask
        }
        return -1
    }

    /// Adds a new symbol and returns its slot.
    mutating func add(_ name: SymbolName) -> Int {
        names.append(name)
        if names.count * 2 > buckets.count {
            buckets = Array(repeating: 0, count: buckets.count * 2)
            for slot in names.indices { place(slot) }
        } else {
            place(names.count - 1)
        }
        return names.count - 1
    }

    private mutating func place(_ slot: Int) {
        let mask = buckets.count - 1
        var bucket = Int(truncatingIfNeeded: names[slot].quickHash) & mask
        while buckets[bucket] != 0 { bucket = (bucket + 1) & mask }
        buckets[bucket] = Int32(slot + 1)
    }
}
