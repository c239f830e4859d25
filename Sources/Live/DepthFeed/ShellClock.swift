// Time as a feed and a fetcher see it: a loop's clocks and timers, or those of a simulation.

/// Two clocks and timers. Used on one thread.
package protocol ShellClock: AnyObject {
    /// Nanoseconds since 1970. Steps when the clock is set.
    var realtimeNs: Int64 { get }

    /// Nanoseconds of a clock that only goes forward, from an arbitrary zero.
    var monotonicNs: UInt64 { get }

    /// Calls `action` once after this time, never from inside this call.
    ///
    /// - Returns: the timer's name, to cancel it.
    func alarm(afterNs delayNs: UInt64, _ action: @escaping () -> Void) -> ShellTimer

    /// Cancels a timer; one that has fired or was cancelled is ignored.
    func cancel(_ timer: ShellTimer)
}

/// Names a timer of a clock.
package struct ShellTimer: Hashable, Sendable {
    /// Its number, which only the clock interprets.
    package let number: UInt64

    /// The timer of this number.
    package init(number: UInt64) { self.number = number }
}

extension ShellClock {
    /// Milliseconds of the clock that only goes forward.
    var monotonicMs: Int64 { Int64(monotonicNs / 1_000_000) }

    /// A timer by milliseconds; a time below 0 is 0, one too long is never.
    func alarm(afterMs delayMs: Int64, _ action: @escaping () -> Void) -> ShellTimer {
        let (delayNs, overflow) = UInt64(clamping: delayMs).multipliedReportingOverflow(by: 1_000_000)
        return alarm(afterNs: overflow ? .max : delayNs, action)
    }
}
