// One comparison: every implementation of one stage over one workload.
//
// 1. Check. Each implementation runs once and all must end with the same digest and the same sum over what
//    was read after each message. This pass warms the code, grows every buffer and tells how slow each one
//    is.
// 2. Allocations. Each runs once more between two readings of the allocator's counters.
// 3. Repetitions. In each, every implementation runs a throughput pass and a latency pass, the first to run
//    moving on by one each time. An implementation that is much slower than the rest takes part in an evenly
//    spread share of the repetitions. When the time is up after the first repetition, that is all.

import Foundation

/// What one implementation collected.
struct Track {
    var allocations: AllocationCount?
    /// Nanoseconds of a whole run, by repetition; nil where it did not take part.
    var passNs: [Double?] = []
    /// In ticks.
    var profiles: [LatencyProfile] = []
    var fortyLevelProfiles: [LatencyProfile] = []
    /// Messages of all repetitions, in ticks.
    var merged = LatencyHistogram.ofTicks()
    var worstTicks: UInt64 = 0
}

/// All implementations of one stage over one workload.
final class Trial {
    let stage: EngineStage
    let workload: Workload
    let entrants: [Entrant]
    /// Messages of a pass.
    let count: Int
    /// Levels of a pass.
    let levelCount: Int
    /// Bytes on the wire that a pass reads; nil where it reads none.
    let byteCount: Int?
    private(set) var digest: UInt64 = 0
    private(set) var tracks: [Track]
    private var costNs: [UInt64]
    private var buffer: [UInt64]
    private var scratch = LatencyHistogram.ofTicks()
    /// Messages of 38 to 42 levels.
    let fortyLevelIndices: [Int]

    init(_ stage: EngineStage, _ workload: Workload, _ entrants: [Entrant], size: TrialSize) {
        self.stage = stage
        self.workload = workload
        self.entrants = entrants
        count = size.count
        levelCount = size.levelCount
        byteCount = size.byteCount
        tracks = entrants.map { _ in Track() }
        costNs = entrants.map { _ in 0 }
        buffer = Array(repeating: 0, count: size.count)
        let hasSizes = stage == .parse || stage == .apply || stage == .update
        fortyLevelIndices =
            hasSizes
            ? workload.levelCounts.indices.filter { (38...42).contains(workload.levelCounts[$0]) } : []
    }

    /// Fewer messages of one length tell nothing about their percentiles.
    static let fortyLevelCountMin = 20

    /// Runs everybody once and compares how they ended.
    func check() throws {
        var reference: Outcome?
        for (index, entrant) in entrants.enumerated() {
            entrant.rewind()
            costNs[index] = max(entrant.throughputPass(), 1)
            let outcome = try entrant.outcome()
            guard let expected = reference else {
                reference = outcome
                digest = outcome.digest
                continue
            }
            if outcome != expected {
                throw Mismatch(
                    stage: stage, scenario: workload.name, reference: entrants[0].implementation,
                    expected: expected, other: entrant.implementation, found: outcome)
            }
        }
    }

    /// Runs everybody once between two readings of the allocator.
    func countAllocations() {
        for (index, entrant) in entrants.enumerated() {
            entrant.rewind()
            let before = AllocationCount.now()
            costNs[index] = max(min(entrant.throughputPass(), costNs[index]), 1)
            let after = AllocationCount.now()
            if let before, let after { tracks[index].allocations = after - before }
        }
    }

    /// What a throughput pass and a latency pass of everybody take, as the passes of warm-up tell.
    var costOfRepetitionNs: Double { 2 * costNs.reduce(0) { $0 + Double($1) } }

    /// Measures for about `budgetNs`, at least one repetition of everybody, or until `watch` says stop.
    func measure(budgetNs: UInt64, timer: CycleTimer, watch: inout Watch) {
        let plan = RepetitionPlan(costNs: costNs, budgetNs: budgetNs)
        let start = CycleTimer.monotonicNs()
        let nsPerTick = timer.nsPerTick()
        for repetition in 0..<plan.count {
            if repetition >= 1 && CycleTimer.monotonicNs() - start > budgetNs { return }
            watch.sampleNoise()
            watch.poll()
            if watch.isInterrupted { return }
            for turn in entrants.indices {
                let index = (turn + repetition) % entrants.count
                if plan.takesPart(index, in: repetition) {
                    runBoth(index, overheadTicks: timer.overheadTicks, nsPerTick: nsPerTick)
                } else {
                    tracks[index].passNs.append(nil)
                }
            }
        }
    }

    private func runBoth(_ index: Int, overheadTicks: UInt64, nsPerTick: Double) {
        let entrant = entrants[index]
        entrant.rewind()
        let passNs = entrant.throughputPass()
        entrant.rewind()
        entrant.latencyPass(&buffer)
        scratch.reset()
        for message in buffer.indices {
            buffer[message] -= min(overheadTicks, buffer[message])
            record(buffer[message])
            tracks[index].worstTicks = max(tracks[index].worstTicks, buffer[message])
        }
        let profile = LatencyProfile(scratch)
        // A view cannot be published without the update before it, so its pass is the sum of its messages.
        // The slowest thousandth count as much as the fastest of them, or every interruption would be in it.
        let sum = buffer.reduce(0.0) { $0 + min(Double($1), profile.p999) }
        tracks[index].passNs.append(stage == .publish ? sum * nsPerTick : Double(passNs))
        tracks[index].profiles.append(profile)
        tracks[index].merged.add(scratch)
        if fortyLevelIndices.count < Trial.fortyLevelCountMin { return }
        scratch.reset()
        for message in fortyLevelIndices { record(buffer[message]) }
        tracks[index].fortyLevelProfiles.append(LatencyProfile(scratch))
    }

    private func record(_ ticks: UInt64) {
        scratch.record(min(ticks, scratch.highestTrackableValue))
    }
}

/// Work of one pass.
struct TrialSize {
    var count: Int
    var levelCount: Int
    /// Bytes on the wire; nil for work that reads none.
    var byteCount: Int?
}

/// Two implementations that do not agree.
struct Mismatch: Error, CustomStringConvertible {
    var stage: EngineStage
    var scenario: String
    var reference: Implementation
    var expected: Outcome
    var other: Implementation
    var found: Outcome

    var description: String {
        """
        \(scenario), \(stage.rawValue): \(reference.rawValue) and \(other.rawValue) do not agree.
          digest at the end        \(hex(expected.digest)) and \(hex(found.digest))
          sum of what was read     \(hex(expected.touched)) and \(hex(found.touched))
        No time is printed for implementations that give different results.
        """
    }
}

/// Sixteen hexadecimal digits.
func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

/// Who takes part in which repetition.
///
/// Fast implementations are in all of them. Those that cost over twenty times the fastest get at most six
/// tenths of the budget, in at least three repetitions if the time lasts.
struct RepetitionPlan {
    let count: Int
    private let slow: [Bool]
    private let slowCount: Int

    init(costNs: [UInt64], budgetNs: UInt64) {
        let fastest = costNs.min() ?? 1
        slow = costNs.map { $0 > 20 * fastest }
        // Each participation is a throughput pass and a latency pass.
        let slowCost = 2 * zip(costNs, slow).reduce(0) { $0 + ($1.1 ? $1.0 : 0) }
        let fastCost = 2 * zip(costNs, slow).reduce(0) { $0 + ($1.1 ? 0 : $1.0) }
        let slowBudget = budgetNs / 10 * 6
        slowCount = slowCost == 0 ? 0 : min(max(Int(slowBudget / slowCost), 3), 101)
        let used = UInt64(slowCount) * slowCost
        let left = budgetNs > used ? budgetNs - used : 0
        count = min(max(Int(left / max(fastCost, 1)), slowCount, 5), 501)
    }

    /// Whether implementation `index` is in this repetition; everybody is in the first.
    func takesPart(_ index: Int, in repetition: Int) -> Bool {
        !slow[index] || repetition * slowCount % count < slowCount
    }
}
