// The daily reports of a store as a table for the terminal and as JSON.

import LobMetrics
import SnapshotStore

/// Daily reports on books.
struct HistoryReport {
    let reports: [DailyReport]

    /// One table per day.
    var text: String {
        var days: [String] = []
        for report in reports where days.last != report.day { days.append(report.day) }
        return days.map { day in
            let rows = reports.filter { $0.day == day }.map(HistoryReport.row)
            let titles = [
                "symbol", "seen", "live", "stale", "updates", "gaps", "resyncs", "audits", "tickers",
                "partials", "silence", "lag p50", "p90", "p99", "p99.9", "most", "why stale",
            ]
            return day + "\n" + renderTable([titles] + rows, leftAligned: [0, 16])
        }.joined(separator: "\n\n")
    }

    private static func row(_ report: DailyReport) -> [String] {
        let (tally, counts) = (report.tally, report.tally.counts)
        let staleNs = tally.staleNs.values.reduce(0, &+)
        let seenNs = tally.liveNs &+ tally.syncingNs &+ staleNs
        let reasons = tally.staleNs.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return [
            report.symbol, seconds(seenNs),
            seenNs == 0 ? "-" : fixed(Double(tally.liveNs) / Double(seenNs) * 100, 3) + " %",
            seconds(staleNs), "\(counts.updates)", "\(counts.gaps)", "\(counts.resyncs)",
            "\(counts.auditsAgreed)/\(counts.audits)", "\(counts.tickersAgreed)/\(counts.tickers)",
            "\(counts.partialsAgreed)/\(counts.partials)", seconds(tally.longestSilenceNs),
        ]
            + [500, 900, 990, 999].map { milliseconds(tally.lag.quantileNs(perMille: $0)) }
            + [
                milliseconds(tally.lag.worstNs),
                reasons.map { "\($0.key) \(seconds($0.value))" }.joined(separator: ", "),
            ]
    }

    private static func seconds(_ ns: Int64) -> String { fixed(Double(ns) / 1e9, 1) + " s" }

    private static func milliseconds(_ ns: Int64?) -> String {
        ns.map { fixed(Double($0) / 1e6, 1) + " ms" } ?? "-"
    }

    /// One object per day and book; durations in nanoseconds.
    var jsonLines: [String] { reports.map(HistoryReport.json) }

    private static func json(_ report: DailyReport) -> String {
        let (tally, counts) = (report.tally, report.tally.counts)
        func number(_ ns: Int64?) -> String { ns.map { "\($0)" } ?? "null" }
        let stale = tally.staleNs.sorted { $0.key < $1.key }.map { "\(jsonText($0.key)):\($0.value)" }
        func pair(_ compared: Int, _ agreed: Int) -> String {
            "{\"compared\":\(compared),\"agreed\":\(agreed)}"
        }
        let members = [
            "\"day\":\(jsonText(report.day))", "\"symbol\":\(jsonText(report.symbol))",
            "\"market\":\(jsonText(report.market))", "\"runs\":\(report.runs)", "\"fromNs\":\(tally.fromNs)",
            "\"toNs\":\(tally.toNs)", "\"liveNs\":\(tally.liveNs)", "\"syncingNs\":\(tally.syncingNs)",
            "\"staleNs\":{\(stale.joined(separator: ","))}", "\"updates\":\(counts.updates)",
            "\"gaps\":\(counts.gaps)", "\"resyncs\":\(counts.resyncs)",
            "\"audits\":\(pair(counts.audits, counts.auditsAgreed))",
            "\"tickers\":\(pair(counts.tickers, counts.tickersAgreed))",
            "\"partials\":\(pair(counts.partials, counts.partialsAgreed))",
            "\"mismatches\":\(counts.mismatches)", "\"longestSilenceNs\":\(tally.longestSilenceNs)",
            "\"lagNs\":{\"samples\":\(tally.lag.count),"
                + "\"p50\":\(number(tally.lag.quantileNs(perMille: 500))),"
                + "\"p90\":\(number(tally.lag.quantileNs(perMille: 900))),"
                + "\"p99\":\(number(tally.lag.quantileNs(perMille: 990))),"
                + "\"p99.9\":\(number(tally.lag.quantileNs(perMille: 999))),"
                + "\"most\":\(number(tally.lag.worstNs))}",
        ]
        return "{\(members.joined(separator: ","))}"
    }
}
