// The two clocks of a loop's thread, for timestamping arrivals and planning deadlines.

import CLobTransport

/// Reads clocks without a system call.
package enum LoopClock {
    /// Monotonic time in nanoseconds, from an arbitrary zero.
    package static var monotonicNs: UInt64 { ct_now_ns() }

    /// Nanoseconds since 1970. Steps when the clock is set.
    package static var realtimeNs: Int64 { ct_realtime_ns() }
}
