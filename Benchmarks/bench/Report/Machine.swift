// What the numbers were measured on and how: the lines above the table.

import CAllocator
import CKernels
import Foundation

/// Facts of the machine.
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

    /// The header of a run.
    func header(timer: CycleTimer, watch: Watch, repetitions: ClosedRange<Int>) -> String {
        let nsPerTick = timer.nsPerTick()
        let overhead = fixed(Double(timer.overheadTicks) * nsPerTick, 1)
        let build = String(cString: lob_instruction_set())
        let allocator = lob_thread_allocated_bytes() == nil ? "no jemalloc: allocations unknown" : "jemalloc"
        let counter = hasConstantCounter ? "" : "; this CPU does not promise that rate to be constant"
        let isShared = (Double(loadAverage) ?? 0) > 1.5
        let sharing =
            isShared
            ? """
            ;
                     other work shares these CPUs: trust ratios and medians, not tails
            """ : ""
        return """
            Local Order Book, bench

            machine  \(cpu), \(cpuCount) CPUs, \(kernel); built for \(build), \(allocator)
            noise    fixed work took \(percent(watch.noise.median)) longer than at best at the median, \
            \(percent(watch.noise.p95)) at the 95th percentile; load average \(loadAverage)\(sharing)
            method   two passes of warm-up; then all implementations in turn within each repetition,
                     \(text(repetitions)) of them; every number is the median over repetitions, \
            × engine that of the ratio within one
            columns  ns/level, per msg: CPU time of whole passes with no timer inside,
                     for publish the sum of its timed messages; p50 to max: every message timed;
                     per s: bytes on the wire, where they are read;
                     allocs, alloc'd: a message's requests and bytes
            timer    for messages the cycle counter between fences, \(fixed(1 / nsPerTick, 3)) GHz; its own \
            \(overhead) ns are taken off each\(counter)
            checked  all implementations of a stage read the same best bid and ask after every message
                     and end with the same digest
            stages   parse: wire bytes to levels; apply: levels to book; update: wire bytes to book;
                     load: parsed snapshot to book; publish: the best 20 levels a side to a view
            peers    dictionary: [Price: Quantity] and ascending prices kept by bisection, for each side;
                     sorted-array: levels sorted best last, binary search, insert and remove;
                     in update both get their levels from JSONDecoder
            """
    }
}

func percent(_ share: Double) -> String { fixed(share * 100, 1) + " %" }

private func text(_ range: ClosedRange<Int>) -> String {
    range.lowerBound == range.upperBound
        ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
}
