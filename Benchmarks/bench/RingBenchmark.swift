// Frames from one pinned thread to another: the frame ring against what people write first.
//
// All contenders carry the same frames (1.2 to 3.2 KB, 1.9 KB in the mean), hold at most about 1 MB, copy
// what they are given as a socket's buffer would force them to, and hand it to the same reader, which adds up
// every byte. The sums are compared before anything is reported.
//
// Each repetition runs all contenders in turn, throughput first (as fast as possible, the sender waits for
// room), then latency (one frame every 3 µs, from the moment before the hand-over to the moment before the
// reading). Repetitions are many and a few milliseconds short, so that some of them are left alone by
// whatever else the machine does; the best one shows what the contender costs, and a ratio is the median of
// those inside one repetition.

import CKernels
import Foundation
import Handoff
import Synchronization

/// One contender. Times are in nanoseconds; a ratio says how many times the ring's own time it is.
struct RingBenchmarkRow {
    var implementation: String
    var framesPerRun: Int
    var repetitions: Int
    var nsPerFrameMedian: Double
    var nsPerFrameBest: Double
    var nsPerFrameRatio: Double
    var p50NsMedian: Double
    var p50NsBest: Double
    var p50Ratio: Double
    var p99NsMedian: Double
    var p99NsBest: Double
    var p99Ratio: Double
}

/// Why there are no rows.
enum RingBenchmarkError: Error {
    /// The two threads could not be pinned to CPUs 0 and 1.
    case pinning(errno: Int32)
    /// A contender read other bytes than were sent.
    case wrongBytes(implementation: String)
}

/// Runs the comparison: about 50 ms for each repetition. The ring's row comes first.
func runRingBenchmark(
    repetitionCount: Int = 60, throughputFrameCount: Int = 4_000, latencyFrameCount: Int = 2_000
) throws -> [RingBenchmarkRow] {
    let traffic = RingTraffic()
    let nsPerTick = measuredNsPerTick()
    let contenders: [any FrameHandOver.Type] = [
        RingHandOver.self, SpinningQueue.self, SleepingQueue.self, DispatchHandOver.self,
    ]
    var tracks = contenders.map { RingTrack(implementation: $0.name) }
    for repetition in -1..<repetitionCount {
        for index in contenders.indices {
            let throughput = try oneRun(contenders[index], traffic, throughputFrameCount, 0, nsPerTick)
            let latency = try oneRun(contenders[index], traffic, latencyFrameCount, 3000, nsPerTick)
            // The first round warms up.
            if repetition < 0 { continue }
            tracks[index].nsPerFrame.append(throughput.elapsedNs / Double(throughputFrameCount))
            tracks[index].p50Ns.append(quantile(of: latency.latenciesNs, 0.5))
            tracks[index].p99Ns.append(quantile(of: latency.latenciesNs, 0.99))
        }
    }
    return tracks.map { $0.row(against: tracks[0], framesPerRun: throughputFrameCount) }
}

/// What one contender measured, by repetition.
private struct RingTrack {
    var implementation: String
    var nsPerFrame: [Double] = []
    var p50Ns: [Double] = []
    var p99Ns: [Double] = []

    func row(against ring: RingTrack, framesPerRun: Int) -> RingBenchmarkRow {
        func ratio(_ own: [Double], _ other: [Double]) -> Double {
            quantile(of: zip(own, other).map { $0 / $1 }, 0.5)
        }
        return RingBenchmarkRow(
            implementation: implementation, framesPerRun: framesPerRun, repetitions: nsPerFrame.count,
            nsPerFrameMedian: quantile(of: nsPerFrame, 0.5), nsPerFrameBest: nsPerFrame.min() ?? 0,
            nsPerFrameRatio: ratio(nsPerFrame, ring.nsPerFrame),
            p50NsMedian: quantile(of: p50Ns, 0.5), p50NsBest: p50Ns.min() ?? 0,
            p50Ratio: ratio(p50Ns, ring.p50Ns),
            p99NsMedian: quantile(of: p99Ns, 0.5), p99NsBest: p99Ns.min() ?? 0,
            p99Ratio: ratio(p99Ns, ring.p99Ns))
    }
}

private func quantile(of values: [Double], _ share: Double) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)]
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
    var elapsedNs: Double
    var latenciesNs: [Double]
}

/// What the two threads of a run tell each other; each field has one writer, and is read when that one is
/// done.
private final class RingRunState: @unchecked Sendable {
    let isReceiverReady = Atomic<Bool>(false)
    var senderPinFailure: Int32 = 0
    var receiverPinFailure: Int32 = 0
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
        state.isReceiverReady.store(true, ordering: .releasing)
        contender.receive(frameCount)
        state.endTicks = lob_cycles()
        done.signal()
    }.start()
    Thread {
        state.senderPinFailure = lob_pin_thread(0)
        while !state.isReceiverReady.load(ordering: .acquiring) { lob_pause() }
        let paceTicks = UInt64(paceNs / nsPerTick)
        state.startTicks = lob_cycles()
        var nextTicks = state.startTicks
        for number in 0..<frameCount {
            nextTicks &+= paceTicks
            while lob_cycles() < nextTicks { lob_pause() }
            traffic.with(number) { contender.send(lob_cycles(), $0) }
        }
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
        elapsedNs: Double(state.endTicks &- state.startTicks) * nsPerTick,
        latenciesNs: reader.latencyTicks.map { Double($0) * nsPerTick })
}

/// Nanoseconds of a tick of the cycle counter, measured over 50 ms.
private func measuredNsPerTick() -> Double {
    func monotonicNs() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) * 1e9 + Double(now.tv_nsec)
    }
    let (startNs, startTicks) = (monotonicNs(), lob_cycles())
    while monotonicNs() - startNs < 5e7 { lob_pause() }
    return (monotonicNs() - startNs) / Double(lob_cycles() &- startTicks)
}
