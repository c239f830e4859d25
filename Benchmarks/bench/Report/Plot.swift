// The latency distributions of a run as one SVG picture: a panel per stage and scenario, a curve per
// implementation.
//
// Across, the share of messages that are faster, stretched so that each further nine takes the same room;
// upwards, the time of a message on a log scale. Rows of panels share the scale of time. A curve is all
// messages of all repetitions, so its right end shows what the operating system did too.

/// One curve.
struct PlotSeries {
    var scenario: String
    var stage: EngineStage
    var implementation: Implementation
    var histogram: LatencyHistogram
}

/// Lays out the picture.
struct Plot {
    private let series: [PlotSeries]
    private let nsPerTick: Double
    private let subtitle: String
    private let scenarios: [String]
    private let stages: [EngineStage]
    private let panelWidth: Double
    private let panelHeight: Double

    private static let left = 92.0
    private static let top = 118.0
    private static let gapAcross = 22.0
    private static let gapDown = 40.0
    private static let bottom = 26.0
    /// Nines shown: up to 99.99 %.
    private static let ninesMax = 4.0

    init(_ series: [PlotSeries], nsPerTick: Double, subtitle: String) {
        self.series = series
        self.nsPerTick = nsPerTick
        self.subtitle = subtitle
        var seen: [String] = []
        for one in series where !seen.contains(one.scenario) { seen.append(one.scenario) }
        scenarios = seen
        stages = EngineStage.allCases.filter { stage in series.contains { $0.stage == stage } }
        panelWidth = seen.count > 3 ? 240 : seen.count > 1 ? 400 : 640
        panelHeight = stages.count > 3 ? 170 : stages.count > 1 ? 230 : 320
    }

    /// The whole file.
    var svg: String {
        let across = Double(max(scenarios.count, 1))
        let width = max(Plot.left + across * (panelWidth + Plot.gapAcross) + 12, 720)
        let height = Plot.top + Double(stages.count) * (panelHeight + Plot.gapDown) + Plot.bottom
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(n(width)) \(n(height))\" "
                + "width=\"\(n(width))\" height=\"\(n(height))\" "
                + "font-family=\"Helvetica,Arial,'DejaVu Sans',sans-serif\" font-size=\"11\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
            text(Plot.left, 36, "Time per message", size: 20, weight: "bold"),
            text(Plot.left, 56, subtitle, fill: "#57606a"),
        ]
        parts += legend()
        for (row, stage) in stages.enumerated() {
            let y = Plot.top + Double(row) * (panelHeight + Plot.gapDown)
            parts += rowOfPanels(stage, y: y, isLast: row == stages.count - 1)
        }
        parts.append(
            text(
                Plot.left + across * (panelWidth + Plot.gapAcross) / 2, height - 22,
                "share of messages that take at most this long", anchor: "middle", fill: "#57606a"))
        parts.append("</svg>\n")
        return parts.joined(separator: "\n")
    }

    private func legend() -> [String] {
        var x = Plot.left
        var parts: [String] = []
        for implementation in Implementation.allCases
        where series.contains(where: { $0.implementation == implementation }) {
            let style = CurveStyle(implementation)
            parts.append(
                "<line x1=\"\(n(x))\" x2=\"\(n(x + 22))\" y1=\"78\" y2=\"78\" stroke=\"\(style.color)\" "
                    + "stroke-width=\"\(n(style.width))\"/>")
            parts.append(text(x + 28, 82, implementation.rawValue, size: 12))
            x += 52 + 6.2 * Double(implementation.rawValue.count)
        }
        return parts
    }

    private func rowOfPanels(_ stage: EngineStage, y: Double, isLast: Bool) -> [String] {
        let own = series.filter { $0.stage == stage }
        let scale = TimeScale(own.map(\.histogram), nsPerTick: nsPerTick, top: y, height: panelHeight)
        var parts: [String] = []
        for decade in scale.decades {
            parts.append(
                text(Plot.left - 8, scale.y(decade) + 4, tick(decade), anchor: "end", fill: "#57606a"))
        }
        for (column, scenario) in scenarios.enumerated() {
            let x = Plot.left + Double(column) * (panelWidth + Plot.gapAcross)
            let curves = own.filter { $0.scenario == scenario }
            if curves.isEmpty { continue }
            parts += frame(x: x, scale: scale, isLast: isLast)
            parts.append(text(x, y - 8, "\(stage.rawValue), \(scenario)", size: 12, weight: "bold"))
            // The engine is drawn last, on top.
            for curve in curves.sorted(by: { $0.implementation != .engine && $1.implementation == .engine }) {
                parts.append(polyline(curve, x: x, scale: scale))
            }
        }
        return parts
    }

    private func frame(x: Double, scale: TimeScale, isLast: Bool) -> [String] {
        var parts = [
            "<rect x=\"\(n(x))\" y=\"\(n(scale.top))\" width=\"\(n(panelWidth))\" "
                + "height=\"\(n(scale.height))\" fill=\"#fbfcfd\" stroke=\"#d0d7de\"/>"
        ]
        for decade in scale.decades {
            parts.append(line(x, scale.y(decade), x + panelWidth, scale.y(decade)))
        }
        let shares: [(Double, String)] = [
            (0.301, "50 %"), (1, "90 %"), (2, "99 %"), (3, "99.9 %"), (4, "99.99 %"),
        ]
        for (nines, name) in shares {
            let at = x + nines / Plot.ninesMax * panelWidth
            parts.append(line(at, scale.top, at, scale.top + scale.height))
            let isCrowded = nines == Plot.ninesMax && panelWidth < 300
            if isLast && !isCrowded {
                let anchor = nines == Plot.ninesMax ? "end" : "middle"
                parts.append(text(at, scale.top + scale.height + 16, name, anchor: anchor, fill: "#57606a"))
            }
        }
        return parts
    }

    private func polyline(_ curve: PlotSeries, x: Double, scale: TimeScale) -> String {
        let steps = 160
        let points = (0...steps).map { step -> String in
            let nines = Plot.ninesMax * Double(step) / Double(steps)
            let share = 100 * (1 - power10(-nines))
            let ns = Double(curve.histogram.valueAtPercentile(max(share, 0.1))) * nsPerTick
            return "\(n(x + panelWidth * Double(step) / Double(steps))),\(n(scale.y(ns)))"
        }
        let style = CurveStyle(curve.implementation)
        return "<polyline fill=\"none\" stroke=\"\(style.color)\" stroke-width=\"\(n(style.width))\" "
            + "stroke-linejoin=\"round\" points=\"\(points.joined(separator: " "))\"/>"
    }
}
