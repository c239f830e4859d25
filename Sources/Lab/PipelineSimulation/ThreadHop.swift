// From one thread of the client to another: what is posted is done a little later, in order, and now and then
// the queue is full.

import DepthFeed
import SimulatedExchange

/// The queue of commands of a simulated thread. There is but one thread in truth.
final class ThreadHop: @unchecked Sendable {
    private let clock: VirtualClock
    private var random: SeededRandom
    private var lastUs: Int64 = 0
    /// How long the other thread sleeps at most.
    private let sleepUs: Int64

    /// - Parameter mayStandStill: whether the other thread may be one that is late all the time.
    init(_ clock: VirtualClock, seed: UInt64, purpose: UInt64, mayStandStill: Bool) {
        self.clock = clock
        var random = SeededRandom(seed, purpose: purpose)
        let isSlow = random.below(4) == 0
        sleepUs = mayStandStill && isSlow ? 500_000 : 20_000
        self.random = random
    }

    /// Hands a command over.
    ///
    /// - Returns: false if the queue is full; nothing happens then.
    func post(_ command: @escaping () -> Void) -> Bool {
        if random.below(50) == 0 { return false }
        // Mostly the other thread is awake.
        let longestUs: Int64 = random.below(10) == 0 ? sleepUs : 500
        lastUs = max(lastUs, clock.nowUs + random.within(1...longestUs))
        clock.alarm(atUs: lastUs, command)
        return true
    }
}

/// The way from the fetcher to the feed.
struct FeedHop: SnapshotTaker {
    let hop: ThreadHop
    let run: UnownedRun

    func deliver(_ delivery: SnapshotFetcher.Delivery) -> Bool {
        hop.post { run.pipeline.arrived(delivery) }
    }
}

/// Names a run to what belongs to it.
final class UnownedRun: @unchecked Sendable {
    unowned let pipeline: Pipeline

    init(_ pipeline: Pipeline) { self.pipeline = pipeline }
}
