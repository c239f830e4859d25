// What can happen to a book.

import BookEngine
import DepthBook
import MarketData

/// Something worth telling about a book.
@nonexhaustive
package enum BookEvent: Hashable, Sendable {
    /// It is live for the first time.
    case live(UpdateID)
    /// It can no longer be trusted.
    case stale(StaleReason)
    /// It is live again, this long after a look first found it stale.
    case liveAgain(UpdateID, afterMs: Int64)
    /// Updates were missing this many times, and the book was mended before a look noticed.
    case mended(gaps: Int)
    /// No update follows the one before it: the venue counts ids differently than expected.
    case unchained
    /// An audit found no difference.
    case auditAgreed
    /// An audit found one.
    case auditDiffered(AuditDifference?)
    /// A ticker of the venue differs from the book at the same id.
    case tickerContradicted
    /// A partial depth of the venue differs from the book at the same id.
    case partialContradicted
    /// Best bid at or above best ask.
    case crossed
    /// A snapshot is newer than the book, and the updates that lead to it have not come.
    case behind
    /// The venue prints different decimals.
    case rescaled
    /// Too many updates waited for a snapshot.
    case bufferOverflowed
}

/// The state of a book at the end.
package enum BookOutcome: Hashable, Sendable {
    /// Live.
    case live
    /// It was live, lost its trust, and there was little time to mend it.
    case mending(forMs: Int64)
    /// It was live and could not be mended for `BookMonitor.mendingNsMax` or longer.
    case lost(forMs: Int64)
    /// It was never live.
    case neverLive

    /// Whether something is wrong with it.
    package var isFailure: Bool {
        switch self {
        case .live, .mending: false
        case .lost, .neverLive: true
        }
    }
}
