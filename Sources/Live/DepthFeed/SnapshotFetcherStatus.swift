// The status of a snapshot fetcher.

import FeedPlan
import LobHandoff
import MarketData

/// What a snapshot fetcher has done and plans. Counters only grow.
public struct SnapshotFetcherStatus: Sendable, BitwiseCopyable {
    /// When this status was written, in nanoseconds since 1970.
    public var writtenAtNs: Int64 = 0
    /// Snapshots requested but not yet sent for, by `SnapshotPriority`.
    public var queued = InlineArray<6, Int>(repeating: 0)
    /// Requests sent and not yet answered.
    public var inFlight = 0
    /// Weight spent in this clock minute, and its limit.
    public var weightSpent = 0
    /// See `weightSpent`.
    public var weightMax = 0
    /// What the next request waits for; nil if for nothing, or if there is none.
    public var waitsFor: SnapshotPlanner.Obstacle?
    /// Earliest time of the next request, in milliseconds since 1970; 0 if nothing is waited for.
    public var waitingUntilMs: Int64 = 0
    /// When all requests should be answered, in milliseconds since 1970; 0 if there are none.
    public var etaMs: Int64 = 0
    /// Of the current batch: delivered, failed for good, and all.
    public var delivered = 0
    /// See `delivered`.
    public var failed = 0
    /// See `delivered`.
    public var total = 0
    /// Requests sent.
    public var sentCount = 0
    /// Answers 429, 418 and 403.
    public var refusalCount = 0
    /// Requests with no answer, or a retryable error.
    public var transientFailureCount = 0
    /// Weight per minute stated in the venue's symbol lists; 0 until one is known.
    public var statedWeight = 0
    /// Such statements that were implausible.
    public var unusableLimits = 0
    /// Bytes of all bodies.
    public var bytes = 0
    /// Bodies waiting because their shard does not accept them.
    public var undelivered = 0
    /// The last failure.
    public var lastError = InlineText()

    /// Status of a new fetcher.
    public init() {}
}

extension SnapshotFetcherStatus {
    /// Copies the planner's numbers.
    mutating func take(_ plan: SnapshotPlanner.Plan) {
        for priority in SnapshotPriority.allCases {
            queued[priority.rawValue] = plan.queued[priority.rawValue]
        }
        inFlight = plan.inFlight
        weightSpent = plan.weightSpent
        weightMax = plan.weightMax
        waitsFor = plan.obstacle
        waitingUntilMs = plan.waitingUntilMs ?? 0
        etaMs = plan.etaMs ?? 0
        delivered = plan.delivered
        failed = plan.failed
        total = plan.total
        sentCount = plan.sentCount
        refusalCount = plan.refusalCount
        transientFailureCount = plan.transientFailureCount
    }
}
