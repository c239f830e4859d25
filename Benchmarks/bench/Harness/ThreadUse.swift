// What the system has charged to a thread.

import CLobAllocator
import Foundation

/// What the calling thread has used so far.
struct ThreadUse {
    /// Sampled by the kernel at its tick: it splits the CPU time as the ticks fell on user and system code.
    var userNs: UInt64 = 0
    var systemNs: UInt64 = 0
    /// Nil without jemalloc.
    var allocatedBytes: UInt64?

    static func now() -> ThreadUse {
        let thisThread: Int32 = 1
        var usage = rusage()
        getrusage(__rusage_who_t(UInt32(thisThread)), &usage)
        return ThreadUse(
            userNs: ns(usage.ru_utime), systemNs: ns(usage.ru_stime),
            allocatedBytes: lob_thread_allocated_bytes()?.pointee)
    }

    private static func ns(_ time: timeval) -> UInt64 {
        UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_usec) * 1000
    }

    /// The kernel's tick, at which it samples who runs.
    static let kernelTickNs: UInt64 = {
        var tick = timespec()
        clock_getres(CLOCK_MONOTONIC_COARSE, &tick)
        return UInt64(tick.tv_sec) * 1_000_000_000 + UInt64(tick.tv_nsec)
    }()
}
