// Timers of one loop: a binary heap by deadline. There are few (a handful per connection), so the heap holds
// numbers and a dictionary the actions; cancelling drops the action and leaves the number until it comes up.
//
// An action may be the last to hold something whose end sets or cancels a timer. So the queue frees none
// while it changes: what is removed is returned, and the caller lets go of it.

/// Deadlines in order.
struct TimerQueue {
    private struct Entry {
        let deadlineNs: UInt64
        let number: UInt64

        /// Equal deadlines fire in the order they were set.
        func isBefore(_ other: Entry) -> Bool {
            (deadlineNs, number) < (other.deadlineNs, other.number)
        }
    }

    private var heap: [Entry] = []
    private var actions: [UInt64: () -> Void] = [:]
    private var lastNumber: UInt64 = 0

    /// Number of timers that will fire.
    var count: Int { actions.count }

    mutating func set(deadlineNs: UInt64, _ action: @escaping () -> Void) -> LoopTimer {
        lastNumber += 1
        actions[lastNumber] = action
        heap.append(Entry(deadlineNs: deadlineNs, number: lastNumber))
        var child = heap.count - 1
        while child > 0 && heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
        return LoopTimer(number: lastNumber)
    }

    /// - Returns: its action; nil if it has fired or was cancelled.
    mutating func cancel(_ timer: LoopTimer) -> (() -> Void)? {
        let action = actions.removeValue(forKey: timer.number)
        if actions.isEmpty { heap.removeAll(keepingCapacity: true) }
        return action
    }

    /// The earliest deadline, nil if there is none.
    mutating func nextDeadlineNs() -> UInt64? {
        while let first = heap.first {
            if actions[first.number] != nil { return first.deadlineNs }
            removeFirst()
        }
        return nil
    }

    /// The action of a due timer; one at a time, because an action may set and cancel timers.
    mutating func takeDue(nowNs: UInt64) -> (() -> Void)? {
        while let first = heap.first, first.deadlineNs <= nowNs {
            removeFirst()
            if let action = actions.removeValue(forKey: first.number) { return action }
        }
        return nil
    }

    /// - Returns: the actions of all.
    mutating func removeAll() -> [() -> Void] {
        let all = Array(actions.values)
        heap = []
        actions = [:]
        return all
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var child = 2 * parent + 1
            if child >= heap.count { return }
            if child + 1 < heap.count && heap[child + 1].isBefore(heap[child]) { child += 1 }
            if heap[parent].isBefore(heap[child]) { return }
            heap.swapAt(parent, child)
            parent = child
        }
    }
}
