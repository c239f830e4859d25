// The clocks of a recorder.
//
// SAFETY: the system writes into a local value.

import Glibc

/// The current time.
enum RecorderClock {
    /// Monotonic time in nanoseconds.
    static var monotonicNs: Int64 { read(CLOCK_MONOTONIC) }

    /// Nanoseconds since 1970.
    static var realtimeNs: Int64 { read(CLOCK_REALTIME) }

    /// Sleeps for some microseconds.
    static func sleep(us: UInt32) { usleep(us) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
