// What can happen to a book.

import BookEngine
import DepthBook
import MarketData

/// Something worth telling about a book.
@nonexhaustive
public enum BookEvent: Hashable, Sendable {
    /// It is live for the first time.
    case live(UpdateID)
    /// It is not to be trusted now.
    case stale(StaleReason)
    /// It is live again, so long after a look first found it stale.
    case liveAgain(UpdateID, afterMs: Int64)
    /// Events were missing so many times, and the book was mended before anybody looked.
    case mended(gaps: Int)
    /// Event after event, none follows the one before: their ids are counted in another way.
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
    /// A snapshot is newer than the book, and the events that lead to it did not come.
    case behind
    /// The venue prints other decimals.
    case rescaled
    /// Too many events waited for a snapshot.
    case bufferOverflowed
}

/// How a book stands when it is over.
public enum BookOutcome: Hashable, Sendable {
    /// Live.
    case live
    /// It was live, has lost its trust, and there has not been much time to mend it.
    case mending(forMs: Int64)
    /// It was live, and could not be mended for `BookMonitor.mendingNsMax` or longer.
    case lost(forMs: Int64)
    /// It never was live.
    case neverLive

    /// Whether something is wrong with it.
    public var isFailure: Bool {
        switch self {
        case .live, .mending: false
        case .lost, .neverLive: true
        }
    }
}
