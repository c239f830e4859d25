// The books of a shard that was late and goes on: each waits, paused, until it is its turn to be bridged. All
// at once they would keep every client waiting.
//
// Bounds: the shard's slots, each once.

/// Slots in the order in which their books go on. All O(1), but for `fill`.
struct BridgeQueue {
    private var next = 0
    private let count: Int

    /// - Parameter count: number of slots.
    init(count: Int) { (self.count, next) = (count, count) }

    /// Whether none waits.
    var isEmpty: Bool { next == count }

    /// Whether this slot waits.
    func holds(_ slot: Int) -> Bool { slot >= next }

    /// Lets all of them wait.
    mutating func fill() { next = 0 }

    /// Lets none of them wait.
    mutating func clear() { next = count }

    /// The next one, which no longer waits.
    mutating func takeFirst() -> Int? {
        if isEmpty { return nil }
        next += 1
        return next - 1
    }
}
