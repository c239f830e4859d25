// The coverage of recordings as a picture: one bar per symbol, interrupted where there is no book.

import BookRecording
import LobRecording

/// An SVG image of coverage.
struct CoveragePicture {
    private let charts: [CoverageChart]
    private static let width = 900.0
    private static let left = 140.0
    private static let rowHeight = 18.0

    init(_ charts: [CoverageChart]) { self.charts = charts }

    /// The SVG text.
    var text: String {
        var body = ""
        var y = 24.0
        for chart in charts {
            body += label(12, y, "\(chart.path), shard \(chart.shard)", isBold: true)
            body += label(
                CoveragePicture.left, y + 18,
                "\(UTCStamp(ns: chart.fromNs).text) … \(UTCStamp(ns: chart.toNs).text) UTC", isBold: false)
            y += 32
            for row in chart.rows {
                body += bars(row, chart, y)
                y += CoveragePicture.rowHeight
            }
            y += 20
        }
        let (width, height) = (fixed(CoveragePicture.width, 0), fixed(y + 24, 0))
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(width) \(height)\" "
            + "font-family=\"sans-serif\" font-size=\"11\"><style>text{fill:#222}"
            + "@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>\n\(body)\(legend(y))</svg>\n"
    }

    private func bars(_ row: CoverageChart.Row, _ chart: CoverageChart, _ y: Double) -> String {
        let room = CoveragePicture.width - CoveragePicture.left - 12
        let totalNs = Double(max(chart.toNs - chart.fromNs, 1))
        func x(_ ns: Int64) -> Double { CoveragePicture.left + Double(ns - chart.fromNs) / totalNs * room }
        var text = label(12, y + 10, row.name, isBold: false)
        text += rectangle(CoveragePicture.left, y, room, "#2e7d32", row.name)
        for hole in row.holes + chart.holes {
            // A hole too short to be visible is drawn anyway.
            text += rectangle(
                x(hole.fromNs), y, max(x(hole.toNs) - x(hole.fromNs), 0.8), hole.kind.colour,
                "\(hole.kind.words), \(fixed(Double(hole.toNs - hole.fromNs) / 1e9, 3)) s")
        }
        if chart.hasOpenEnd {
            let kind = CoverageHole.Kind.unknown
            text += rectangle(CoveragePicture.left + room, y, 8, kind.colour, kind.words)
        }
        return text
    }

    private func legend(_ y: Double) -> String {
        let entries: [(String, String)] = [
            ("#2e7d32", "book"), ("#9a9a9a", "no book yet, or not running"), ("#d9a400", "reconnect, stall"),
            ("#d95f02", "built again, unreadable"), ("#c2185b", "lost, damaged"),
            ("#c8c8c8", "not recorded"), ("#7b1fa2", "not known"),
        ]
        var (text, x) = ("", 12.0)
        for (colour, words) in entries {
            text += rectangle(x, y, 12, colour, words)
            text += label(x + 16, y + 10, words, isBold: false)
            x += 34 + 6.2 * Double(words.count)
        }
        return text
    }

    private func rectangle(_ x: Double, _ y: Double, _ width: Double, _ colour: String, _ title: String)
        -> String
    {
        "<rect x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\" width=\"\(fixed(width, 1))\" height=\"12\" "
            + "fill=\"\(colour)\"><title>\(escaped(title))</title></rect>\n"
    }

    private func label(_ x: Double, _ y: Double, _ words: String, isBold: Bool) -> String {
        "<text x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\"\(isBold ? " font-weight=\"bold\"" : "")>"
            + "\(escaped(words))</text>\n"
    }

    private func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
