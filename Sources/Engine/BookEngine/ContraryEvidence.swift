// Statements of the venue newer than the book whose best levels differ from the book's. Where ids advance
// without the symbol, a later id alone says nothing; a difference does, if it lasts: a change of the best
// levels is followed by an update, unless it is undone before one is due, and then the next statement agrees.

import MarketData

/// Since when everything seen ahead of a book has differed from it.
///
/// ```
/// input                            effect
/// ahead of the book, and differs   begins, unless it has begun
/// ahead of the book, and agrees    ends
/// the book advances or is lost     ends
/// ```
struct ContraryEvidence {
    private var first: (id: UpdateID, seenNs: Int64)?

    /// When the first that differed was seen, on the engine's clock; nil if nothing differs.
    var sinceNs: Int64? { first?.seenNs }

    /// Its id.
    var id: UpdateID? { first?.id }

    mutating func note(_ id: UpdateID, nowNs: Int64) { first = first ?? (id, nowNs) }

    @inline(__always)
    mutating func end() { first = nil }
}
