// The table for people: one block per scenario, one group per stage, the engine first and, on a terminal, in
// bold.

import Foundation

/// The scenario of a block, described.
struct ScenarioNote {
    var name: String
    /// Where the traffic comes from.
    var origin: String
    /// How much of it there is.
    var content: String
}

/// Lays out rows as text.
struct Table {
    private static let heads = [
        "ns/level", "per msg", "p50", "p90", "p99", "p99.9", "max", "per s", "allocs", "alloc'd", "× engine",
    ]
    private static let widths = [9, 9, 9, 9, 9, 9, 9, 9, 8, 9, 10]
    private static let stageWidth = 9
    private static let nameWidth = 18
    private let rows: [Row]
    private let notes: [ScenarioNote]

    init(_ rows: [Row], notes: [ScenarioNote]) {
        self.rows = rows
        self.notes = notes
    }

    /// The whole table.
    var text: String {
        var lines: [String] = []
        for note in notes {
            let block = rows.filter { $0.scenario == note.name }
            if block.isEmpty { continue }
            lines += ["", bold(note.name) + "  " + note.origin, note.content, Table.heading]
            for stage in Stage.allCases { lines += group(block.filter { $0.stage == stage }) }
            if let digest = block.first(where: { $0.stage == .apply })?.digest {
                lines.append("digest of the book at the end: \(digest)")
            }
        }
        return lines.joined(separator: "\n")
    }

    private static var heading: String {
        pad("", to: stageWidth + nameWidth) + zip(heads, widths).map { padLeft($0, to: $1) }.joined()
    }

    private func group(_ rows: [Row]) -> [String] {
        guard let first = rows.first else { return [] }
        var lines = rows.enumerated().map { index, row in
            let line =
                pad(index == 0 ? row.stage.rawValue : "", to: Table.stageWidth)
                + pad(row.implementation, to: Table.nameWidth)
                + zip(cells(row), Table.widths).map { padLeft($0, to: $1) }.joined()
            return row.isReference ? bold(line) : line
        }
        if let forty = first.fortyLevel {
            lines.append(
                pad("", to: Table.stageWidth)
                    + "\(first.implementation), the \(forty.messages) messages of 38 to 42 levels: "
                    + "p50 \(duration(forty.p50Ns)), p99 \(duration(forty.p99Ns)), "
                    + "max \(duration(forty.maxNs))"
            )
        }
        return lines + rows.compactMap(spread)
    }

    /// How far the rounds of a row lie apart, how many were disturbed, and how exact a sampled time is.
    private func spread(_ row: Row) -> String? {
        var parts: [String] = []
        if let p50 = row.latency?.p50Ns {
            let (all, disturbed) = (p50.values.count, p50.disturbedCount)
            let rounds =
                p50.isDisturbed
                ? "DISTURBED in \(disturbed) of \(all) rounds; p50 of all of them"
                : "p50 of \(all - disturbed) rounds" + (disturbed == 0 ? "" : ", \(disturbed) more disturbed")
            let waited = p50.waitedShare.map { ", waits \(percent($0))" } ?? ""
            parts.append("\(rounds): \(duration(p50.low)) to \(duration(p50.high))\(waited)")
        }
        if let share = row.nsPerMessageErrorShare { parts.append("per msg ± \(fixed(share * 100, 0)) %") }
        if parts.isEmpty { return nil }
        return pad("", to: Table.stageWidth) + pad(row.implementation, to: Table.nameWidth)
            + parts.joined(separator: "; ")
    }

    private func cells(_ row: Row) -> [String] {
        let time = row.isTimeDisturbed ? "!" : ""
        let p50 = row.latency?.p50Ns.isDisturbed == true ? "!" : ""
        let p99 = row.latency?.p99Ns.isDisturbed == true ? "!" : ""
        return [
            decimal(row.nsPerLevel), duration(row.nsPerMessage) + time, duration(row.p50Ns) + p50,
            duration(row.p90Ns), duration(row.p99Ns) + p99, duration(row.p999Ns), duration(row.maxNs),
            row.bytesPerSecond.map(byteCount) ?? "-",
            row.allocationsPerMessage.map(decimal) ?? "-",
            row.allocatedBytesPerMessage.map(byteCount) ?? "-",
            row.timesEngine.map { decimal($0) + (row.isRatioDisturbed ? "!" : "") } ?? "-",
        ]
    }
}

/// How many times as long as the engine everybody took, scenarios side by side.
struct Summary {
    private let rows: [Row]
    private let scenarios: [String]

    init(_ rows: [Row], scenarios: [String]) {
        self.rows = rows.filter { $0.timesEngine != nil && !$0.isReference }
        self.scenarios = scenarios.filter { name in rows.contains { $0.scenario == name } }
    }

    /// The matrix; empty if nothing was compared.
    var text: String {
        if rows.isEmpty { return "" }
        var lines = ["", bold("Time as a multiple of the engine's")]
        let widths = scenarios.map { max($0.count, 9) + 2 }
        lines.append(pad("", to: 27) + zip(scenarios, widths).map { padLeft($0, to: $1) }.joined())
        var seen: [String] = []
        for row in rows.sorted(by: { Summary.place($0) < Summary.place($1) }) {
            let name = pad(row.stage.rawValue, to: 9) + pad(row.implementation, to: 18)
            if seen.contains(name) { continue }
            seen.append(name)
            let own = rows.filter { $0.stage == row.stage && $0.implementation == row.implementation }
            let cells = scenarios.map { scenario in
                own.first { $0.scenario == scenario }.flatMap(Summary.cell) ?? "-"
            }
            lines.append(name + zip(cells, widths).map { padLeft($0, to: $1) }.joined())
        }
        return lines.joined(separator: "\n")
    }

    private static func cell(_ row: Row) -> String? {
        row.timesEngine.map { decimal($0) + (row.isRatioDisturbed ? "!" : "") }
    }

    private static func place(_ row: Row) -> Int {
        Stage.allCases.firstIndex(of: row.stage) ?? Stage.allCases.count
    }
}

/// Bold on a terminal that has not asked for plain text.
private func bold(_ text: String) -> String {
    let isPlain = isatty(STDOUT_FILENO) == 0 || ProcessInfo.processInfo.environment["NO_COLOR"] != nil
    return isPlain ? text : "\u{1B}[1m\(text)\u{1B}[0m"
}
