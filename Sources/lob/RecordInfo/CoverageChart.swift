// For each symbol, when a recording holds its book, as text and as JSON.

import BookRecording
import LobRecording

/// The coverage of one stream.
struct CoverageChart {
    /// The coverage of one symbol.
    struct Row {
        var name: String
        var gaps: [RecordedGap]
        /// Times without a book.
        var holes: [CoverageHole]
        /// Number of blocks with frames of the symbol.
        var blockCount: Int
    }

    let path: String
    let shard: UInt16
    let fromNs: Int64
    let toNs: Int64
    let rows: [Row]
    /// Gaps that the recording lists, in which nothing was written for any symbol.
    let blanks: [RecordedGap]
    /// Times without any symbol, listed or not.
    let holes: [CoverageHole]
    private let survey: CoverageSurvey
    private let segmentCount: Int

    private static let columnCount = 60

    init(_ stream: RecordedStream, path: String) {
        let survey = CoverageSurvey(stream)
        (self.path, shard, segmentCount, self.survey) = (path, stream.shard, stream.segments.count, survey)
        // The clock may have been set back between two runs.
        let (first, last) = (survey.runs.map(\.fromNs).min() ?? 0, survey.runs.map(\.toNs).max() ?? 0)
        (fromNs, toNs) = (first, last)
        func hole(_ gap: RecordedGap) -> CoverageHole {
            CoverageHole(
                .listed(gap.cause), max(gap.fromNs, first), min(gap.toNs == 0 ? last : gap.toNs, last))
        }
        let bySymbol = Dictionary(grouping: survey.gaps.gaps, by: \.symbol)
        blanks = bySymbol[[]] ?? []
        // Listed gaps are drawn over those that are not listed.
        holes = survey.unknowns + blanks.map(hole)
        rows = survey.names.map { name in
            let absences = survey.runs.filter { !$0.symbols.contains(name) }
                .map { CoverageHole(.absent, $0.fromNs, $0.toNs) }
            let gaps = bySymbol[name] ?? []
            return Row(
                name: String(decoding: name, as: UTF8.self), gaps: gaps, holes: gaps.map(hole) + absences,
                blockCount: survey.blockCounts[name] ?? 0)
        }
    }

    /// Why segments were left out.
    var leftOut: [SegmentError] { survey.leftOut }

    /// Whether it is unknown what followed the last complete block.
    var hasOpenEnd: Bool { survey.hasOpenEnd }

    /// Time with a book, in nanoseconds.
    func coveredNs(_ row: Row) -> Int64 {
        var (covered, at) = (Int64(0), fromNs)
        for hole in (row.holes + holes).sorted(by: { $0.fromNs < $1.fromNs }) {
            covered += max(saturatedDifference(hole.fromNs, at), 0)
            at = max(at, hole.toNs)
        }
        return covered + max(saturatedDifference(toNs, at), 0)
    }

    private var totalNs: Int64 { max(saturatedDifference(toNs, fromNs), 1) }

    private func timeline(_ row: Row) -> String {
        let stepNs = max(totalNs / Int64(CoverageChart.columnCount), 1)
        var cells = [Character](repeating: "#", count: CoverageChart.columnCount)
        func mark(_ hole: CoverageHole, isOfAll: Bool) {
            func column(_ atNs: Int64) -> Int {
                let distanceNs = saturatedDifference(min(max(atNs, fromNs), toNs), fromNs)
                return min(Int(distanceNs / stepNs), CoverageChart.columnCount - 1)
            }
            if hole.fromNs > toNs || hole.toNs < fromNs { return }
            for index in column(hole.fromNs)...max(column(hole.toNs), column(hole.fromNs)) {
                cells[index] = hole.kind.mark(isOfAll: isOfAll)
            }
        }
        for hole in row.holes { mark(hole, isOfAll: false) }
        for hole in holes { mark(hole, isOfAll: true) }
        return String(cells) + (hasOpenEnd ? "?" : "")
    }

    /// Text for the terminal.
    var text: String {
        var table = [["symbol", "blocks", "gaps", "with a book", "timeline"]]
        for row in rows {
            table.append([
                row.name, "\(row.blockCount)", "\(row.gaps.count)",
                "\(fixed(100 * Double(coveredNs(row)) / Double(totalNs), 2)) %", timeline(row),
            ])
        }
        var causes: [RecordedGap.Cause: Int] = [:]
        for gap in survey.gaps.gaps { causes[gap.cause, default: 0] += 1 }
        let summary = RecordedGap.Cause.allCases.compactMap { cause in
            causes[cause].map { "\(cause.words) \($0)" }
        }
        var lines = [
            renderTable(table, leftAligned: [0, 4]),
            "\(path), shard \(shard): \(UTCStamp(ns: fromNs).text) to \(UTCStamp(ns: toNs).text); "
                + "\(counted(segmentCount, "segment")), \(byteText(survey.bytes)), "
                + "\(counted(survey.blockCount, "block"))",
        ]
        if !summary.isEmpty { lines.append("gaps: " + summary.joined(separator: ", ")) }
        lines += survey.missing.map(CoverageChart.text)
        for segment in survey.openSegments {
            lines.append(
                "not closed: \(segment.path), \(segment.cutBytes) bytes behind the last whole block; what "
                    + "came after it is not known")
        }
        return lines.joined(separator: "\n")
    }

    private static func text(_ missing: CoverageSurvey.MissingSegments) -> String {
        let (first, last) = (missing.numbers.lowerBound, missing.numbers.upperBound)
        let names = first == last ? "segment \(first)" : "segments \(first) to \(last)"
        let until = missing.toNs.map { "to \(UTCStamp(ns: $0).text)" } ?? "on; when it ended is not known"
        return "missing: \(names), from \(UTCStamp(ns: missing.fromNs).text) \(until)"
    }

    private func absences(_ row: Row) -> [String] {
        row.holes.filter { $0.kind == .absent }.map(\.json)
    }

    /// JSON.
    var json: String {
        let symbols = rows.map { row in
            "{\"symbol\":\(jsonText(row.name)),\"blocks\":\(row.blockCount),\"coveredNs\":\(coveredNs(row))"
                + ",\"absent\":[\(absences(row).joined(separator: ","))]"
                + ",\"gaps\":[\(row.gaps.map(\.json).joined(separator: ","))]}"
        }
        let missing = survey.missing.map { "[\($0.numbers.lowerBound),\($0.numbers.upperBound)]" }
        let unknown = survey.unknowns.filter { $0.kind == .unknown }.map(\.json)
        return
            "{\"recording\":\(jsonText(path)),\"shard\":\(shard),\"segments\":\(segmentCount)"
            + ",\"open\":\(survey.openSegments.count),\"openEnd\":\(hasOpenEnd)"
            + ",\"missing\":[\(missing.joined(separator: ","))]"
            + ",\"unknown\":[\(unknown.joined(separator: ","))]"
            + ",\"bytes\":\(survey.bytes),\"blocks\":\(survey.blockCount)"
            + ",\"firstAtNs\":\(fromNs),\"lastAtNs\":\(toNs),\"symbols\":[\(symbols.joined(separator: ","))]"
            + ",\"gaps\":[\(blanks.map(\.json).joined(separator: ","))]}"
    }
}
