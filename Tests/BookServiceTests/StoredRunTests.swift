// A live run against a venue in which everything goes wrong, kept in a store: its snapshots are the books
// that the service had at those ids.

import BookEngine
import DepthBook
import Foundation
import MarketData
import SimulatedExchange
import SnapshotStore
import Testing
import VenueSupport

@testable import BookService

@Suite struct StoredRunTests {
    /// Where a book was looked at.
    private struct Sight: Hashable, Sendable {
        var symbol: SymbolName
        var id: UpdateID
    }

    @Test func theSnapshotsAreTheBooks() async {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lob-keep-\(UUID())").path
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        await onOwnThread("kept run") { report in
            let symbols = names(.spot, 3)
            var plan = FaultPlan.all
            for fault in Fault.allCases where fault.opportunity != .request { plan[fault] *= 5 }
            let venue = try VenueHost(.init(market: .spot, symbols: symbols, seed: 5, faults: plan))
            defer { venue.stop() }
            let service = try BookService(brisk(venue.endpoints, symbols))
            var options = StoreOptions(path: folder + "/books.store")
            options.snapshotEveryNs = 300_000_000
            options.batchNs = 20_000_000
            // Midnight comes after a second and a half.
            let dayNs: Int64 = 86_400_000_000_000
            let nowNs = Int64(Date().timeIntervalSince1970 * 1e9)
            options.laterNs = dayNs - nowNs % dayNs - 1_500_000_000
            let store = try BookStore(service, options)
            let sights = Locked<[Sight: BookImage]>([:])
            func look() {
                for symbol in symbols {
                    _ = service.ask(symbol) { book, status in
                        if status.state != .live { return }
                        let (sight, image) = (Sight(symbol: symbol, id: book.lastUpdateID), book.image)
                        sights.withLock { $0[sight] = image }
                    }
                }
                usleep(10_000)
            }
            for _ in 0..<250 { look() }
            venue.setFaults(.none)
            Witness(venue).settle(service, report)
            store.saveAll()
            for _ in 0..<30 { look() }
            store.leave()
            let books = service.stop()
            report.expect(store.stop(books).lostRows == 0, "rows were lost")

            let reader = try StoreReader(folder + "/books.store")
            try StoredRunTests.checkBooks(reader, sights.withLock { $0 }, report)
            try StoredRunTests.checkFacts(reader, symbols, report)
            // To the last update.
            for book in books {
                let name = "\(book.status.symbol)"
                let stored = try reader.reports(day: nil, symbol: name).reduce(0) {
                    $0 + $1.tally.counts.updates
                }
                let applied = book.status.counters.applied
                report.expect(stored == applied, "\(name): \(stored) updates of \(applied)")
            }
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Every live snapshot that was also seen is the book that was seen.
    private static func checkBooks(
        _ reader: StoreReader, _ sights: [Sight: BookImage], _ report: Report
    ) throws {
        var compared = 0
        let rows = try reader.rows(.snapshots, StoreFilter())
        for row in rows {
            guard case .number(let number) = row["id"] else { continue }
            let stored = try reader.book(number).book
            guard stored.state == .live,
                let seen = sights[Sight(symbol: stored.symbol, id: stored.book.lastUpdateID)]
            else { continue }
            compared += 1
            let difference = BookDifference(stored.book, seen)
            report.expect(difference?.provenCount == 0, "snapshot \(number) is another book")
            report.expect((difference?.equalCount ?? 0) > 50, "snapshot \(number) is nearly empty")
        }
        report.expect(compared > 3, "only \(compared) of \(rows.count) snapshots were compared")
        let causes = Set(rows.map { $0["cause"] })
        report.expect(causes.isSuperset(of: [.text("period"), .text("asked"), .text("end")]), "\(causes)")
    }

    private static func checkFacts(_ reader: StoreReader, _ symbols: [SymbolName], _ report: Report) throws {
        let audits = try reader.rows(.audits, StoreFilter())
        report.expect(!audits.isEmpty, "no audit")
        for audit in audits {
            let isEqual = audit["isEqual"] == .truth(true)
            report.expect(isEqual == (audit["difference"] == .none), "\(audit)")
            if isEqual { report.expect(audit["checksum"] == audit["venueChecksum"], "\(audit)") }
        }
        let gaps = try reader.rows(.gaps, StoreFilter())
        report.expect(!gaps.isEmpty, "every book was live all the time")
        report.expect(gaps.allSatisfy { $0["toNs"] != .none }, "a gap without an end")
        var tickers = 0
        // On a loaded machine a book may not be live before midnight, or have no update after it.
        var (liveNs, updates, lags): ([String: Int64], [String: Int], [String: Int]) = ([:], [:], [:])
        for daily in try reader.reports(day: nil, symbol: nil) {
            let (tally, counts) = (daily.tally, daily.tally.counts)
            let sum = tally.liveNs + tally.syncingNs + tally.staleNs.values.reduce(0, +)
            liveNs[daily.symbol, default: 0] += tally.liveNs
            updates[daily.symbol, default: 0] += counts.updates
            // Of each day, some book was live and some had updates.
            liveNs[daily.day, default: 0] += tally.liveNs
            updates[daily.day, default: 0] += counts.updates
            lags[daily.day, default: 0] += tally.lag.count
            lags[daily.symbol, default: 0] += tally.lag.count
            report.expect(abs(sum - (tally.toNs - tally.fromNs)) < 200_000_000, "\(sum) of \(daily)")
            report.expect(counts.audits >= counts.auditsAgreed, "\(daily)")
            tickers += counts.tickers
            report.expect(tally.longestSilenceNs > 0, "\(daily)")
        }
        report.expect(tickers > 0, "no ticker was compared")
        let days = Dictionary(grouping: try reader.reports(day: nil, symbol: nil), by: \.day)
        for part in symbols.map({ "\($0)" }) + days.keys {
            report.expect(liveNs[part, default: 0] > 0, "\(part): never live")
            let hasUpdates = updates[part, default: 0] > 0 && lags[part, default: 0] > 0
            report.expect(hasUpdates, "\(part): no update")
        }
        report.expect(days.count == 2, "\(days.keys)")
        for day in days.values { report.expect(day.count == symbols.count, "\(day.count) reports of a day") }
        report.expect(try reader.rows(.connections, StoreFilter()).count > 0, "no connection")
        let runs = try reader.rows(.runs, StoreFilter())
        report.expect(runs.count == 1 && runs.first?["endedAtNs"] != StoredValue.none, "\(runs)")
    }
}
