// The time a fetcher plans by. Weight budgets follow wall-clock minutes, but bans and backoffs are durations:
// stepping the system clock must not cut a ban short, nor extend it by more than a minute. A step is followed
// only within its minute; whole minutes of it are ignored. The part that is followed is reported, so that the
// end of a ban can be moved with it and waits after failures keep their length.
//
// Invariants
// * Minutes begin when those of the clock do.
// * A step of any size moves the time forward by at most `aheadMsMax` and back by less than a minute.
// * Without steps the time is the clock's.
//
// Worst case: after a step back the planner, whose budget time never runs backwards, charges its spending to
// one minute for almost two.

/// Milliseconds since 1970 until the clock is stepped; from then on whole minutes apart from it.
struct MinuteClock {
    private static let minuteMs: Int64 = 60_000
    private static let aheadMsMax: Int64 = 5_000
    private static let toldMsMin: Int64 = 100
    /// Whole minutes by which the time is ahead of the clock.
    private(set) var aheadMs: Int64 = 0
    /// How far the time is ahead of the monotonic clock.
    private var sinceStartMs: Int64?
    private var slippedMs: Int64 = 0

    /// The time, given both clock readings.
    mutating func timeMs(realtimeMs: Int64, monotonicMs: Int64) -> Int64 {
        let expectedMs = sinceStartMs.map { monotonicMs + $0 } ?? realtimeMs
        let excessMs = realtimeMs + aheadMs - expectedMs - MinuteClock.aheadMsMax
        aheadMs -= MinuteClock.minutesUp(excessMs) * MinuteClock.minuteMs
        let timeMs = realtimeMs + aheadMs
        sinceStartMs = timeMs - monotonicMs
        slippedMs += timeMs - expectedMs
        return timeMs
    }

    /// By how much steps have moved the time since the last call; negative if back. Less than a tenth of a
    /// second is reported later, together with what follows.
    mutating func takeSlip() -> Int64 {
        if abs(slippedMs) < MinuteClock.toldMsMin { return 0 }
        defer { slippedMs = 0 }
        return slippedMs
    }

    /// Whole minutes, rounded up.
    private static func minutesUp(_ ms: Int64) -> Int64 {
        ms > 0 ? (ms + minuteMs - 1) / minuteMs : ms / minuteMs
    }
}
