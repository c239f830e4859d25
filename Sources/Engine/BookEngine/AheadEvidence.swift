// Evidence newer than the book: the id of a ticker, partial depth or snapshot. Normal for a moment, since a
// ticker precedes the update with its id. If it persists, updates are missing, whatever the stream of updates
// suggests.
//
// Two ids represent all evidence: the oldest that the book has not reached, and the latest. When the book
// passes the oldest, the latest takes its place with its own time. A doubt can therefore come up to one limit
// late, but never wrongly.

import MarketData

/// The evidence that a book is behind.
struct AheadEvidence {
    private struct Sighting {
        var id: UpdateID
        var seenNs: Int64
    }

    private var oldest: Sighting?
    private var latest: Sighting?

    /// When the oldest id not yet reached by the book was seen, on the engine's clock; nil if there is none.
    var sinceNs: Int64? { oldest?.seenNs }

    /// That id.
    var oldestID: UpdateID? { oldest?.id }

    mutating func note(_ id: UpdateID, nowNs: Int64) {
        if oldest == nil { oldest = Sighting(id: id, seenNs: nowNs) }
        if let latest, id <= latest.id { return }
        latest = Sighting(id: id, seenNs: nowNs)
    }

    /// The book now stands at `id`.
    @inline(__always)
    mutating func reached(_ id: UpdateID) {
        guard let first = oldest, first.id <= id else { return }
        if let last = latest, last.id > id {
            oldest = last
        } else {
            removeAll()
        }
    }

    /// The stream brought an update up to `id`: anything beyond that seen before this time belongs to an
    /// earlier id epoch of the venue, or is bogus.
    ///
    /// - Returns: whether there was any.
    mutating func cameBack(to id: UpdateID, seenBeforeNs: Int64) -> Bool {
        guard let first = oldest, first.id > id, first.seenNs < seenBeforeNs else { return false }
        if let last = latest, last.seenNs >= seenBeforeNs { oldest = last } else { removeAll() }
        return true
    }

    /// Forgets ids that are impossible beside that of the book, which is known now.
    mutating func removeAll(where isImpossible: (UpdateID) -> Bool) {
        if let first = oldest, isImpossible(first.id) { oldest = nil }
        if let last = latest, isImpossible(last.id) { latest = oldest }
        oldest = oldest ?? latest
    }

    mutating func removeAll() {
        oldest = nil
        latest = nil
    }
}
