// How far a reader can trust a book, and why no further.

import MarketData

/// How far a published book can be trusted.
public enum BookState: UInt8, Sendable, BitwiseCopyable {
    /// No book yet.
    case syncing
    /// Every level inside the proven range equals the venue's at `lastUpdateID`.
    case live
    /// Not to be trusted now. The levels stay readable while the book is rebuilt: as they were when trust was
    /// lost, or as the last snapshot tried left them. See `StaleReason`.
    case stale
}

/// Why a book is stale.
@nonexhaustive
public enum StaleReason: UInt8, Sendable, BitwiseCopyable {
    /// It is not stale.
    case none
    /// An update was lost.
    case gap
    /// The connection ended.
    case disconnected
    /// Best bid at or above best ask.
    case crossed
    /// A best price or a top-of-book frame of the venue differed at the same update id.
    case mismatch
    /// The venue changed the decimals it prints.
    case rescale
    /// A snapshot, ticker or partial depth is newer, and the updates leading to it have not arrived.
    case behind
    /// The best price of a side lies outside the proven range.
    case shallow
    /// A message that may have been an update of this book could not be parsed.
    case unreadable
    /// A message that may have been an update of this book was dropped before the engine saw it.
    case dropped
    /// A snapshot at the same update id differed.
    case audit
    /// Its updates arrive later than the limit allows.
    case lagging
    /// Its connection was busy and has gone silent.
    case silent
}
