// When a recording holds a book of which symbol, as text and as JSON.

import BookRecording
import LobRecording

/// The coverage of one stream.
struct CoverageChart {
    /// One symbol.
    struct Row {
        var name: String
        var gaps: [RecordedGap]
        /// Blocks in which there is something of it.
        var blockCount: Int
    }

    let path: String
    let stream: RecordedStream
    let fromNs: Int64
    let toNs: Int64
    let rows: [Row]
    /// Times in which nothing of any symbol was written.
    let blanks: [RecordedGap]

    private static let columnCount = 60

    init(_ stream: RecordedStream, path: String) {
        (self.stream, self.path) = (stream, path)
        (fromNs, toNs) = (stream.firstAtNs ?? 0, stream.lastAtNs ?? 0)
        let gaps = stream.gaps.gaps
        blanks = gaps.filter(\.symbol.isEmpty)
        var names: [[UInt8]] = []
        for segment in stream.segments {
            for name in segment.index.symbols where !names.contains(name) { names.append(name) }
        }
        rows = names.map { name in
            var blocks = 0
            for segment in stream.segments {
                guard let number = segment.index.symbols.firstIndex(of: name) else { continue }
                blocks += segment.index.blocks.count { $0.holds(number) }
            }
            return Row(
                name: String(decoding: name, as: UTF8.self), gaps: gaps.filter { $0.symbol == name },
                blockCount: blocks)
        }
    }

    /// The time of a gap inside the recording.
    func span(of gap: RecordedGap) -> (fromNs: Int64, toNs: Int64) {
        (max(gap.fromNs, fromNs), min(gap.toNs == 0 ? toNs : gap.toNs, toNs))
    }

    /// Time in which there is a book, in nanoseconds.
    func coveredNs(_ row: Row) -> Int64 {
        var (covered, at) = (Int64(0), fromNs)
        for span in (row.gaps + blanks).map(span).sorted(by: { $0.fromNs < $1.fromNs }) {
            covered += max(span.fromNs - at, 0)
            at = max(at, span.toNs)
        }
        return covered + max(toNs - at, 0)
    }

    private var totalNs: Int64 { max(toNs - fromNs, 1) }

    private func timeline(_ row: Row) -> String {
        let stepNs = max(totalNs / Int64(CoverageChart.columnCount), 1)
        var cells = [Character](repeating: "#", count: CoverageChart.columnCount)
        func mark(_ gap: RecordedGap, _ character: Character) {
            let (fromNs, toNs) = span(of: gap)
            if toNs < fromNs { return }
            let first = Int((fromNs - self.fromNs) / stepNs)
            let last = Int((toNs - self.fromNs) / stepNs)
            for index in max(first, 0)...max(last, first, 0) where cells.indices.contains(index) {
                cells[index] = character
            }
        }
        for gap in row.gaps { mark(gap, ".") }
        for gap in blanks { mark(gap, ":") }
        return String(cells)
    }

    /// For people.
    var text: String {
        var table = [["symbol", "blocks", "gaps", "with a book", "timeline"]]
        for row in rows {
            table.append([
                row.name, "\(row.blockCount)", "\(row.gaps.count)",
                "\(fixed(100 * Double(coveredNs(row)) / Double(totalNs), 2)) %", timeline(row),
            ])
        }
        var causes: [RecordedGap.Cause: Int] = [:]
        for gap in stream.gaps.gaps { causes[gap.cause, default: 0] += 1 }
        let summary = RecordedGap.Cause.allCases.compactMap { cause in
            causes[cause].map { "\(cause.words) \($0)" }
        }
        var lines = [
            renderTable(table, leftAligned: [0, 4]),
            "\(path), shard \(stream.shard): \(UTCStamp(ns: fromNs).text) to \(UTCStamp(ns: toNs).text); "
                + "\(counted(stream.segments.count, "segment")), \(byteText(bytes)), "
                + "\(counted(blockCount, "block"))",
        ]
        if !summary.isEmpty { lines.append("gaps: " + summary.joined(separator: ", ")) }
        for segment in stream.segments where !segment.isClosed {
            lines.append("not closed: \(segment.path), \(segment.cutBytes) bytes behind the last whole block")
        }
        return lines.joined(separator: "\n")
    }

    private var bytes: Int { stream.segments.reduce(0) { $0 + $1.bytes } }

    private var blockCount: Int { stream.segments.reduce(0) { $0 + $1.index.blocks.count } }

    /// For programs.
    var json: String {
        let symbols = rows.map { row in
            "{\"symbol\":\(jsonText(row.name)),\"blocks\":\(row.blockCount),\"coveredNs\":\(coveredNs(row))"
                + ",\"gaps\":[\(row.gaps.map(\.json).joined(separator: ","))]}"
        }
        return
            "{\"recording\":\(jsonText(path)),\"shard\":\(stream.shard),\"segments\":\(stream.segments.count)"
            + ",\"open\":\(stream.segments.count { !$0.isClosed })"
            + ",\"bytes\":\(bytes),\"blocks\":\(blockCount)"
            + ",\"firstAtNs\":\(fromNs),\"lastAtNs\":\(toNs),\"symbols\":[\(symbols.joined(separator: ","))]"
            + ",\"gaps\":[\(blanks.map(\.json).joined(separator: ","))]}"
    }
}
