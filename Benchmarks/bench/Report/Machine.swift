// What the numbers were measured on and how: the lines above the table.

import CAllocator
import CKernels
import Foundation

/// Facts of the machine and of this run.
struct Machine {
    let cpu: String
    let cpuCount: Int
    let kernel: String
    let loadAverage: String
    let hasConstantCounter: Bool

    init() {
        let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        cpu = Machine.field("model name", of: info) ?? "unknown CPU"
        cpuCount = ProcessInfo.processInfo.activeProcessorCount
        let release = try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
        kernel = "Linux " + (release ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        let load = try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)
        loadAverage = load.flatMap { $0.split(separator: " ").first.map(String.init) } ?? "unknown"
        let flags = Machine.field("flags", of: info) ?? ""
        hasConstantCounter = flags.contains("constant_tsc") && flags.contains("nonstop_tsc")
    }

    private static func field(_ name: String, of info: String) -> String? {
        info.split(separator: "\n").first { $0.hasPrefix(name) }
            .flatMap { $0.split(separator: ":", maxSplits: 1).last }
            .map { $0.trimmingCharacters(in: .whitespaces) }
    }

    /// The header of a run, one fact a line.
    func header(timer: CycleTimer, watch: Watch, repetitions: ClosedRange<Int>) -> String {
        let nsPerTick = timer.nsPerTick()
        let overhead = fixed(Double(timer.overheadTicks) * nsPerTick, 1)
        let allocator = lob_thread_allocated_bytes() == nil ? "system malloc: allocations unknown" : "jemalloc"
        var lines = [
            "Local Order Book, bench",
            "",
            "machine   \(cpu), \(cpuCount) CPUs, \(kernel), \(lob_instructionSetName()) build, \(allocator)",
            "noise     fixed work took \(percent(watch.noise.median)) longer than at best at the median, "
                + "\(percent(watch.noise.p95)) at the 95th percentile; load average \(loadAverage)",
            "method    all implementations in turn within each of \(text(repetitions)) repetitions, after two "
                + "passes of warm-up;",
            "          every number is the median over repetitions, × engine is the median of the ratio within one",
            "          ns/level, ns/msg, bytes/s: passes with no timer inside. p50 to max: every message timed",
            "timer     cycle counter between fences, \(fixed(1 / nsPerTick, 3)) GHz; its own \(overhead) ns are taken "
                + "off every message",
            "checked   all implementations of a stage read the same best bid and ask after every message",
            "          and end with the same digest of the whole book",
            "peers     dictionary: [Price: Quantity] and ascending prices kept by bisection, a side;",
            "          sorted-array: levels sorted best last, binary search, insert and remove;",
            "          in \"update\" both get their levels from JSONDecoder",
        ]
        if !hasConstantCounter { lines.append("          this CPU does not promise a constant rate") }
        return lines.joined(separator: "\n")
    }
}

private func lob_instructionSetName() -> String { String(cString: lob_instruction_set()) }

private func percent(_ share: Double) -> String { fixed(share * 100, 1) + " %" }

private func text(_ range: ClosedRange<Int>) -> String {
    range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
}
