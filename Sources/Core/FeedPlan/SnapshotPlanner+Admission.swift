// Requests that are no snapshots, such as the one for the list of symbols: they are charged to the same
// budget, keep the same pauses, and what the venue says to them counts for the snapshots too.
//
// They have no queue: whoever wants one asks until it is admitted. Every admitted request must be reported.

extension SnapshotPlanner {
    /// What to do about a request that is no snapshot.
    public enum Admission: Hashable, Sendable {
        /// Send it, and report its answer under this ticket.
        case send(ticket: UInt64)
        /// Ask again at this time.
        case wait(untilMs: Int64)
    }

    /// What becomes of an answered request that is no snapshot.
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

    /// Reports that the answer to a request of any kind has begun, by what its head says. A good one proves
    /// that the venue serves us again, and nobody has to wait for the rest of a long body.
    public mutating func answering(_ ticket: UInt64, _ head: Answer, nowMs: Int64) {
        _ = advance(nowMs)
        budget.answering(ticket, head)
    }

    /// Reports the answer to an admitted request, or that there is none.
    ///
    /// - Parameter attempt: how often it was asked before; later ones wait longer.
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
