// What the numbers were measured on.

import Foundation

/// Facts of the machine.
struct Machine {
    let cpu: String
    let cpuCount: Int
    let kernel: String
    /// When this was made, over the minute before: at the start it is that of other work.
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

    /// All of it in one line.
    var summary: String { "\(cpu), \(cpuCount) CPUs, \(kernel); load average \(loadAverage)" }

    private static func field(_ name: String, of info: String) -> String? {
        info.split(separator: "\n").first { $0.hasPrefix(name) }
            .flatMap { $0.split(separator: ":", maxSplits: 1).last }
            .map { $0.trimmingCharacters(in: .whitespaces) }
    }
}
