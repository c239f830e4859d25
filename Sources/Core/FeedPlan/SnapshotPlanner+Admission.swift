// Requests other than snapshots, such as the one for the symbol list: they are charged to the same budget and
// observe the same pauses, and the venue's answers count for snapshots too.
//
// They have no queue: the caller asks until admitted. The answer to every admitted request must be reported.

extension SnapshotPlanner {
    /// The clock behind `nowMs` was set. Bans are not shortened, and waits after a failure or for an answer
    /// keep their length. O(entries).
    ///
    /// - Parameters:
    ///   - slipMs: by how much; negative if set back.
    ///   - nowMs: its new reading.
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

    /// Outcome of an answered request other than a snapshot.
    public enum OtherOutcome: Hashable, Sendable {
        /// Success.
        case deliver
        /// Retry, not before this time.
        case retry(notBeforeMs: Int64)
        /// A retry is useless.
        case failed(Failure)
    }

    /// Whether a request of this weight may be sent now; if so, it is charged.
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

    /// Reports the head of an answer to a request of any kind. A good one proves that the venue serves us
    /// again, before the rest of a long body arrives.
    public mutating func answering(_ ticket: UInt64, _ head: Answer, nowMs: Int64) {
        _ = advance(nowMs)
        budget.answering(ticket, head)
    }

    /// Reports the answer to an admitted request, or its absence.
    ///
    /// - Parameters:
    ///   - ticket: its ticket.
    ///   - answer: the answer.
    ///   - attempt: number of earlier attempts; later ones wait longer.
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
