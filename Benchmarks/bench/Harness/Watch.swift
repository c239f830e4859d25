// Noise of the machine, and the request of the person in front of it to stop.
//
// SIGINT is blocked for the whole run and asked for between passes, so an interrupted run still prints what
// it has and never stops inside a measurement.

import Foundation

/// Samples noise and tells when to stop.
struct Watch {
    private var watchedNs: UInt64 = 0
    private var waitedNs: UInt64 = 0
    private let delay = RunDelay()
    /// Ticks of a fixed piece of work, one sample per repetition.
    private var samples: [Double] = []
    private(set) var isInterrupted = false
    private var sink: UInt64 = 1

    /// Keeps SIGINT for `poll`.
    static func blockInterrupt() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Whether SIGINT came since `blockInterrupt`.
    static func interruptIsPending() -> Bool {
        var signals = sigset_t()
        sigpending(&signals)
        return sigismember(&signals, SIGINT) == 1
    }

    /// Asks whether to stop.
    mutating func poll() { isInterrupted = isInterrupted || Watch.interruptIsPending() }

    /// Times a chain of dependent multiplications that no cache and no predictor can change.
    mutating func sampleNoise() {
        let start = CycleTimer.ticks()
        var x = sink
        for _ in 0..<20_000 { x = x &* 6_364_136_223_846_793_005 &+ 1 }
        sink = x
        samples.append(Double(CycleTimer.ticks() &- start))
    }

    /// Counts how long this thread, which must be the one that made this, waits for a CPU while `body` runs.
    mutating func countingWaits(_ body: (inout Watch) -> Void) {
        let (startNs, startWaitedNs) = (CycleTimer.monotonicNs(), delay.waitedNs())
        body(&self)
        guard let ns = delay.waitedNs(since: startWaitedNs) else { return }
        watchedNs += CycleTimer.monotonicNs() - startNs
        waitedNs += ns
    }

    /// The wait for a CPU as a share of the time it was counted; nil if it was not.
    var waitedShare: Double? { watchedNs == 0 ? nil : Double(waitedNs) / Double(watchedNs) }

    /// How much longer than at best the fixed work took, at the median and at the 95th percentile, as shares;
    /// nil where that was measured less than five times.
    var noise: (median: Double, p95: Double)? {
        guard samples.count >= 5, let best = samples.min(), best > 0 else { return nil }
        return (quantile(samples, 0.5) / best - 1, quantile(samples, 0.95) / best - 1)
    }
}
