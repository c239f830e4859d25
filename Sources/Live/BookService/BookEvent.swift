// Events in the life of a book.

import BookEngine
import DepthBook
import MarketData

/// A reportable event of a book.
@nonexhaustive
package enum BookEvent: Hashable, Sendable {
    /// It is live for the first time.
    case live(UpdateID)
    /// It can no longer be trusted.
    case stale(StaleReason)
    /// It is live again, this long after it was first seen stale.
    case liveAgain(UpdateID, afterMs: Int64)
    /// Updates were missing this many times, but the book was repaired before anyone looked.
    case mended(gaps: Int)
    /// Updates do not follow each other: the venue numbers them differently than expected.
    case unchained
    /// An audit found no difference.
    case auditAgreed
    /// An audit found a difference.
    case auditDiffered(AuditDifference?)
    /// A venue ticker differs from the book at the same id.
    case tickerContradicted
    /// A venue partial depth differs from the book at the same id.
    case partialContradicted
    /// Best bid at or above best ask.
    case crossed
    /// A snapshot is newer than the book, and the updates leading to it have not arrived.
    case behind
    /// The venue prints different decimals.
    case rescaled
    /// Too many updates were waiting for a snapshot.
    case bufferOverflowed
}

/// The state of a book at the end of a run.
package enum BookOutcome: Hashable, Sendable {
    /// Live.
    case live
    /// It was live, became untrusted, and there was little time to repair it.
    case mending(forMs: Int64)
    /// It was live and could not be repaired for `BookMonitor.mendingNsMax` or longer.
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
