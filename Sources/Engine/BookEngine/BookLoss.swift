// Whether a symbol's book was given up, for what reason, and whether there ever was one.

import DepthBook

/// The last loss of a served book.
///
/// ```
/// state         input     next       meaning
/// never joined  lost      –          remembers the reason; there was no book
///               joined    joined
/// joined        lost      lost       counts as a resync
/// lost          lost      lost       for the later reason
///               joined    joined
/// any           doubted   same       counts as another loss for holders of a copy
/// ```
struct BookLoss {
    /// Whether a book was ever joined to its stream.
    private(set) var hasJoined = false
    /// Why it was last given up; `none` if it never was, or if there is a book again.
    private(set) var reason = StaleReason.none
    /// The engine-wide number of that loss; 0 if it was never given up.
    private(set) var number = 0

    /// The book is given up.
    ///
    /// - Returns: whether there was one.
    mutating func lost(_ why: StaleReason, number: Int) -> Bool {
        let isResync = hasJoined && reason == .none
        (reason, self.number) = (why, number)
        return isResync
    }

    /// The book is in doubt, and so are copies of it.
    mutating func doubted(number: Int) { self.number = number }

    /// A book is joined to its stream.
    @inline(__always)
    mutating func joined() { (hasJoined, reason) = (true, .none) }

    /// The reason, or another if there is none.
    func reason(or other: StaleReason) -> StaleReason { reason == .none ? other : reason }
}
