// Frames from one pinned thread to another: the frame ring against what people write first.
//
// All contenders carry the same frames (1.2 to 3.2 KB, 1.9 KB in the mean), hold at most about 1 MB, copy
// what they are given as a socket's buffer would force them to, and hand it to the same reader, which adds up
// every byte. The sums are compared before anything is reported.
//
// Each round runs all contenders in turn, throughput first (as fast as possible, the sender waits for room),
// then latency (one frame every 3 µs, from the moment before the hand-over to the moment before the reading).
// Rounds are many and a few milliseconds short for each contender, so that some are left alone by whatever
// else the machine does (`Rounds`).

import CLobKernels
import Foundation
import LobHandoff
import Synchronization

/// What one contender measured, by round. Wall time.
struct RingTrack {
    let implementation: String
    private(set) var nsPerFrame = Rounds()
    private(set) var latency = LatencyRounds()

    init(implementation: String) { self.implementation = implementation }

    /// How many times the other's time per frame this is: the median over the rounds that count for both, or
    /// over all if there is none.
    func times(_ other: RingTrack) -> Double {
        let (own, reference) = (nsPerFrame.values, other.nsPerFrame.values)
        let shared = Set(nsPerFrame.counted).intersection(other.nsPerFrame.counted)
        return median((shared.isEmpty ? Set(own.indices) : shared).map { own[$0] / reference[$0] })
    }

    fileprivate mutating func append(_ runs: RingRuns, waitedLike judged: RingRuns) {
        nsPerFrame.append(
            runs.throughput.elapsedNs / Double(runs.throughput.frameCount),
            waitedShare: judged.throughput.waitedShare)
        latency.append(runs.latency.latenciesNs, waitedShare: judged.latency.waitedShare)
    }
}

/// Why there are no rows.
enum RingBenchmarkError: Error {
    /// The two threads could not be pinned to CPUs 0 and 1.
    case pinning(errno: Int32)
    /// A contender read other bytes than were sent.
    case wrongBytes(implementation: String)
}

/// The comparison.
struct RingBenchmark {
    /// Time to measure; at least `roundCountMin` rounds are run.
    var budgetNs: UInt64
    var roundCountMin = 3
    var throughputFrameCount = 4_000
    var latencyFrameCount = 2_000
    /// Nanoseconds of a tick of the cycle counter.
    let nsPerTick: Double

    /// Runs the contenders of these names and the ring, whose track comes first.
    func run(_ names: Set<String>, watch: inout Watch) throws -> [RingTrack] {
        let traffic = RingTraffic()
        let contenders = ringContenders.filter { $0 == RingHandOver.self || names.contains($0.name) }
        var tracks = contenders.map { RingTrack(implementation: $0.name) }
        let start = CycleTimer.monotonicNs()
        var round = -1
        while round < roundCountMin || CycleTimer.monotonicNs() - start < budgetNs {
            watch.sampleNoise()
            watch.poll()
            if watch.isInterrupted { break }
            var ring: RingRuns?
            for (index, contender) in contenders.enumerated() {
                let runs = RingRuns(
                    throughput: try oneRun(contender, traffic, throughputFrameCount, 0, nsPerTick),
                    latency: try oneRun(contender, traffic, latencyFrameCount, 3000, nsPerTick))
                ring = ring ?? runs
                // The first round warms up.
                if round < 0 { continue }
                tracks[index].append(runs, waitedLike: contender.isPinned ? runs : ring ?? runs)
            }
            round += 1
        }
        return tracks
    }
}

// MARK: - One run

/// A thousand bodies of 1200 to 3200 bytes, more short than long ones, in an irregular order; slices of one
/// buffer.
private final class RingTraffic: Sendable {
    private let bytes: [UInt8] = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 167 ^ $0 >> 7) }
    private let ranges: [Range<Int>] = (0..<1000).map { number in
        let start = number * 104_729 % (65_536 - 3200)
        let share = Double(number * 7919 % 1000) / 1000
        return start..<(start + 1200 + Int(2000 * share * share))
    }

    func with(_ number: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[ranges[number % ranges.count]])) }
    }

    func sum(of frameCount: Int) -> UInt64 {
        var sum: UInt64 = 0
        for number in 0..<frameCount { with(number) { sum &+= sumOfWords($0) } }
        return sum
    }
}

private struct RingRun {
    var frameCount: Int
    var elapsedNs: Double
    /// How long the two pinned threads waited for a CPU; nil where the kernel does not tell.
    var waitedNs: UInt64?
    var latenciesNs: [Double]

    var waitedShare: Double? { waitedNs.map { Double($0) / elapsedNs } }
}

/// The two runs of a contender in a round.
private struct RingRuns {
    var throughput: RingRun
    var latency: RingRun
}

/// What the two threads of a run tell each other; each field has one writer, and is read when that one is
/// done.
private final class RingRunState: @unchecked Sendable {
    let isReceiverReady = Atomic<Bool>(false)
    var senderPinFailure: Int32 = 0
    var receiverPinFailure: Int32 = 0
    var senderWaitedNs: UInt64?
    var receiverWaitedNs: UInt64?
    var startTicks: UInt64 = 0
    var endTicks: UInt64 = 0
}

/// Sends frames through a new contender; the sender runs on CPU 0, the receiver on CPU 1.
private func oneRun(
    _ type: any FrameHandOver.Type, _ traffic: RingTraffic, _ frameCount: Int, _ paceNs: Double,
    _ nsPerTick: Double
) throws -> RingRun {
    let reader = FrameReader(frameCount: frameCount)
    let contender = try type.init(reader)
    let state = RingRunState()
    let done = DispatchSemaphore(value: 0)
    Thread {
        state.receiverPinFailure = lob_pin_thread(1)
        let delay = RunDelay()
        let startWaitedNs = delay.waitedNs()
        state.isReceiverReady.store(true, ordering: .releasing)
        contender.receive(frameCount)
        state.endTicks = lob_cycles()
        state.receiverWaitedNs = delay.waitedNs(since: startWaitedNs)
        done.signal()
    }.start()
    Thread {
        state.senderPinFailure = lob_pin_thread(0)
        while !state.isReceiverReady.load(ordering: .acquiring) { lob_pause() }
        let paceTicks = UInt64(paceNs / nsPerTick)
        let delay = RunDelay()
        let startWaitedNs = delay.waitedNs()
        state.startTicks = lob_cycles()
        var nextTicks = state.startTicks
        for number in 0..<frameCount {
            nextTicks &+= paceTicks
            while lob_cycles() < nextTicks { lob_pause() }
            traffic.with(number) { contender.send(lob_cycles(), $0) }
        }
        state.senderWaitedNs = delay.waitedNs(since: startWaitedNs)
        done.signal()
    }.start()
    done.wait()
    done.wait()
    let failure = max(state.senderPinFailure, state.receiverPinFailure)
    if failure != 0 { throw RingBenchmarkError.pinning(errno: failure) }
    if reader.sum != traffic.sum(of: frameCount) {
        throw RingBenchmarkError.wrongBytes(implementation: type.name)
    }
    return RingRun(
        frameCount: frameCount, elapsedNs: Double(state.endTicks &- state.startTicks) * nsPerTick,
        waitedNs: state.senderWaitedNs.flatMap { own in state.receiverWaitedNs.map { own + $0 } },
        latenciesNs: reader.latencyTicks.map { Double($0) * nsPerTick })
}
