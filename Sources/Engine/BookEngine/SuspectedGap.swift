// A message that may have been an update of a symbol was lost. The next update tells; if none arrives, a
// snapshot will.

import DepthBook

/// Whether an update of a symbol may be missing, and since when.
///
/// ```
/// state    input       next
/// closed   open        open
/// open     open        open, for the later reason and from the later time on
/// any      close       closed: an update or snapshot has told, or the book is given up anyway
/// ```
struct SuspectedGap {
    /// What was lost; `none` while nothing is suspected.
    private(set) var reason = StaleReason.none
    /// When a message was last lost, on the engine's clock, whatever became of the suspicion: what was seen
    /// by then does not show that the stream omits nothing.
    private(set) var lostNs = Int64.min

    /// Whether something is suspected.
    var isOpen: Bool { reason != .none }

    /// A message was lost.
    mutating func open(_ why: StaleReason, nowNs: Int64) { (reason, lostNs) = (why, nowNs) }

    /// The lost message is accounted for, or no longer matters.
    @inline(__always)
    mutating func close() { reason = .none }

    /// When a snapshot must decide, on the engine's clock.
    ///
    /// - Parameter doubtNsMin: how long the next update may take to decide.
    func dueNs(after doubtNsMin: Int64) -> Int64 { lostNs &+ doubtNsMin }
}
