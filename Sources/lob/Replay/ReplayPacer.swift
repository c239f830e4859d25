// Sleeps so that time passes as it did in the capture, or faster.

import Glibc

/// The pace of a replay. Times are not trusted: one that goes back or is absurd is not waited for.
struct ReplayPacer {
    private var firstNs: Int64?
    private var clock = Stopwatch()
    /// The longest time after the first message that is waited for.
    private static let secondsMax = 1e9

    /// Waits until a time of the capture has come.
    mutating func wait(until timeNs: Int64, factor: Double) {
        guard let firstNs else {
            firstNs = timeNs
            clock = Stopwatch()
            return
        }
        let dueSeconds = (Double(timeNs) - Double(firstNs)) / 1e9 / factor
        guard dueSeconds > 0, dueSeconds < ReplayPacer.secondsMax else { return }
        while !StopSignals.isRaised {
            let rest = dueSeconds - Double(clock.elapsedNs) / 1e9
            if rest <= 0 { return }
            usleep(UInt32(min(rest, 0.1) * 1e6) + 1)
        }
    }
}
