// The daily reports in a store: one row per book and run, combined by day.

import Foundation
import GRDB
import LobMetrics
import MarketData

/// A book's day over all runs.
package struct DailyReport: Hashable, Sendable {
    /// The day, as `2026-11-29`.
    package var day: String
    /// Name of the market.
    package var market: String
    /// Name of the symbol.
    package var symbol: String
    /// Its tally.
    package var tally: DayTally
    /// Runs of the program that saw part of it.
    package var runs = 1
}

extension StoreReader {
    /// The reports by day and symbol; none in a store of a version that had no reports.
    ///
    /// - Parameters:
    ///   - day: only this day; nil: all.
    ///   - symbol: only this symbol; nil: all.
    package func reports(day: String?, symbol: String?) throws(StoreError) -> [DailyReport] {
        var reports: [DailyReport] = []
        try read { db in
            if try !db.tableExists("report") { return }
            let found = try Row.fetchCursor(
                db,
                sql: """
                    SELECT t.*, s.name AS name, s.market AS market FROM report t
                    JOIN symbol s ON s.id = t.symbol
                    WHERE (? IS NULL OR t.day = ?) AND (? IS NULL OR s.name = ?)
                    ORDER BY t.day, s.market, s.name, t.run
                    """, arguments: [day, day, symbol, symbol])
            while let row = try found.next() {
                guard let report = StoreReader.report(row) else {
                    throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a report cannot be read")
                }
                if let last = reports.last, last.day == report.day, last.market == report.market,
                    last.symbol == report.symbol
                {
                    reports[reports.count - 1].tally.add(report.tally)
                    reports[reports.count - 1].runs += 1
                } else {
                    reports.append(report)
                }
            }
        }
        return reports
    }

    private static func report(_ row: Row) -> DailyReport? {
        func number(_ name: String) -> Int64? { value(row, name) }
        func count(_ name: String) -> Int { value(row, name) ?? 0 }
        guard let day: String = value(row, "day"), let market: String = value(row, "market"),
            let symbol: String = value(row, "name"), let fromNs = number("fromNs"), let toNs = number("toNs"),
            let lag: Data = value(row, "lag"), let stale: String = value(row, "staleNs")
        else { return nil }
        var tally = DayTally(fromNs: fromNs)
        tally.toNs = toNs
        (tally.liveNs, tally.syncingNs) = (number("liveNs") ?? 0, number("syncingNs") ?? 0)
        let words = stale.split(separator: " ")
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            guard let ns = Int64(words[index + 1]) else { return nil }
            tally.staleNs[String(words[index])] = ns
        }
        (tally.counts.updates, tally.counts.gaps) = (count("updates"), count("gaps"))
        tally.counts.resyncs = count("resyncs")
        (tally.counts.audits, tally.counts.auditsAgreed) = (count("audits"), count("auditsAgreed"))
        (tally.counts.tickers, tally.counts.tickersAgreed) = (count("tickers"), count("tickersAgreed"))
        (tally.counts.partials, tally.counts.partialsAgreed) = (count("partials"), count("partialsAgreed"))
        tally.longestSilenceNs = number("longestSilenceNs") ?? 0
        guard let histogram = LatencyHistogram(bytes: Array(lag)) else { return nil }
        tally.lag = histogram
        return DailyReport(day: day, market: market, symbol: symbol, tally: tally)
    }
}
