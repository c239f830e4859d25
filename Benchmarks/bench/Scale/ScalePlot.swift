// Time of a message over the number of symbols, as an SVG picture: a panel for each mix, both axes
// logarithmic.

import Foundation

/// Lays out the picture of `bench --scale`.
struct ScalePlot {
    private let rows: [ScaleRow]
    private static let (width, height, left, top) = (380.0, 260.0, 70.0, 90.0)
    private static let colors = ["engine": "#0072b2", "dictionary": "#d55e00", "sorted-array": "#e69f00"]

    /// Of the rows with captured depth.
    init(_ rows: [ScaleRow]) { self.rows = rows.filter { $0.size.depth == nil } }

    var svg: String {
        var mixes: [String] = []
        for row in rows where !mixes.contains(row.size.mix) { mixes.append(row.size.mix) }
        let whole = ScalePlot.left + Double(mixes.count) * (ScalePlot.width + 50)
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(n(whole)) 410\" "
                + "font-family=\"Helvetica,Arial,'DejaVu Sans',sans-serif\" font-size=\"11\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
            text(ScalePlot.left, 32, "A message, by the number of symbols", size: 18, weight: "bold"),
            text(ScalePlot.left, 52, "p50, and p99 dashed; every symbol in turn", fill: "#57606a"),
        ]
        for (column, mix) in mixes.enumerated() {
            parts += panel(mix, x: ScalePlot.left + Double(column) * (ScalePlot.width + 50))
        }
        return (parts + ["</svg>\n"]).joined(separator: "\n")
    }

    private func panel(_ mix: String, x: Double) -> [String] {
        let own = rows.filter { $0.size.mix == mix }
        let (low, high) = (log10(20.0), log10(max(own.map(\.p99Ns).max() ?? 100, 100)) + 0.1)
        let most = log10(Double(own.map(\.size.symbolCount).max() ?? 10)) + 0.1
        func at(_ count: Int, _ ns: Double) -> (Double, Double) {
            (
                x + log10(Double(count)) / most * ScalePlot.width,
                ScalePlot.top + ScalePlot.height * (1 - (log10(max(ns, 20)) - low) / (high - low))
            )
        }
        var parts = [text(x, ScalePlot.top - 12, mix, size: 12, weight: "bold")]
        for ns in [100.0, 1000, 10_000, 100_000] where log10(ns) < high {
            let y = at(1, ns).1
            parts.append(line(x, y, x + ScalePlot.width, y))
            parts.append(text(x - 6, y + 4, tick(ns), anchor: "end", fill: "#57606a"))
        }
        for count in Set(own.map(\.size.symbolCount)).sorted() {
            let place = at(count, 20).0
            parts.append(text(place, ScalePlot.top + ScalePlot.height + 16, grouped(count), anchor: "middle"))
        }
        for (place, name) in ["dictionary", "sorted-array", "engine"].enumerated() {
            let curve = own.filter { $0.implementation == name }
            let color = ScalePlot.colors[name] ?? "#000000"
            for (value, dash) in [(\ScaleRow.p50Ns, ""), (\ScaleRow.p99Ns, " stroke-dasharray=\"4 3\"")] {
                let points = curve.map { at($0.size.symbolCount, $0[keyPath: value]) }
                    .map { "\(n($0.0)),\(n($0.1))" }.joined(separator: " ")
                parts.append(
                    "<polyline fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\"\(dash) "
                        + "points=\"\(points)\"/>"
                )
            }
            parts.append(
                text(
                    x + Double(place) * 110, ScalePlot.top + ScalePlot.height + 40, name, size: 12,
                    fill: color))
        }
        return parts
    }
}
