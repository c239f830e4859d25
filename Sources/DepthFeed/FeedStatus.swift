// What a feed and a snapshot desk say of themselves to other threads: one value each, replaced as a whole.

import BinanceDepth
import Handoff
import MarketData

/// Where a lane's connections stand.
public enum FeedState: UInt8, Sendable, BitwiseCopyable {
    /// Not started.
    case idle
    /// No connection serves; one is being opened or subscribed, or waits for its time.
    case connecting
    /// A connection serves.
    case connected
    /// A connection serves, and its replacement is on its way or beside it.
    case replacing
    /// Stopped for good.
    case stopped
}

/// What a feed has done and where it stands. Counters only grow.
public struct FeedStatus: Sendable, BitwiseCopyable {
    /// Where the connections stand.
    public var state = FeedState.idle
    /// The connection that serves, the `source` of its frames; 0 if none does.
    public var connection: UInt16 = 0
    /// When it was subscribed, in nanoseconds since 1970; 0 if none serves.
    public var connectedAtNs: Int64 = 0
    /// When this status was written, in nanoseconds since 1970.
    public var writtenAtNs: Int64 = 0
    /// When the last message came, in nanoseconds since 1970; 0 if none has.
    public var lastMessageAtNs: Int64 = 0
    /// Connections dialled.
    public var attempts = 0
    /// Messages received, control messages included.
    public var messages = 0
    /// Bytes of these messages.
    public var bytes = 0
    /// Messages that found no room in the ring.
    public var droppedMessages = 0
    /// Frames that must arrive and wait for room.
    public var waitingFrames = 0
    /// Pings of the venue that were answered.
    public var pings = 0
    /// Pings of ours to a silent venue.
    public var probes = 0
    /// Streams resubscribed because they were silent.
    public var resubscribedStreams = 0
    /// Connections that were replaced while they served.
    public var replacements = 0
    /// Announcements that the venue will close a connection.
    public var shutdowns = 0
    /// Connections that ended by themselves or could not be opened.
    public var losses = 0
    /// Requests that the venue refused.
    public var refusals = 0
    /// Messages that were neither data nor readable as anything else.
    public var unreadable = 0
    /// Why a connection ended last.
    public var lastError = FeedText()

    /// A feed that has done nothing.
    public init() {}
}

/// What keeps a snapshot desk from sending its next request.
public enum DeskWait: UInt8, Sendable, BitwiseCopyable {
    /// Nothing does, or nothing is wanted.
    case nothing
    /// The venue wants no requests now.
    case limited
    /// The venue has banned this address.
    case banned
    /// The venue's firewall keeps us out.
    case blocked
    /// The venue does not answer, or only with errors.
    case outage
    /// This minute's weight is spent.
    case budget
    /// Answers are on their way, and no more at once are allowed.
    case answers
    /// All that is wanted waits after a failure.
    case backoff
}

extension DeskWait {
    init(_ obstacle: SnapshotPlanner.Obstacle?) {
        self =
            switch obstacle {
            case nil: .nothing
            case .limited: .limited
            case .banned: .banned
            case .blocked: .blocked
            case .outage: .outage
            case .budget: .budget
            case .answers: .answers
            case .backoff: .backoff
            }
    }
}

/// What a snapshot desk has done and plans. Counters only grow.
public struct DeskStatus: Sendable, BitwiseCopyable {
    /// When this status was written, in nanoseconds since 1970.
    public var writtenAtNs: Int64 = 0
    /// Snapshots wanted and not asked for yet, by `SnapshotPriority`.
    public var queued = InlineArray<6, Int>(repeating: 0)
    /// Requests sent and not answered.
    public var inFlight = 0
    /// Weight spent in this clock minute, and the most that may be.
    public var weightSpent = 0
    /// See `weightSpent`.
    public var weightMax = 0
    /// What the next request waits for.
    public var waitsFor = DeskWait.nothing
    /// When the next request goes out at the earliest, in milliseconds since 1970; 0 if nothing is waited
    /// for.
    public var waitingUntilMs: Int64 = 0
    /// When everything wanted should be there, in milliseconds since 1970; 0 if nothing is wanted.
    public var etaMs: Int64 = 0
    /// Of the present batch: delivered, failed for good, and all.
    public var delivered = 0
    /// See `delivered`.
    public var failed = 0
    /// See `delivered`.
    public var total = 0
    /// Requests sent.
    public var sentCount = 0
    /// Answers 429, 418 and 403.
    public var refusalCount = 0
    /// Requests that got no answer, or an error worth asking again.
    public var transientFailureCount = 0
    /// Weight a minute that the venue states in its lists of symbols; 0 until one is read.
    public var statedWeight = 0
    /// Statements of it that cannot be.
    public var unusableLimits = 0
    /// Bytes of all bodies.
    public var bytes = 0
    /// Bodies that wait because their lane does not take them.
    public var undelivered = 0
    /// What went wrong last.
    public var lastError = FeedText()

    /// A desk that has done nothing.
    public init() {}
}

extension DeskStatus {
    /// Takes over what the planner says.
    mutating func take(_ plan: SnapshotPlanner.Plan) {
        for priority in SnapshotPriority.allCases {
            queued[priority.rawValue] = plan.queued[priority.rawValue]
        }
        inFlight = plan.inFlight
        weightSpent = plan.weightSpent
        weightMax = plan.weightMax
        waitsFor = DeskWait(plan.obstacle)
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
