// What an engine knows of one symbol, as a flat copy: for its owner at any time, and for other threads
// through a mailbox, now and then. It costs a few hundred bytes for each symbol, so it is not part of every
// message's road.

import BinanceDepth
import DepthBook
import MarketData

/// What an engine knows of one symbol, as a copy.
public struct SymbolStatus: Sendable, BitwiseCopyable {
    /// Name.
    public var symbol: SymbolName
    /// How far the book can be trusted.
    public var state = BookState.syncing
    /// Why it is stale.
    public var reason = StaleReason.none
    /// Update id of the book.
    public var lastUpdateID = UpdateID(0)
    /// Decimals of the book; nil until its first level.
    public var scales: SymbolScales?
    /// How far the bids are known.
    public var provenBids = ProvenRange.nothing
    /// How far the asks are known.
    public var provenAsks = ProvenRange.nothing
    /// Levels inside the proven range of the bids.
    public var provenBidCount = 0
    /// Levels inside the proven range of the asks.
    public var provenAskCount = 0
    /// What happened.
    public var counters = SymbolCounters()
    /// Bytes of messages that wait for a snapshot.
    public var bufferedBytes = 0
    /// When the last event was received, in nanoseconds; 0 if none was.
    public var lastEventAtNs: Int64 = 0
    /// The usual time between two events, smoothed over sixteen.
    public var usualIntervalNs: Int64 = 0
    /// The last difference an audit found.
    public var lastDifference: AuditDifference?

    /// A symbol of which nothing is known.
    public init(_ symbol: SymbolName) { self.symbol = symbol }
}

extension SymbolBook {
    /// The present status. O(slots / 8) for the proven levels.
    var status: SymbolStatus {
        var status = SymbolStatus(name)
        status.state = state
        status.reason = reason
        status.lastUpdateID = main.book.lastUpdateID
        status.scales = main.book.scales
        status.provenBids = main.book.provenBids
        status.provenAsks = main.book.provenAsks
        status.provenBidCount = main.book.provenLevelCount(.bid)
        status.provenAskCount = main.book.provenLevelCount(.ask)
        status.counters = counters
        status.bufferedBytes = main.buffer.byteCount + (shadow?.buffer.byteCount ?? 0)
        status.lastEventAtNs = lastEventAtNs
        status.usualIntervalNs = usualIntervalNs
        status.lastDifference = lastDifference
        return status
    }

    /// Where a wish for a snapshot stands among those of equal priority.
    var snapshotRank: SnapshotRank {
        let counts = Side.allCases.map { side in
            main.book.proven(side) == .unbounded ? Int.max : main.book.provenLevelCount(side)
        }
        let intervalNs = max(usualIntervalNs, 1_000_000)
        return SnapshotRank(
            provenLevelCount: counts.min() ?? 0, updatesPerMinute: Int(60_000_000_000 / intervalNs))
    }

    /// Hands the present status to readers.
    func publishStatus() { statusWriter.publish(status) }
}

extension BookEngine {
    /// Hands status and counters to readers now, as ticks do every `statusEveryNs`. For the end: what
    /// happened since the last tick would never be seen otherwise.
    public mutating func publishStatus() {
        for book in books { book.publishStatus() }
        countersWriter.publish(counters)
    }

    /// Hands status and counters to readers if it is time.
    mutating func publishStatus(atNs: Int64) {
        if configuration.statusEveryNs <= 0 || atNs &- statusAtNs < configuration.statusEveryNs { return }
        statusAtNs = atNs
        publishStatus()
    }
}
