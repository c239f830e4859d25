// What acts next in virtual time: a binary heap with one entry per symbol, one for the seconds, and one for
// each slower stream that has something to show.
//
// Invariants: entries of equal time act in the order of their index, so the order never depends on history.
// Worst case: log2 of the number of symbols steps for each act.

/// The agenda of a venue.
struct VenueAgenda: Sendable {
    struct Entry: Sendable {
        var timeUs: Int64
        var index: Int

        func isBefore(_ other: Entry) -> Bool { (timeUs, index) < (other.timeUs, other.index) }
    }

    private var heap: [Entry] = []

    /// The entry that acts next, nil if there is none.
    var first: Entry? { heap.first }

    mutating func insert(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Gives the first entry another time, not earlier than it had.
    mutating func postponeFirst(toUs timeUs: Int64) {
        heap[0].timeUs = max(timeUs, heap[0].timeUs)
        sinkFirst()
    }

    /// Removes the first entry.
    mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        sinkFirst()
    }

    private mutating func sinkFirst() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].isBefore(heap[least]) {
                least = child
            }
            if least == parent { return }
            heap.swapAt(least, parent)
            parent = least
        }
    }
}
