// The table for people: one block per scenario, one group per stage, the engine first.

/// The scenario of a block of the table, described.
struct ScenarioNote {
    var name: String
    var text: String
}

/// Lays out rows as text.
struct Table {
    private static let heads = [
        "ns/level", "ns/msg", "p50", "p90", "p99", "p99.9", "max", "bytes/s", "allocs", "alloc'd", "× engine",
    ]
    private static let widths = [9, 8, 8, 8, 8, 8, 8, 9, 7, 8, 9]
    private static let nameWidth = 28

    /// The whole table.
    static func text(_ rows: [Row], notes: [ScenarioNote]) -> String {
        var lines: [String] = []
        for note in notes {
            let block = rows.filter { $0.scenario == note.name }
            if block.isEmpty { continue }
            lines.append("")
            lines.append(note.name + "  " + note.text)
            lines.append(heading())
            for stage in Stage.allCases {
                lines += group(block.filter { $0.stage == stage.rawValue })
            }
        }
        return lines.joined(separator: "\n")
    }

    private static func heading() -> String {
        var line = pad("", to: nameWidth)
        for (head, width) in zip(heads, widths) { line += padLeft(head, to: width) }
        return line
    }

    private static func group(_ rows: [Row]) -> [String] {
        guard let first = rows.first else { return [] }
        var lines = rows.enumerated().map { index, row in
            pad(index == 0 ? row.stage : "", to: 9) + pad(row.implementation, to: nameWidth - 9)
                + zip(cells(row), widths).map { padLeft($0, to: $1) }.joined()
        }
        if let forty = first.fortyLevel, first.implementation == Implementation.engine.rawValue {
            lines.append(
                pad("", to: 9) + "engine, \(forty.messages) messages of 38 to 42 levels: p50 \(duration(forty.p50Ns)),"
                    + " p99 \(duration(forty.p99Ns)), max \(duration(forty.maxNs))")
        }
        return lines
    }

    private static func cells(_ row: Row) -> [String] {
        [
            decimal(row.nsPerLevel), decimal(row.nsPerMessage), duration(row.p50Ns), duration(row.p90Ns),
            duration(row.p99Ns), duration(row.p999Ns), duration(row.maxNs), byteRate(row.bytesPerSecond),
            row.allocationsPerMessage.map(decimal) ?? "-",
            row.allocatedBytesPerMessage.map(byteCount) ?? "-",
            row.timesEngine.map(decimal) ?? "-",
        ]
    }
}

/// At most three significant digits behind the point, thousands separated.
func decimal(_ value: Double) -> String {
    if value == 0 { return "0" }
    if value < 9.995 { return fixed(value, 2) }
    if value < 99.95 { return fixed(value, 1) }
    return grouped(Int(value.rounded()))
}

/// A time with its unit, three significant digits.
func duration(_ ns: Double) -> String {
    if ns < 999.5 { return fixed(ns, ns < 9.95 ? 1 : 0) + " ns" }
    if ns < 999_500 { return significant(ns / 1000) + " µs" }
    if ns < 999_500_000 { return significant(ns / 1_000_000) + " ms" }
    return significant(ns / 1e9) + " s"
}

/// A rate with its unit, three significant digits.
func byteRate(_ bytesPerSecond: Double) -> String {
    if bytesPerSecond >= 999.5e6 { return significant(bytesPerSecond / 1e9) + " GB" }
    if bytesPerSecond >= 999.5e3 { return significant(bytesPerSecond / 1e6) + " MB" }
    return significant(bytesPerSecond / 1e3) + " kB"
}

/// A number of bytes with its unit.
func byteCount(_ bytes: Double) -> String {
    if bytes < 999.5 { return fixed(bytes, 0) + " B" }
    if bytes < 999.5e3 { return significant(bytes / 1e3) + " kB" }
    return significant(bytes / 1e6) + " MB"
}

private func significant(_ value: Double) -> String {
    fixed(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0)
}

/// A number with so many digits behind the point.
func fixed(_ value: Double, _ digits: Int) -> String {
    let scale = [1.0, 10, 100, 1000][digits]
    let scaled = Int((value * scale).rounded())
    if digits == 0 { return String(scaled) }
    let fraction = String(abs(scaled) % Int(scale))
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return (scaled < 0 ? "-" : "") + "\(abs(scaled) / Int(scale)).\(zeros)\(fraction)"
}

/// A number with its thousands separated.
func grouped(_ value: Int) -> String {
    let digits = String(value.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.count - index) % 3 == 0 { text += "," }
        text.append(digit)
    }
    return value < 0 ? "-" + text : text
}

func pad(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(width - text.count, 0))
}

func padLeft(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(width - text.count, 0)) + text
}
