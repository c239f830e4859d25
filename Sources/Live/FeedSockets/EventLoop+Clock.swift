// A loop as the clock of a feed and of a fetcher.

import DepthFeed
import LobTransport

extension EventLoop: ShellClock {
    /// Nanoseconds since 1970.
    package var realtimeNs: Int64 { LoopClock.realtimeNs }

    /// Monotonic time in nanoseconds.
    package var monotonicNs: UInt64 { LoopClock.monotonicNs }

    /// Sets a timer of the loop.
    package func alarm(afterNs delayNs: UInt64, _ action: @escaping () -> Void) -> ShellTimer {
        ShellTimer(number: after(delayNs, action).number)
    }

    /// Cancels a timer.
    package func cancel(_ timer: ShellTimer) { cancel(LoopTimer(number: timer.number)) }
}
