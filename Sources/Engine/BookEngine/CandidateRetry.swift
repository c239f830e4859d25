// Failures of candidates, and when the next may start.

import FeedPlan

/// Consecutive failures of one kind of candidate, and when the next may start.
struct CandidateRetry {
    private(set) var failures = 0
    /// Earliest start of the next one, on the engine's clock.
    private(set) var notBeforeNs: Int64 = 0
    private let doublingsMax: Int

    /// - Parameter doublingsMax: maximum number of doublings of 1.25 s.
    init(doublingsMax: Int) { self.doublingsMax = doublingsMax }

    /// Urgent candidates: 40 s at most.
    static let urgent = CandidateRetry(doublingsMax: 5)
    /// Optional candidates: eleven minutes at most.
    static let optional = CandidateRetry(doublingsMax: 9)

    /// One more failed.
    mutating func failed(nowNs: Int64) {
        failures = min(failures + 1, 9)
        notBeforeNs = nowNs &+ 1_250_000_000 << Int64(min(failures, doublingsMax))
    }

    /// The next may start now, whatever has failed.
    mutating func allow(nowNs: Int64) { notBeforeNs = nowNs }
}

/// The retries of both kinds: failures of optional candidates do not delay urgent ones.
///
/// ```
/// input             urgent              optional
/// failed, urgent    one more, longer    –
/// failed, other     –                   one more, longer
/// allowUrgent       the next at once    –
/// joined            forgotten           –
/// agreed            forgotten           forgotten
/// ```
struct CandidateRetries {
    private(set) var urgent = CandidateRetry.urgent
    private(set) var optional = CandidateRetry.optional

    /// Consecutive failures of the kind that this purpose belongs to.
    func failures(of purpose: SnapshotPriority) -> Int {
        purpose < .deepen ? urgent.failures : optional.failures
    }

    /// A candidate failed.
    ///
    /// - Returns: when the next of its kind may begin.
    mutating func failed(_ purpose: SnapshotPriority, nowNs: Int64) -> Int64 {
        if purpose < .deepen {
            urgent.failed(nowNs: nowNs)
            return urgent.notBeforeNs
        }
        optional.failed(nowNs: nowNs)
        return optional.notBeforeNs
    }

    /// The planner times the next urgent one.
    mutating func allowUrgent(nowNs: Int64) { urgent.allow(nowNs: nowNs) }

    /// A snapshot was joined as the served book.
    mutating func joined() { urgent = .urgent }

    /// A candidate agreed with the served book.
    mutating func agreed() { (urgent, optional) = (.urgent, .optional) }
}
