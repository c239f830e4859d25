// From one thread of the client to another: what is posted is executed a little later, in order, and now and
// then the queue is full.

import DepthFeed
import SimulatedExchange

/// The command queue of a simulated thread. In truth there is only one thread.
final class ThreadHop: @unchecked Sendable {
    private let clock: VirtualClock
    private var random: SeededRandom
    private var lastUs: Int64 = 0
    /// The longest time that the other thread sleeps.
    private let sleepUs: Int64

    /// - Parameter mayStandStill: whether the other thread may be one that is always late.
    init(_ clock: VirtualClock, seed: UInt64, purpose: UInt64, mayStandStill: Bool) {
        self.clock = clock
        var random = SeededRandom(seed, purpose: purpose)
        let isSlow = random.below(4) == 0
        sleepUs = mayStandStill && isSlow ? 500_000 : 20_000
        self.random = random
    }

    /// Posts a command.
    ///
    /// - Returns: false if the queue is full; the command is then dropped.
    func post(_ command: @escaping () -> Void) -> Bool {
        if random.below(50) == 0 { return false }
        // Usually the other thread is awake.
        let longestUs: Int64 = random.below(10) == 0 ? sleepUs : 500
        lastUs = max(lastUs, clock.nowUs + random.within(1...longestUs))
        clock.alarm(atUs: lastUs, command)
        return true
    }
}

/// The route from the fetcher to the feed.
struct FeedHop: SnapshotTaker {
    let hop: ThreadHop
    let run: UnownedRun

    func deliver(_ delivery: SnapshotFetcher.Delivery) -> Bool {
        hop.post { run.pipeline.arrived(delivery) }
    }
}

/// A reference from the parts of a run to the run.
final class UnownedRun: @unchecked Sendable {
    unowned let pipeline: Pipeline

    init(_ pipeline: Pipeline) { self.pipeline = pipeline }
}
