// The stage `ring` in the form of all other rows. It has no levels and its own contenders, so some columns
// stay empty.

import Foundation

/// Runs the comparison of ways to bring frames from one thread to another.
enum RingRows {
    /// What stands where other stages name their traffic.
    static let note = ScenarioNote(
        name: "frames", origin: "from one pinned thread to another", content: "1.2 to 3.2 kB each")

    /// The contenders of a run: none with captures, else those that `--filter` keeps.
    static func wanted(_ options: Bench) -> Set<String> {
        if !options.capture.isEmpty { return [] }
        return Set(ringContenders.map { $0.name }.filter { options.isWanted(note.name, .ring, $0) })
    }

    /// Measures; no rows on a machine where two threads cannot have a CPU each.
    static func measured(
        _ options: Bench, budgetNs: UInt64, nsPerTick: Double, watch: inout Watch
    ) throws -> [Row] {
        var benchmark = RingBenchmark(budgetNs: budgetNs, nsPerTick: nsPerTick)
        if options.smoke {
            benchmark.roundCountMin = 1
            (benchmark.throughputFrameCount, benchmark.latencyFrameCount) = (500, 200)
        }
        do {
            let tracks = try benchmark.run(wanted(options), watch: &watch)
            return tracks.filter { !$0.nsPerFrame.values.isEmpty }.enumerated().map { index, track in
                row(track, benchmark, against: tracks[0], isReference: index == 0)
            }
        } catch RingBenchmarkError.pinning {
            FileHandle.standardError.write(Data("ring is left out: it needs the CPUs 0 and 1\n".utf8))
            return []
        }
    }

    private static func row(
        _ track: RingTrack, _ benchmark: RingBenchmark, against ring: RingTrack, isReference: Bool
    ) -> Row {
        let unknown = Double.nan
        return Row(
            stage: .ring, scenario: note.name, implementation: track.implementation,
            messages: benchmark.throughputFrameCount, levels: 0, repetitions: track.nsPerFrame.values.count,
            nsPerLevel: unknown, nsPerMessage: track.nsPerFrame.value, p50Ns: track.latency.p50Ns.value,
            p90Ns: unknown, p99Ns: track.latency.p99Ns.value, p999Ns: unknown, maxNs: unknown,
            worstNs: unknown,
            bytesPerSecond: nil, allocationsPerMessage: nil, allocatedBytesPerMessage: nil, digest: "",
            timesEngine: track.times(ring), isReference: isReference, fortyLevel: nil, latency: track.latency,
            isTimeDisturbed: track.nsPerFrame.isDisturbed,
            isRatioDisturbed: track.nsPerFrame.isDisturbed || ring.nsPerFrame.isDisturbed)
    }
}
