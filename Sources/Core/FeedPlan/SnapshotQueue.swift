// The requests that wait: entries in no order, and where each symbol's is.
//
// Why no order: ranks change while entries wait, due times come, and requests in flight end, and any of these
// would move an entry. A search from end to end is 4,000 comparisons at most, made once for each request or
// alarm, some hundred times a minute.
//
// A request that failed and was cancelled is remembered until its backoff is over: cancelling and requesting
// again gains nothing.
//
// Bounds: entries, the planner's `queueMax`; so is what is remembered. Worst case: a search is O(entries),
// everything else O(1).

/// The queue of a planner.
struct SnapshotQueue: Sendable {
    /// A request that waits.
    struct Entry: Sendable {
        var key: SnapshotKey
        var priority: SnapshotPriority
        var limit: SnapshotLimit
        var rank: SnapshotRank
        /// Order of arrival; kept over retries.
        var order: UInt64
        var notBeforeMs: Int64
        var failures = 0
        /// Whether a request of its symbol is in flight whose answer is of no use to it.
        var isBehindFlight = false

        /// The more urgent request counts; of two as urgent, the deeper; and the better rank of the two.
        mutating func merge(_ priority: SnapshotPriority, _ limit: SnapshotLimit, _ rank: SnapshotRank) {
            if priority < self.priority || (priority == self.priority && limit.weight > self.limit.weight) {
                (self.priority, self.limit) = (priority, limit)
            }
            self.rank = min(self.rank, rank)
        }

        /// Whether this entry's turn is before the other's.
        func goesBefore(_ other: Entry) -> Bool {
            if priority != other.priority { return priority < other.priority }
            if rank != other.rank { return rank < other.rank }
            return order < other.order
        }
    }

    /// What is left of a request that failed and was cancelled.
    private struct Remembered: Sendable {
        var failures: Int
        var notBeforeMs: Int64
    }

    private(set) var entries: [Entry] = []
    private var places: [SnapshotKey: Int] = [:]
    private var remembered: [SnapshotKey: Remembered] = [:]

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }

    subscript(key: SnapshotKey) -> Entry? { places[key].map { entries[$0] } }

    /// Adds an entry, in the place of the one its symbol may have.
    mutating func put(_ entry: Entry) {
        var entry = entry
        if let old = remembered.removeValue(forKey: entry.key) {
            entry.failures = max(entry.failures, old.failures)
            entry.notBeforeMs = max(entry.notBeforeMs, old.notBeforeMs)
        }
        take(entry.key)
        places[entry.key] = entries.count
        entries.append(entry)
    }

    /// Merges a request into the entry of its symbol; false if there is none.
    mutating func merge(
        _ key: SnapshotKey, _ priority: SnapshotPriority, _ limit: SnapshotLimit, _ rank: SnapshotRank
    ) -> Bool {
        guard let place = places[key] else { return false }
        entries[place].merge(priority, limit, rank)
        return true
    }

    /// Sets the rank of a symbol's entry.
    mutating func rank(_ key: SnapshotKey, _ rank: SnapshotRank) {
        if let place = places[key] { entries[place].rank = rank }
    }

    /// Removes the entry of a symbol.
    mutating func take(_ key: SnapshotKey) {
        guard let place = places.removeValue(forKey: key) else { return }
        entries.swapAt(place, entries.count - 1)
        entries.removeLast()
        if place < entries.count { places[entries[place].key] = place }
    }

    /// Removes the entry of a symbol, but not the memory of its failures.
    mutating func forget(_ key: SnapshotKey, nowMs: Int64, most: Int) {
        guard let entry = self[key] else { return }
        take(key)
        remember(entry, nowMs: nowMs, most: most)
    }

    /// Remembers the failures of a request that was cancelled; with too much to remember, only what still
    /// matters.
    mutating func remember(_ entry: Entry, nowMs: Int64, most: Int) {
        if entry.failures == 0 { return }
        if let place = places[entry.key] {
            entries[place].failures = max(entries[place].failures, entry.failures)
            entries[place].notBeforeMs = max(entries[place].notBeforeMs, entry.notBeforeMs)
            return
        }
        if remembered.count >= most { remembered = remembered.filter { $0.value.notBeforeMs > nowMs } }
        if remembered.count >= most { return }
        remembered[entry.key] = Remembered(failures: entry.failures, notBeforeMs: entry.notBeforeMs)
    }

    /// The clock was set by so much: what waits waits as long as it was to.
    mutating func clockSlipped(byMs slipMs: Int64) {
        for place in entries.indices { entries[place].notBeforeMs &+= slipMs }
        for key in remembered.keys { remembered[key]?.notBeforeMs &+= slipMs }
    }

    /// The request of a symbol that was in flight has ended.
    mutating func flightEnded(_ key: SnapshotKey) {
        if let place = places[key] { entries[place].isBehindFlight = false }
    }

    /// The entry whose turn it is, and when the next one's time comes.
    func first(nowMs: Int64) -> (entry: Entry?, wakeMs: Int64) {
        var first: Int?
        var wakeMs = Int64.max
        for place in entries.indices {
            if entries[place].isBehindFlight { continue }
            if entries[place].notBeforeMs > nowMs {
                wakeMs = min(wakeMs, entries[place].notBeforeMs)
            } else if first.map({ entries[place].goesBefore(entries[$0]) }) ?? true {
                first = place
            }
        }
        return (first.map { entries[$0] }, wakeMs)
    }
}
