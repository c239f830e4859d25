// What a thread does when a turn of its loop found no work. The loop:
//
//     var emptyTurnCount = 0
//     while running {
//         let ticket = signal.ticket
//         if doWork() > 0 {
//             emptyTurnCount = 0
//         } else {
//             strategy.idle(emptyTurnCount: emptyTurnCount, on: signal, since: ticket, timeoutNs: 1_000_000)
//             emptyTurnCount += 1
//         }
//     }
//
// The ticket is taken before looking for work, so news that arrives later prevents the sleep.

import CLobKernels
import Glibc

/// How to trade processor time for latency while there is nothing to do.
public enum IdleStrategy: String, CaseIterable, Sendable {
    /// Never yields the CPU: lowest latency, one whole CPU.
    case spin
    /// Spins, then yields, then sleeps for longer and longer. Works without notifications, late by at most
    /// `timeoutNs`.
    case backoff
    /// Sleeps until notified: no CPU, but wake-up latency (tens of microseconds). Needs a producer that
    /// notifies.
    case park

    /// `backoff`: turns spent spinning before it yields.
    static let spinTurnCount = 1000
    /// `backoff`: turns spent yielding before it sleeps.
    static let yieldTurnCount = 100
    /// `backoff`: the first sleep; each further one is twice as long.
    static let sleepNsMin: Int64 = 10_000

    /// Spends one idle turn.
    ///
    /// - Parameters:
    ///   - emptyTurnCount: consecutive turns without work before this one.
    ///   - signal: what the other side notifies.
    ///   - ticket: the signal's ticket from before this turn looked for work.
    ///   - timeoutNs: longest sleep.
    public func idle(emptyTurnCount: Int, on signal: Signal, since ticket: Signal.Ticket, timeoutNs: Int64) {
        switch self {
        case .spin:
            lob_pause()
        case .backoff:
            let yields = emptyTurnCount - IdleStrategy.spinTurnCount
            let sleeps = yields - IdleStrategy.yieldTurnCount
            if yields < 0 {
                lob_pause()
            } else if sleeps < 0 {
                sched_yield()
            } else {
                signal.wait(
                    since: ticket,
                    timeoutNs: min(IdleStrategy.sleepNsMin &<< Int64(min(sleeps, 32)), timeoutNs))
            }
        case .park:
            signal.wait(since: ticket, timeoutNs: timeoutNs)
        }
    }
}
