// Time as a feed and a fetcher see it: from a loop's clocks and timers, or a simulation's.

/// Two clocks and timers. Used on one thread.
package protocol ShellClock: AnyObject {
    /// Nanoseconds since 1970. Steps when the clock is set.
    var realtimeNs: Int64 { get }

    /// Monotonic time in nanoseconds, from an arbitrary zero.
    var monotonicNs: UInt64 { get }

    /// Calls `action` once after this time, never from inside this call.
    ///
    /// - Returns: the timer's id, for cancelling it.
    func alarm(afterNs delayNs: UInt64, _ action: @escaping () -> Void) -> ShellTimer

    /// Cancels a timer; ignored if it has fired or was cancelled.
    func cancel(_ timer: ShellTimer)
}

/// Identifies a timer of a clock.
package struct ShellTimer: Hashable, Sendable {
    /// Its number; only the clock interprets it.
    package let number: UInt64

    /// The timer with this number.
    package init(number: UInt64) { self.number = number }
}

extension ShellClock {
    /// Monotonic time in milliseconds.
    var monotonicMs: Int64 { Int64(monotonicNs / 1_000_000) }

    /// A timer in milliseconds; a negative time is 0, one too long is never.
    func alarm(afterMs delayMs: Int64, _ action: @escaping () -> Void) -> ShellTimer {
        let (delayNs, overflow) = UInt64(clamping: delayMs).multipliedReportingOverflow(by: 1_000_000)
        return alarm(afterNs: overflow ? .max : delayNs, action)
    }
}
