// Days of books: counted, kept, and added up over runs.

import BookEngine
import DepthBook
import LobMetrics
import MarketData
import TestSupport
import Testing

@testable import SnapshotStore

@Suite struct DailyReportTests {
    private let folder = StoreFolder()

    /// What a look adds.
    @Test func timeGoesToTheStateOfTheBook() {
        var tally = DayTally(fromNs: 100)
        tally.passed(5, .syncing, .none, atNs: 105)
        tally.passed(70, .live, .none, atNs: 175)
        tally.passed(3, .stale, .gap, atNs: 178)
        tally.passed(4, .stale, .silent, atNs: 182)
        tally.passed(6, .stale, .gap, atNs: 188)
        #expect(tally.syncingNs == 5 && tally.liveNs == 70 && tally.staleNs == ["gap": 9, "silent": 4])
        #expect(tally.fromNs == 100 && tally.toNs == 188)
    }

    @Test func aDayGoesOnAfterTheClockWasSetBack() {
        var finished = FinishedDays()
        func turn(_ day: String, _ tallies: [DayTally], _ next: String) -> [DayTally]? {
            finished.turn(from: day, tallies, to: next)
        }
        var yesterday = DayTally(fromNs: 100)
        yesterday.passed(70, .live, .none, atNs: 170)
        var today = DayTally(fromNs: 170)
        today.passed(5, .live, .none, atNs: 175)
        #expect(turn("2026-11-28", [yesterday], "2026-11-29") == nil)
        #expect(turn("2026-11-29", [today], "2026-11-28") == [yesterday])
        yesterday.passed(3, .live, .none, atNs: 160)
        #expect(yesterday.toNs == 170 && yesterday.liveNs == 73)
        #expect(turn("2026-11-28", [yesterday], "2026-11-29") == [today])
        #expect(turn("2026-11-29", [today], "2026-11-30") == nil)
        #expect(turn("2026-11-30", [], "2026-12-01") == nil)
        // Bounded.
        #expect(turn("2026-12-01", [], "2026-11-28") == nil)
    }

    @Test func countersAreDifferences() {
        var (old, new) = (SymbolCounters(), SymbolCounters())
        (old.applied, new.applied) = (10, 17)
        (old.gaps, new.gaps, new.resyncs) = (1, 3, 4)
        (new.auditsCompared, new.auditsAgreed) = (5, 3)
        (new.tickersCompared, new.tickersAgreed) = (90, 89)
        (old.partialsCompared, new.partialsCompared, new.partialsAgreed) = (2, 8, 5)
        var tally = DayTally(fromNs: 0)
        tally.grew(from: old, to: new)
        let counts = tally.counts
        #expect(counts.updates == 7 && counts.gaps == 2 && counts.resyncs == 4)
        #expect(counts.audits == 5 && counts.auditsAgreed == 3 && counts.tickers == 90)
        #expect(counts.partials == 6 && counts.partialsAgreed == 5 && counts.mismatches == 4)
    }

    @Test func lagsSurviveAsBytes() throws {
        var random = SeededRandom(seed: 10)
        for count in [0, 1, 2, 500] {
            var histogram = LatencyHistogram()
            for _ in 0..<count { histogram.add(ns: Int64(random.next() >> UInt64(random.below(60) + 4))) }
            #expect(LatencyHistogram(bytes: histogram.bytes) == histogram)
            for length in 0..<histogram.bytes.count {
                // What is cut is nothing, or says so by a sum that its buckets do not have.
                if let cut = LatencyHistogram(bytes: Array(histogram.bytes.prefix(length))) {
                    #expect(cut != histogram)
                }
            }
        }
    }

    @Test func runsOfADayAreAddedUp() throws {
        var (first, second) = (DayTally(fromNs: 10), DayTally(fromNs: 50))
        first.passed(20, .live, .none, atNs: 30)
        second.passed(7, .live, .none, atNs: 57)
        second.passed(2, .stale, .gap, atNs: 59)
        (first.longestSilenceNs, second.longestSilenceNs) = (4, 3)
        first.counts.audits = 2
        second.counts.audits = 3
        first.lag.add(ns: 5_000)
        second.lag.add(ns: 9_000_000)
        for tally in [first, second] {
            let subject = try StoreSubject(StoreSubject.options(folder))
            // The former state of a run's day is replaced, not added.
            for part in [DayTally(fromNs: tally.fromNs), tally] {
                subject.queue.add(
                    .report(StoredReport(symbol: "BTCUSDT", day: "2026-11-29", tally: part)), atNs: 1)
            }
            subject.queue.add(
                .report(StoredReport(symbol: "ETHUSDT", day: "2026-11-28", tally: tally)), atNs: 1)
            subject.stop()
        }
        let reader = try StoreReader(folder.file)
        let reports = try reader.reports(day: "2026-11-29", symbol: nil)
        var sum = first
        sum.add(second)
        #expect(
            reports == [
                DailyReport(day: "2026-11-29", market: "spot", symbol: "BTCUSDT", tally: sum, runs: 2)
            ])
        #expect(sum.liveNs == 27 && sum.counts.audits == 5 && sum.lag.count == 2 && sum.toNs == 59)
        #expect(try reader.reports(day: nil, symbol: nil).map(\.symbol) == ["ETHUSDT", "BTCUSDT"])
        #expect(try reader.reports(day: nil, symbol: "ETHUSDT").count == 1)
    }
}
