// The next time at which a loop must turn although nothing happens.
//
// The system's waits end at whole milliseconds, and the loop spins for the rest. So a time is postponed to
// the next whole millisecond from now plus a little: a few microseconds remain to spin.

import LobTransport

/// One timer for the earliest of all requested times.
struct TurnAlarm {
    private var dueNs = UInt64.max
    private var timer: LoopTimer?

    private static let millisecondNs: UInt64 = 1_000_000
    /// Duration of a loop turn before it waits.
    private static let turnNs: UInt64 = 60_000

    /// Makes the loop turn at this time at the latest.
    mutating func set(atNs: UInt64, nowNs: UInt64, on loop: EventLoop) {
        if dueNs > nowNs && dueNs <= atNs + TurnAlarm.millisecondNs { return }
        if let timer { loop.cancel(timer) }
        let waitMs = atNs > nowNs ? (atNs - nowNs - 1) / TurnAlarm.millisecondNs + 1 : 0
        let delayNs = waitMs == 0 ? 0 : waitMs * TurnAlarm.millisecondNs + TurnAlarm.turnNs
        dueNs = nowNs + delayNs
        // The turn itself is all that is needed.
        timer = loop.after(delayNs) {}
    }
}
