// From one thread of the client to another: what is posted is done a little later, in order, and now and then
// the queue is full.

import DepthFeed
import SimulatedExchange

/// The queue of commands of a simulated thread. There is but one thread in truth.
final class ThreadHop: @unchecked Sendable {
    private let clock: VirtualClock
    private var random: SeededRandom
    private var lastUs: Int64 = 0

    init(_ clock: VirtualClock, seed: UInt64, purpose: UInt64) {
        self.clock = clock
        random = SeededRandom(seed, purpose: purpose)
    }

    /// Hands a command over.
    ///
    /// - Returns: false if the queue is full; nothing happens then.
    func post(_ command: @escaping () -> Void) -> Bool {
        if random.below(50) == 0 { return false }
        // Mostly the other thread is awake.
        let longestUs: Int64 = random.below(10) == 0 ? 20_000 : 500
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
