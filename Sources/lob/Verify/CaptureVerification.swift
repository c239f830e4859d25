// The results of verifying captures: what is missing in them, and what disagrees.

import LobRecording

/// What `lob verify` reports about captures.
struct CaptureVerification {
    let name: String
    let summary: ReplaySummary
    let report: ReplayReport

    /// Maximum number of holes in text output.
    private static let holeCountMax = 12

    /// Whether anything is missing or disagrees.
    var isFaulty: Bool { summary.isFaulty || summary.holes.count > 0 }

    /// Text for the terminal.
    var text: String {
        let holes = summary.holes
        var lines = [report.table(summary)]
        lines += holes.all.prefix(CaptureVerification.holeCountMax).map { hole in
            let lasted = fixed(Double(saturatedDifference(hole.toNs, hole.fromNs)) / 1e9, 3)
            return "hole: \(UTCStamp(ns: hole.fromNs).text), \(lasted) s, \(hole.symbol): ids "
                + "\(hole.idBefore) … \(hole.idAfter), before \(hole.origin)"
        }
        if holes.count > CaptureVerification.holeCountMax {
            lines.append("… and \(holes.count - CaptureVerification.holeCountMax) more holes")
        }
        lines.append(
            "\(name): \(counted(holes.count, "hole")); "
                + (isFaulty ? "FAULTY" : "nothing is missing between its updates, and nothing disagrees"))
        return lines.joined(separator: "\n")
    }

    /// JSON.
    var json: String {
        let holes = summary.holes
        let list = holes.all.map { hole in
            "{\"symbol\":\(jsonText("\(hole.symbol)")),\"idBefore\":\(hole.idBefore)"
                + ",\"idAfter\":\(hole.idAfter),\"fromNs\":\(hole.fromNs),\"toNs\":\(hole.toNs)"
                + ",\"origin\":\(jsonText(hole.origin))}"
        }
        return "{\"capture\":\(jsonText(name)),\"faulty\":\(isFaulty),\"lines\":\(summary.lines)"
            + ",\"malformed\":\(summary.malformedCount),\"damaged\":\(summary.damage != nil)"
            + ",\"symbols\":[\(summary.symbols.map(report.json).joined(separator: ","))]"
            + ",\"holeCount\":\(holes.count),\"holes\":[\(list.joined(separator: ","))]}"
    }
}
