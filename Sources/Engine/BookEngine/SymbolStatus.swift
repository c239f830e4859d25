// What an engine knows about one symbol, as a flat copy: for its owner at any time, and for other threads
// through a mailbox at intervals. A few hundred bytes per symbol, so it is not published with every message.

import DepthBook
import FeedPlan
import MarketData

/// What an engine knows about one symbol, as a copy.
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
    /// Levels inside the proven range of the bids; in status published by ticks possibly an earlier count,
    /// while many other books have moved.
    public var provenBidCount = 0
    /// Levels inside the proven range of the asks.
    public var provenAskCount = 0
    /// Its counters.
    public var counters = SymbolCounters()
    /// Bytes of messages waiting for a snapshot.
    public var bufferedBytes = 0
    /// Receive time of the last applied update, in nanoseconds; 0 if there is none.
    public var appliedAtNs: Int64 = 0
    /// How much later than usual it arrived, in nanoseconds.
    public var lagNs: Int64 = 0
    /// When its connection was last known to deliver, in nanoseconds; 0 if never.
    public var checkedAtNs: Int64 = 0
    /// Receive time of the last update of any kind, in nanoseconds; 0 if there is none.
    public var lastEventAtNs: Int64 = 0
    /// The usual time between two updates, smoothed over sixteen.
    public var usualIntervalNs: Int64 = 0
    /// The last difference found by an audit.
    public var lastDifference: AuditDifference?
    /// The result of the last audit; nil before the first.
    public var lastAudit: AuditOutcome?

    /// A symbol about which nothing is known.
    public init(_ symbol: SymbolName) { self.symbol = symbol }
}

extension SymbolBook {
    /// The current status. O(slots / 8) for the proven levels.
    var status: SymbolStatus { status(countProven()) }

    private func status(_ counts: ProvenCounts) -> SymbolStatus {
        var status = SymbolStatus(name)
        status.state = state
        status.reason = reason
        status.lastUpdateID = served.book.lastUpdateID
        status.scales = served.book.scales
        status.provenBids = served.book.provenBids
        status.provenAsks = served.book.provenAsks
        status.provenBidCount = counts.bids
        status.provenAskCount = counts.asks
        status.counters = counters
        status.bufferedBytes = served.buffer.byteCount + (candidate?.staging?.buffer.byteCount ?? 0)
        status.appliedAtNs = appliedAtNs
        status.lagNs = lag.lagNs
        status.checkedAtNs = heardAtNs
        status.lastEventAtNs = silence.isHeard || heardAtNs != 0 ? heardAtNs : 0
        status.usualIntervalNs = silence.usualIntervalNs
        status.lastDifference = lastDifference
        status.lastAudit = lastAudit
        return status
    }

    /// Rank of a snapshot request among those of equal priority.
    var snapshotRank: SnapshotRank {
        if candidate?.purpose == .audit { return SnapshotRank(provenLevelCount: Int(clamping: audits.count)) }
        let counts = countProven()
        var fewest = Int.max
        for side in Side.allCases where served.book.proven(side) != .unbounded {
            fewest = min(fewest, counts[side])
        }
        let intervalNs = silence.usualIntervalNs
        let perMinute = intervalNs == 0 ? 0 : 60_000_000_000 / max(intervalNs, 1_000_000)
        return SnapshotRank(provenLevelCount: fewest, updatesPerMinute: Int(perMinute))
    }

    /// Publishes the current status.
    func publishStatus() { mailboxes.publish(status) }

    /// The same in a tick, where proven levels may be those of an earlier one.
    func publishStatusInTick() { mailboxes.publish(status(countProvenInTick())) }
}

extension BookEngine {
    /// Publishes status and counters now, as ticks do every `statusEveryNs`. For the end: anything after the
    /// last tick would otherwise never be seen.
    public mutating func publishStatus() {
        for book in books { book.publishStatus() }
        countersWriter.publish(counters)
    }

    /// Looks at a few symbols in rotation: depth, status, and the view of a book that has not moved, so that
    /// readers see that it was checked.
    mutating func lookAtSome() {
        let nowNs = shared.nowNs
        let publishesStatus = configuration.statusEveryNs > 0
        for _ in 0..<min(BookEngine.looksPerTick, books.count) {
            nextLook = nextLook + 1 < books.count ? nextLook + 1 : 0
            let book = books[nextLook]
            if let source = book.source.connection { book.heardAtNs = shared.connections.heardAtNs(source) }
            book.startWhatIsDue(nowNs)
            book.judge()
            if book.mailboxes.takeStatusTurn(everyNs: configuration.statusEveryNs, nowNs: nowNs) {
                book.publishStatusInTick()
            }
            book.mailboxes.changed()
            note(nextLook)
        }
        if !publishesStatus || nowNs &- statusNs < configuration.statusEveryNs { return }
        statusNs = nowNs
        countersWriter.publish(counters)
    }
}
