// Time of single messages, from the fenced cycle counter, and of whole passes, from the thread's CPU clock.
//
// A pass of a slow implementation takes tens of milliseconds and is interrupted on every shared machine; one
// of a fast implementation is not. The CPU clock does not charge a thread for the time it was not running, so
// a ratio of two passes is that of the work. It costs 200 ns to read, which is nothing for a pass and too
// much for a message.
//
// The rate of the counter is not told by the hardware, so it is measured against the monotonic clock: from
// the start of the program to the moment a result is converted, a baseline of seconds. The cost of an empty
// timing is measured too, and the smallest one found is taken off every single-message time: never more than
// the timer cost.

import CLobKernels
import Foundation

/// The cycle counter with its calibrated rate and its own cost.
struct CycleTimer {
    private let startTicks: UInt64
    private let startNs: UInt64
    /// Cost of one empty timing, taken off every message's time.
    let overheadTicks: UInt64

    init() {
        startTicks = lob_cycles_fenced()
        startNs = CycleTimer.monotonicNs()
        var smallest = UInt64.max
        for _ in 0..<20_000 {
            let before = lob_cycles_fenced()
            smallest = min(smallest, lob_cycles_fenced() &- before)
        }
        overheadTicks = smallest
    }

    /// The counter now.
    @inline(__always)
    static func ticks() -> UInt64 { lob_cycles_fenced() }

    static func monotonicNs() -> UInt64 { read(CLOCK_MONOTONIC) }

    /// CPU time of this thread.
    static func threadNs() -> UInt64 { read(CLOCK_THREAD_CPUTIME_ID) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var now = timespec()
        clock_gettime(clock, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    /// Nanoseconds of one tick, over the whole life of the program; waits until that is at least 100 ms.
    func nsPerTick() -> Double {
        let baselineNs: UInt64 = 100_000_000
        while CycleTimer.monotonicNs() - startNs < baselineNs { usleep(5_000) }
        let ticks = CycleTimer.ticks() - startTicks
        return Double(CycleTimer.monotonicNs() - startNs) / Double(ticks)
    }
}
