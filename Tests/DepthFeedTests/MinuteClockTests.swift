// The time of a fetcher under clocks that somebody sets.

import TestSupport
import Testing

@testable import DepthFeed

struct MinuteClockTests {
    static let startMs: Int64 = 1_790_000_012_345

    @Test func withoutStepsItIsTheClock() {
        var clock = MinuteClock()
        for elapsedMs in [0, 1, 250, 60_000, 86_400_000] as [Int64] {
            // A clock that is a little fast, as most are a little wrong.
            let realtimeMs = Self.startMs + elapsedMs + elapsedMs / 10_000_000
            let timeMs = clock.timeMs(realtimeMs: realtimeMs, monotonicMs: 777 + elapsedMs)
            #expect(timeMs == realtimeMs && clock.aheadMs == 0)
        }
    }

    /// An hour back must not stop the fetcher for an hour, an hour ahead must not end a ban.
    @Test(
        arguments: [
            -3_600_000, -61_000, -60_000, -55_001, -54_999, -1, 0, 1, 5_000, 5_001, 59_999, 60_000, 3_600_000,
            315_360_000_000,
        ] as [Int64])
    func steps(_ stepMs: Int64) {
        for startMs in Self.startMs..<Self.startMs + 3 {
            var clock = MinuteClock()
            _ = clock.timeMs(realtimeMs: startMs, monotonicMs: 5)
            let realtimeMs = startMs + 100 + stepMs
            let timeMs = clock.timeMs(realtimeMs: realtimeMs, monotonicMs: 105)
            let movedMs = timeMs - (startMs + 100)
            #expect((timeMs - realtimeMs) % 60_000 == 0 && timeMs - realtimeMs == clock.aheadMs)
            #expect(movedMs <= 5_000 && movedMs > -60_000)
            #expect(clock.timeMs(realtimeMs: realtimeMs + 1, monotonicMs: 106) == timeMs + 1)
        }
    }

    /// What steps add to the time is told once, so that a ban can last as much longer, and nothing else.
    @Test func stepsAreTold() {
        var clock = MinuteClock()
        _ = clock.timeMs(realtimeMs: Self.startMs, monotonicMs: 0)
        #expect(clock.takeSlip() == 0)
        _ = clock.timeMs(realtimeMs: Self.startMs + 4_000, monotonicMs: 1_000)
        _ = clock.timeMs(realtimeMs: Self.startMs + 6_000, monotonicMs: 2_000)
        #expect(clock.takeSlip() == 4_000 && clock.takeSlip() == 0)
        let before = clock.timeMs(realtimeMs: Self.startMs + 6_000, monotonicMs: 2_000)
        let after = clock.timeMs(realtimeMs: Self.startMs - 50_000, monotonicMs: 2_000)
        #expect(clock.takeSlip() == after - before)
        let back = clock.timeMs(realtimeMs: Self.startMs - 80_000, monotonicMs: 2_000)
        #expect(back == after - 30_000 && clock.takeSlip() == -30_000)
        // Clocks that are a little wrong are no steps, and add up.
        _ = clock.timeMs(realtimeMs: Self.startMs - 80_060, monotonicMs: 2_000)
        #expect(clock.takeSlip() == 0)
        _ = clock.timeMs(realtimeMs: Self.startMs - 80_120, monotonicMs: 2_000)
        #expect(clock.takeSlip() == -120)
    }
}
