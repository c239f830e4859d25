// Requests other than snapshots, such as the one for the list of symbols: they are charged to the same budget
// and keep the same pauses, and what the venue answers counts for the snapshots too.
//
// They have no queue: the caller asks until it is admitted. Every admitted request must be reported.

extension SnapshotPlanner {
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
        if now < pause.untilMs { return .wait(untilMs: pause.untilMs) }
        if !crowd(nowMs: now).hasRoom { return .wait(untilMs: now + latencyMs) }
        let roomMs = ledger.roomMs(
            for: weight, within: configuration.weightUsable, keeping: 0, nowMs: now)
        if roomMs > now { return .wait(untilMs: roomMs) }
        ledger.spend(weight, isUrgent: true, nowMs: now)
        tally.sent += 1
        let ticket = nextTicket
        nextTicket += 1
        others[ticket] = now
        return .send(ticket: ticket)
    }

    /// Reports that the answer to a request of any kind has begun, by its head. A good one proves that the
    /// venue serves us again, without waiting for the rest of a long body.
    public mutating func answering(_ ticket: UInt64, _ head: Answer, nowMs: Int64) {
        _ = advance(nowMs)
        let sentAtMs = flights.first { $0.request.ticket == ticket }?.sentAtMs ?? others[ticket]
        if let sentAtMs, let used = head.usedWeight { ledger.learn(used: used, sentAtMs: sentAtMs) }
        switch head.meaning {
        case .success: pause.succeeded(ticket: ticket)
        case .refusal, .transient, .permanent: break
        }
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
        if let sentAtMs = others.removeValue(forKey: ticket), let used = answer.usedWeight {
            ledger.learn(used: used, sentAtMs: sentAtMs)
        }
        switch answer.meaning {
        case .success:
            pause.succeeded(ticket: ticket)
            return .deliver
        case .permanent(let failure):
            pause.succeeded(ticket: ticket)
            return .failed(failure)
        case .refusal(let reason):
            refuse(reason, answer, ticket, now)
            return .retry(notBeforeMs: pause.untilMs)
        case .transient:
            fail(ticket, now)
            return .retry(notBeforeMs: max(now + backoff.delayMs(attempt: attempt + 1), pause.untilMs))
        }
    }
}
