// Event counters; they only grow.

/// Counters of one symbol.
public struct SymbolCounters: Hashable, Sendable, BitwiseCopyable {
    /// Depth updates applied to the served book.
    public var applied = 0
    /// Depth updates dropped because the book already had them or none was needed.
    public var discarded = 0
    /// Depth updates kept for a book under construction.
    public var buffered = 0
    /// Number of times an update was found missing.
    public var gaps = 0
    /// Number of times the served book became untrusted, for any reason.
    public var resyncs = 0
    /// Snapshots used.
    public var snapshots = 0
    /// Snapshots older than the first update kept.
    public var snapshotsTooOld = 0
    /// Snapshot requests that failed or whose body was unusable.
    public var snapshotsFailed = 0
    /// Snapshots that contradict the updates received before them.
    public var snapshotsRefuted = 0
    /// Buffer overflows of candidates.
    public var bufferOverflows = 0
    /// Messages whose decimals differed from the book's.
    public var rescales = 0
    /// Number of times the book was crossed after a message.
    public var crossings = 0
    /// Tickers compared with the book at the same id, and those that agreed.
    public var tickersCompared = 0
    /// See `tickersCompared`.
    public var tickersAgreed = 0
    /// Tickers evicted because too many preceded their update.
    public var tickersEvicted = 0
    /// Partial-depth frames compared with the book at the same id, and those that agreed.
    public var partialsCompared = 0
    /// See `partialsCompared`.
    public var partialsAgreed = 0
    /// Audits finished, and those that found no difference.
    public var auditsCompared = 0
    /// See `auditsCompared`.
    public var auditsAgreed = 0
    /// Checksums of the venue compared with the book's, and those that agreed.
    public var checksumsCompared = 0
    /// See `checksumsCompared`.
    public var checksumsAgreed = 0
    /// Unreadable messages that were, or may have been, of this symbol.
    public var unreadable = 0
    /// Messages of this symbol, or possibly of it, that were dropped before the engine.
    public var dropped = 0
    /// Updates, tickers and partial depths with ids that no stream can have reached.
    public var implausible = 0
    /// Doubts about a good book: a message that may have been lost, a reconnect.
    public var doubts = 0
    /// Doubts that ended without a new book.
    public var doubtsSettled = 0
    /// Silent streams found to be merely quiet.
    public var quietChecks = 0
    /// Books that were rebuilt for more depth.
    public var deepenings = 0
    /// Number of resubscriptions requested.
    public var resubscriptions = 0
    /// Number of times a ticker, partial depth or snapshot proved the served book to be behind.
    public var behind = 0

    /// All zero.
    public init() {}
}

/// Counters of an engine.
public struct EngineCounters: Hashable, Sendable, BitwiseCopyable {
    /// Frames processed.
    public var frames = 0
    /// Messages that could not be parsed.
    public var malformed = 0
    /// Losses before the ring, reported by the feed.
    public var dropped = 0
    /// Irrelevant messages: replies to requests, trades, klines and the like.
    public var other = 0
    /// Depth messages, tickers and partial depths of symbols the engine does not hold.
    public var unknownSymbol = 0
    /// Announcements of an imminent disconnect.
    public var shutdowns = 0
    /// Depth updates, tickers and partial depths parsed.
    public var depthUpdates = 0
    /// See `depthUpdates`.
    public var tickers = 0
    /// See `depthUpdates`.
    public var partialDepths = 0
    /// Levels in the depth updates.
    public var levels = 0

    /// All zero.
    public init() {}
}
