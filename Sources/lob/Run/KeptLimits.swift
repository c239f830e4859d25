// Limits on the size and age of the files that a run writes.

import ArgumentParser

/// The options `--NAME-keep`, in GiB, and `--NAME-days`.
enum KeptLimits {
    static func validate(_ name: String, gib: Double?, days: Double?) throws {
        for (option, value) in [("keep", gib), ("days", days)] {
            guard let value else { continue }
            if !(value > 0 && value <= 1_000_000) {
                throw ValidationError("--\(name)-\(option) must be above 0 and at most 1000000.")
            }
        }
    }

    static func bytes(gib: Double?) -> Int? { gib.map { Int($0 * Double(1 << 30)) } }

    static func ns(days: Double?) -> Int64? { days.map { Int64(min($0 * 86_400e9, 1e18)) } }
}
