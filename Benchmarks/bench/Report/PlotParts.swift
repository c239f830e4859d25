// Colours, scales and SVG elements of the picture.

import Foundation

/// How an implementation is drawn; colours that colour-blind people can tell apart.
struct CurveStyle {
    let color: String
    let width: Double

    init(_ implementation: Implementation) {
        switch implementation {
        case .engine: (color, width) = ("#0072b2", 2.6)
        case .dictionary: (color, width) = ("#d55e00", 1.4)
        case .sortedArray: (color, width) = ("#e69f00", 1.4)
        case .jsonDecoder: (color, width) = ("#009e73", 1.4)
        case .jsonSerialization: (color, width) = ("#cc79a7", 1.4)
        }
    }
}

/// Times of a row of panels, upwards on a log scale of whole decades.
struct TimeScale {
    let top: Double
    let height: Double
    private let low: Int
    private let high: Int

    /// Whole decades around everything the curves show.
    init(_ histograms: [LatencyHistogram], nsPerTick: Double, top: Double, height: Double) {
        self.top = top
        self.height = height
        let fastest = histograms.map { Double($0.valueAtPercentile(0.1)) }.min() ?? 1
        let slowest = histograms.map { Double($0.valueAtPercentile(99.99)) }.max() ?? 1
        low = Int(log10(max(fastest * nsPerTick, 1)).rounded(.down))
        high = max(Int(log10(max(slowest * nsPerTick, 1)).rounded(.up)), low + 1)
    }

    /// 10, 100, 1000 … ns inside the scale.
    var decades: [Double] { (low...high).map { power10(Double($0)) } }

    /// Where a time lies.
    func y(_ ns: Double) -> Double {
        let share = (log10(max(ns, 1)) - Double(low)) / Double(high - low)
        return top + height * (1 - min(max(share, 0), 1))
    }
}

func power10(_ exponent: Double) -> Double { pow(10, exponent) }

/// A decade of nanoseconds with a unit that keeps it below 1000.
func tick(_ ns: Double) -> String {
    let units: [(Double, String)] = [(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns")]
    let unit = units.first { ns >= $0.0 * 0.999 } ?? (1, "ns")
    return "\(Int((ns / unit.0).rounded())) \(unit.1)"
}

/// A coordinate.
func n(_ value: Double) -> String { fixed(value, 1) }

func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
    "<line x1=\"\(n(x1))\" y1=\"\(n(y1))\" x2=\"\(n(x2))\" y2=\"\(n(y2))\" stroke=\"#e4e8ec\"/>"
}

func text(
    _ x: Double, _ y: Double, _ content: String, size: Double = 11, weight: String = "normal",
    anchor: String = "start", fill: String = "#1f2328"
) -> String {
    let escaped = content.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(
        of: "<", with: "&lt;")
    return "<text x=\"\(n(x))\" y=\"\(n(y))\" font-size=\"\(n(size))\" font-weight=\"\(weight)\" "
        + "text-anchor=\"\(anchor)\" fill=\"\(fill)\">\(escaped)</text>"
}
