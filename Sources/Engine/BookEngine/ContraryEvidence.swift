// Statements of the venue newer than the book whose best levels differ from the book's. Where ids advance
// without the symbol, a later id alone says nothing; a difference does, if it lasts: a change of the best
// levels is followed by an update, unless it is undone before one is due, and then the next statement agrees.

import MarketData

/// Since when everything of a kind that was seen ahead of a book has differed from it.
///
/// ```
/// input                            effect
/// ahead of the book, and differs   begins, unless it has begun
/// ahead of the book, and agrees    ends, if it is of the same kind: the others see other levels
/// a snapshot as late agrees        ends
/// the book advances or is          the latest remembered of each kind is compared anew: if it differs, the
///   replaced                       first remains, or becomes the latest once the book has reached it
/// ```
struct ContraryEvidence {
    private struct Sighting {
        var id: UpdateID
        var seenNs: Int64
    }

    private var ticker: Sighting?
    private var partial: Sighting?

    private var first: Sighting? {
        guard let ticker, let partial else { return ticker ?? partial }
        return ticker.seenNs <= partial.seenNs ? ticker : partial
    }

    /// When the first that differed was seen, on the engine's clock; nil if nothing differs.
    var sinceNs: Int64? { first?.seenNs }

    /// Its id.
    var id: UpdateID? { first?.id }

    mutating func note(_ id: UpdateID, _ check: VenueMismatch.Check, nowNs: Int64) {
        let seen = Sighting(id: id, seenNs: nowNs)
        switch check {
        case .ticker: ticker = ticker ?? seen
        case .partialDepth: partial = partial ?? seen
        }
    }

    /// The book has changed, and stands at `own`.
    ///
    /// - Parameter latest: the latest of this kind ahead of it, if that differs.
    mutating func compared(
        _ check: VenueMismatch.Check, _ latest: (id: UpdateID, seenNs: Int64)?, own: UpdateID
    ) {
        let former = check == .ticker ? ticker : partial
        agreed(check)
        guard let latest else { return }
        if let former, former.id > own {
            note(former.id, check, nowNs: former.seenNs)
        } else {
            note(latest.id, check, nowNs: latest.seenNs)
        }
    }

    /// Something of this kind agrees with the book.
    mutating func agreed(_ check: VenueMismatch.Check) {
        switch check {
        case .ticker: ticker = nil
        case .partialDepth: partial = nil
        }
    }

    /// A snapshot agrees with the book. One of an earlier id says nothing: REST may be late.
    mutating func reached(_ id: UpdateID) { if let first, first.id <= id { end() } }

    @inline(__always)
    mutating func end() { (ticker, partial) = (nil, nil) }
}
