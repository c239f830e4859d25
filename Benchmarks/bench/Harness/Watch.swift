// Noise of the machine, and the wish of the person in front of it to stop.
//
// SIGINT is blocked for the whole run and asked for between passes, so an interrupted run still prints what
// it has and never stops inside a measurement.

import Foundation

/// Samples noise and tells when to stop.
struct Watch {
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

    /// How much longer than at best the fixed work took, at the median and at the 95th percentile, as shares.
    var noise: (median: Double, p95: Double) {
        guard let best = samples.min(), best > 0 else { return (0, 0) }
        return (quantile(samples, 0.5) / best - 1, quantile(samples, 0.95) / best - 1)
    }
}
