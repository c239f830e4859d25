// Waiting requests: unordered entries with an index by symbol.
//
// Why unordered: ranks change while entries wait, entries become due, and requests in flight end; any of
// these would move an entry. A linear search is 4,000 comparisons at most, once per request or alarm, some
// hundred times a minute.
//
// A failed request that was cancelled is remembered until its backoff is over: cancelling and requesting
// again gains nothing.
//
// Bounds: the planner's `queueMax`, for entries and for remembered failures. Worst case: a search is
// O(entries), everything else O(1).

/// The queue of a planner.
struct SnapshotQueue: Sendable {
    /// A waiting request.
    struct Entry: Sendable {
        var key: SnapshotKey
        var priority: SnapshotPriority
        var limit: SnapshotLimit
        var rank: SnapshotRank
        /// Order of arrival; kept across retries.
        var order: UInt64
        var notBeforeMs: Int64
        var failures = 0
        /// Whether the next request was announced.
        var isAnnounced = false
        /// Whether a request for its symbol is in flight that cannot serve it.
        var isBehindFlight = false

        /// Keeps the more urgent request, of equal ones the deeper, and the better of both ranks.
        mutating func merge(_ priority: SnapshotPriority, _ limit: SnapshotLimit, _ rank: SnapshotRank) {
            if priority < self.priority || (priority == self.priority && limit.weight > self.limit.weight) {
                (self.priority, self.limit) = (priority, limit)
            }
            self.rank = min(self.rank, rank)
        }

        /// Whether this entry goes before the other.
        func goesBefore(_ other: Entry) -> Bool {
            if priority != other.priority { return priority < other.priority }
            if rank != other.rank { return rank < other.rank }
            return order < other.order
        }
    }

    /// What remains of a failed request that was cancelled.
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

    /// Adds an entry, replacing its symbol's if there is one.
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

    /// Merges a request into its symbol's entry; false if there is none.
    mutating func merge(
        _ key: SnapshotKey, _ priority: SnapshotPriority, _ limit: SnapshotLimit, _ rank: SnapshotRank
    ) -> Bool {
        guard let place = places[key] else { return false }
        entries[place].merge(priority, limit, rank)
        // What is needed for this one may have begun just now.
        entries[place].isAnnounced = false
        return true
    }

    /// The entry of a symbol was announced, and is to be sent after this time.
    mutating func announced(_ key: SnapshotKey, notBeforeMs: Int64) {
        guard let place = places[key] else { return }
        entries[place].isAnnounced = true
        entries[place].notBeforeMs = max(entries[place].notBeforeMs, notBeforeMs)
    }

    /// Sets the rank of a symbol's entry.
    mutating func rank(_ key: SnapshotKey, _ rank: SnapshotRank) {
        if let place = places[key] { entries[place].rank = rank }
    }

    /// Removes a symbol's entry.
    mutating func take(_ key: SnapshotKey) {
        guard let place = places.removeValue(forKey: key) else { return }
        entries.swapAt(place, entries.count - 1)
        entries.removeLast()
        if place < entries.count { places[entries[place].key] = place }
    }

    /// Removes a symbol's entry but remembers its failures.
    mutating func forget(_ key: SnapshotKey, nowMs: Int64, most: Int) {
        guard let entry = self[key] else { return }
        take(key)
        remember(entry, nowMs: nowMs, most: most)
    }

    /// Remembers the failures of a cancelled request; when there is too much to remember, only what still
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

    /// The clock was set by this much: waits keep their length.
    mutating func clockSlipped(byMs slipMs: Int64) {
        for place in entries.indices { entries[place].notBeforeMs &+= slipMs }
        for key in remembered.keys { remembered[key]?.notBeforeMs &+= slipMs }
    }

    /// A symbol's request in flight has ended.
    mutating func flightEnded(_ key: SnapshotKey) {
        if let place = places[key] { entries[place].isBehindFlight = false }
    }

    /// The entry to send next, and when the next one becomes due.
    ///
    /// - Parameters:
    ///   - nowMs: the time.
    ///   - isAnnounced: whether only announced entries count.
    func first(nowMs: Int64, isAnnounced: Bool = false) -> (entry: Entry?, wakeMs: Int64) {
        var first: Int?
        var wakeMs = Int64.max
        for place in entries.indices {
            if entries[place].isBehindFlight || isAnnounced && !entries[place].isAnnounced { continue }
            if entries[place].notBeforeMs > nowMs {
                wakeMs = min(wakeMs, entries[place].notBeforeMs)
            } else if first.map({ entries[place].goesBefore(entries[$0]) }) ?? true {
                first = place
            }
        }
        return (first.map { entries[$0] }, wakeMs)
    }

    /// Entries that are announced and at least as urgent as this.
    func announcedCount(_ priority: SnapshotPriority) -> Int {
        entries.count { $0.isAnnounced && $0.priority <= priority }
    }
}
