// What a thread does when a turn of its loop found nothing to do. The loop:
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
// The ticket is taken before looking for work, so news that arrives later ends the sleep before it begins.

import CLobKernels
import Glibc

/// How to trade processor time for latency while there is nothing to do.
public enum IdleStrategy: String, CaseIterable, Sendable {
    /// Never gives up the CPU: lowest latency, one whole CPU.
    case spin
    /// Spins, then yields, then sleeps for longer and longer. Works without notifications, late by at most
    /// `timeoutNs`.
    case backoff
    /// Sleeps until notified: no CPU, and a wake-up's latency (tens of microseconds). Needs a producer that
    /// notifies.
    case park

    /// `backoff`: turns that spin before it yields.
    static let spinTurnCount = 1000
    /// `backoff`: turns that yield before it sleeps.
    static let yieldTurnCount = 100
    /// `backoff`: the first sleep; each further one is twice as long.
    static let sleepNsMin: Int64 = 10_000

    /// Spends one turn idly.
    ///
    /// - Parameters:
    ///   - emptyTurnCount: how many turns in a row found nothing before this one.
    ///   - signal: what the other side notifies.
    ///   - ticket: the signal's ticket from before this turn looked for work.
    ///   - timeoutNs: no sleep is longer.
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
