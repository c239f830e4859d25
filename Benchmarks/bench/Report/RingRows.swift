// The stage `ring` in the form of all other rows. It has no levels and its own contenders, so some columns
// stay empty.

import Foundation

/// Runs the comparison of ways to bring frames from one thread to another.
enum RingRows {
    /// What stands where other stages name their traffic.
    static let note = ScenarioNote(
        name: "frames", origin: "from one pinned thread to another",
        content: "1.2 to 3.2 kB each; per msg: as fast as possible; p50, p99: one way, a frame every 3 µs; "
            + "wall time")

    /// Whether a run has this stage: without captures, if `--filter` does not exclude it.
    static func isWanted(_ options: Bench) -> Bool {
        let key = "\(note.name)/\(Stage.ring.rawValue)/"
        return options.capture.isEmpty && options.filter.allSatisfy { key.contains($0) }
    }

    /// Measures; no rows on a machine where two threads cannot have a CPU each.
    static func measured(_ options: Bench) throws -> [Row] {
        do {
            let rows =
                options.smoke
                ? try runRingBenchmark(repetitionCount: 1, throughputFrameCount: 500, latencyFrameCount: 200)
                : try runRingBenchmark(repetitionCount: options.seconds < 10 ? 5 : 15)
            return rows.enumerated().map { row($1, isReference: $0 == 0) }
        } catch RingBenchmarkError.pinning {
            FileHandle.standardError.write(Data("ring is left out: it needs the CPUs 0 and 1\n".utf8))
            return []
        }
    }

    private static func row(_ ring: RingBenchmarkRow, isReference: Bool) -> Row {
        let unknown = Double.nan
        return Row(
            stage: .ring, scenario: note.name, implementation: ring.implementation,
            messages: ring.framesPerRun, levels: 0, repetitions: ring.repetitions, nsPerLevel: unknown,
            nsPerMessage: ring.nsPerFrameMedian, p50Ns: ring.p50NsMedian, p90Ns: unknown,
            p99Ns: ring.p99NsMedian, p999Ns: unknown, maxNs: unknown, worstNs: unknown,
            bytesPerSecond: nil, allocationsPerMessage: nil, allocatedBytesPerMessage: nil, digest: "",
            timesEngine: ring.nsPerFrameRatio, isReference: isReference, fortyLevel: nil)
    }
}
