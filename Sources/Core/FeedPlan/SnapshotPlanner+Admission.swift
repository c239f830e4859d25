// Requests other than snapshots, such as the one for the list of symbols: they are charged to the same budget
// and keep the same pauses, and what the venue answers counts for the snapshots too.
//
// They have no queue: the caller asks until it is admitted. Every admitted request must be reported.

extension SnapshotPlanner {
    /// The clock that gives `nowMs` was set: bans last at least as long as they were to, and what waits after
    /// a failure or for an answer waits as long as it was to. O(entries).
    ///
    /// - Parameters:
    ///   - slipMs: by how much; below 0 if it was set back.
    ///   - nowMs: the time it shows now.
    public mutating func clockSlipped(byMs slipMs: Int64, nowMs: Int64) {
        budget.clockSlipped(byMs: slipMs, nowMs: nowMs)
        queue.clockSlipped(byMs: slipMs)
        for index in flights.indices { flights[index].sentAtMs &+= slipMs }
    }

    /// What to do about a request other than a snapshot.
    public enum Admission: Hashable, Sendable {
        /// Send it, and report its answer under this ticket.
        case send(ticket: UInt64)
        /// Ask again at this time.
        case wait(untilMs: Int64)
    }

    /// What happens to an answered request other than a snapshot.
    public enum OtherOutcome: Hashable, Sendable {
        /// Success.
        case deliver
        /// Worth asking again, not before this time.
        case retry(notBeforeMs: Int64)
        /// Asking again is useless.
        case failed(Failure)
    }

    /// Whether a request of this weight may be sent now; if so it is charged.
    public mutating func admit(weight: Int, nowMs: Int64) -> Admission {
        let now = advance(nowMs)
        switch budget.gate(nowMs: now) {
        case .paused(let untilMs): return .wait(untilMs: untilMs)
        case .crowded: return .wait(untilMs: now + budget.latencyMs)
        case .open: break
        }
        let roomMs = budget.roomMs(for: weight, isUrgent: true, nowMs: now)
        if roomMs > now { return .wait(untilMs: roomMs) }
        return .send(ticket: budget.spend(weight, isUrgent: true, nowMs: now))
    }

    /// Reports that the answer to a request of any kind has begun, by its head. A good one proves that the
    /// venue serves us again, without waiting for the rest of a long body.
    public mutating func answering(_ ticket: UInt64, _ head: Answer, nowMs: Int64) {
        _ = advance(nowMs)
        budget.answering(ticket, head)
    }

    /// Reports the answer to an admitted request, or that there is none.
    ///
    /// - Parameters:
    ///   - ticket: of the request.
    ///   - answer: what came of it.
    ///   - attempt: how often it was asked before; later ones wait longer.
    ///   - nowMs: the time.
    public mutating func answeredOther(
        _ ticket: UInt64, _ answer: Answer, attempt: Int, nowMs: Int64
    ) -> OtherOutcome {
        let now = advance(nowMs)
        let meaning = budget.answered(ticket, answer, nowMs: now)
        let pausedUntilMs = budget.pause.untilMs
        switch meaning {
        case .success: return .deliver
        case .permanent(let failure): return .failed(failure)
        case .refusal: return .retry(notBeforeMs: pausedUntilMs)
        case .transient:
            let waitMs = budget.backoffMs(attempt: attempt + 1)
            return .retry(notBeforeMs: max(now + waitMs, pausedUntilMs))
        }
    }
}
