// `lob history` as a user runs it.

@testable import BookEngine
@testable import BookServer
import DepthBook
import Foundation
import MarketData
import Testing

@testable import SnapshotStore
@testable import lob

@Suite struct HistoryTests {
    private static func book(_ id: Int64, atNs: Int64, bids: [PriceLevel]) -> StoredBook {
        StoredBook(
            "BTCUSDT", atNs: atNs, cause: .period, state: .live, reason: .none,
            book: BookImage(
                lastUpdateID: UpdateID(id), eventTimeUs: 0,
                scales: SymbolScales(priceDecimals: 1, quantityDecimals: 3), provenBids: .to(Price(100)),
                provenAsks: .unbounded, bids: bids, asks: [PriceLevel(205, 1_000)], bidCountBound: 0,
                askCountBound: 0))
    }

    /// 2026-11-29 12:00 UTC.
    private static let noonNs: Int64 = 1_795_953_600_000_000_000

    /// A store with three snapshots, an audit, a gap and a report, in a workshop.
    private func workshop() throws -> Workshop {
        let workshop = try Workshop()
        let options = StoreOptions(path: workshop.folder.path + "/books.store")
        let queue = StoreQueue(bytesMax: 1 << 20)
        let writer = try StoreWriter(options, market: "spot", queue) { _ in }
        let noon = HistoryTests.noonNs
        let first = HistoryTests.book(
            7, atNs: noon, bids: [PriceLevel(200, 500), PriceLevel(199, 9), PriceLevel(90, 1)])
        let second = HistoryTests.book(9, atNs: noon + 1_000_000_000, bids: [PriceLevel(200, 700)])
        queue.add(.book(first), atNs: 1)
        queue.add(.book(second), atNs: 1)
        queue.add(.book(HistoryTests.book(7, atNs: noon, bids: [PriceLevel(200, 501)])), atNs: 1)
        let outcome = AuditOutcome(
            number: 1, at: UpdateID(7), snapshotID: UpdateID(6), isEqual: true, levelCount: 2, checksum: 0xAB,
            venueChecksum: 0xAB)
        queue.add(.audit(StoredAudit(symbol: "BTCUSDT", atNs: noon, outcome: outcome)), atNs: 1)
        queue.add(
            .gap(
                StoredGap(
                    number: 1, symbol: "BTCUSDT", fromNs: noon, toNs: noon + 1_500_000_000, reason: "gap")),
            atNs: 1)
        var tally = DayTally(fromNs: noon)
        tally.passed(3_000_000_000, .live, .none, atNs: noon + 3_000_000_000)
        tally.passed(1_000_000_000, .stale, .gap, atNs: noon + 4_000_000_000)
        queue.add(.report(StoredReport(symbol: "BTCUSDT", day: "2026-11-29", tally: tally)), atNs: 1)
        writer.stop()
        writer.run()
        return workshop
    }

    /// A server's clients ask often: whatever they ask, few descriptors are open, also beside a writer that
    /// has the file locked; a store that was replaced is read anew.
    @Test func historyKeepsOneReader() async throws {
        let workshop = try workshop()
        let path = workshop.folder.path + "/books.store"
        let (writer, _) = try StoreFile.openToWrite(path)
        let history = StoreHistory(path: path)
        func ask(_ list: HistoryQuery.List) async -> HistoryAnswer {
            await withCheckedContinuation { done in
                _ = history.ask(HistoryQuery(list: list)) { done.resume(returning: $0) }
            }
        }
        func openCount() -> Int {
            let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
            return numbers.count { number in
                let target = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/self/fd/\(number)")
                return target?.contains(workshop.folder.lastPathComponent) == true
            }
        }
        for _ in 0..<200 {
            guard case .rows(let rows) = await ask(.snapshots) else { return #expect(Bool(false)) }
            #expect(rows.count == 3)
        }
        #expect(openCount() <= 8)
        try await writer.write { db in try db.execute(sql: "DELETE FROM gap") }
        guard case .rows(let gaps) = await ask(.gaps) else { return #expect(Bool(false)) }
        #expect(gaps.isEmpty)
        try writer.close()
        try FileManager.default.removeItem(atPath: path)
        guard case .failed = await ask(.gaps) else { return #expect(Bool(false)) }
    }

    @Test func listsAreTablesAndLines() throws {
        let workshop = try workshop()
        let table = try workshop.run(shell: "lob history books.store")
        #expect(table.status == 0 && table.out.contains("2026-11-29 12:00:01.000"), "\(table.all)")
        let lines = try workshop.run(shell: "lob history books.store --json --from 2026-11-29T12:00:00.5Z")
        #expect(lines.status == 0 && lines.out.split(separator: "\n").count == 1)
        #expect(lines.member("id") == "2" && lines.member("symbol") == "BTCUSDT")
        #expect(lines.has("updateID", "9") && lines.has("reason", "null"))
        let gaps = try workshop.run(shell: "lob history books.store gaps --day 2026-11-29")
        #expect(gaps.status == 0 && gaps.out.contains("1.500"), "\(gaps.all)")
        let none = try workshop.run(shell: "lob history books.store gaps --day 2026-11-30")
        #expect(none.status == 0 && none.out.isEmpty)
        let audits = try workshop.run(shell: "lob history books.store audits --json --symbol BTCUSDT")
        #expect(audits.has("isEqual", "true") && audits.has("checksum", "\"000000ab\""), "\(audits.all)")
        let report = try workshop.run(shell: "lob history books.store report")
        #expect(report.out.contains("75.000 %") && report.out.contains("gap 1.0 s"), "\(report.all)")
        let facts = try workshop.run(shell: "lob history books.store report --json")
        #expect(facts.has("liveNs", "3000000000") && facts.has("staleNs", "{\"gap\":1000000000}"))
        let runs = try workshop.run(shell: "lob history books.store runs --json")
        #expect(runs.has("snapshots", "3") && !runs.has("endedAtNs", "null"), "\(runs.all)")
    }

    @Test func snapshotsAreShownAndCompared() throws {
        let workshop = try workshop()
        let shown = try workshop.run(shell: "lob history books.store show 1")
        #expect(shown.status == 0 && shown.out.contains("20.0"), "\(shown.all)")
        // Beyond what is proven.
        #expect(shown.out.contains("*9.0"))
        let json = try workshop.run(shell: "lob history books.store show 1 --json")
        #expect(json.out.contains("\"bids\":[[\"20.0\",\"0.500\"],[\"19.9\",\"0.009\"],[\"9.0\",\"0.001\"]]"))
        let list = try workshop.run(shell: "lob history books.store --json --limit 1")
        let last = try workshop.run(shell: "lob history books.store show 2 --json")
        #expect(list.member("checksum")?.count == 8 && list.member("checksum") == last.member("checksum"))
        let difference = try workshop.run(shell: "lob history books.store diff 1 2 --json")
        #expect(difference.status == 0 && difference.has("equalLevels", "1"), "\(difference.all)")
        #expect(
            difference.out.contains(
                "{\"side\":\"bid\",\"price\":\"20.0\",\"first\":\"0.500\",\"second\":\"0.700\","
                    + "\"isProven\":true}"
            ))
        #expect(
            difference.out.contains(
                "\"price\":\"9.0\",\"first\":\"0.001\",\"second\":\"0.000\",\"isProven\":false"))
        let text = try workshop.run(shell: "lob history books.store diff 1 2")
        #expect(text.out.contains("levels that differ: 3, equal: 1"), "\(text.all)")
        // One update id, two books.
        #expect(try workshop.run(shell: "lob history books.store diff 1 3").status == 2)
    }

    /// A server that cannot start: what was started before it ends in order.
    @Test func aRunThatCannotServeEndsItsStore() throws {
        let workshop = try Workshop()
        let ran = try workshop.run(
            shell: "lob run BTCUSDT --ws-url ws://127.0.0.1:1 --rest-url http://127.0.0.1:1 --plain "
                + "--store books.store --serve 192.0.2.1:9 --serve-public --no-auth")
        #expect(ran.status == 1 && ran.err.contains("cannot serve"), "\(ran.all)")
        // Closed by a writer that has merged its log.
        let log = workshop.folder.path + "/books.store-wal"
        #expect(!FileManager.default.fileExists(atPath: log))
        let runs = try workshop.run(shell: "lob history books.store runs --json")
        #expect(runs.status == 0 && !runs.has("endedAtNs", "null"), "\(runs.all)")
    }

    @Test func whatCannotBeShownIsSaid() throws {
        let workshop = try workshop()
        try workshop.write("notes.txt", "not a database, and long enough that nobody could take it for one\n")
        for (words, status, text) in [
            ("books.store show 99", Int32(1), "no snapshot 99"), ("none.store", 1, "no such file"),
            ("notes.txt", 1, "is no store of lob run"), ("books.store what", 64, "is none of"),
            ("books.store show", 64, "number"), ("books.store diff 1", 64, "two snapshots"),
            ("books.store gaps 1", 64, "no further words"), ("books.store --limit 0", 64, "--limit"),
            ("books.store --day tomorrow", 64, "--day"), ("books.store --day 2026-02-30", 64, "--day"),
            ("books.store connections --symbol BTCUSDT", 64, "--symbol"),
            ("books.store report --from 2026-11-29T00:00:00Z", 64, "--day"),
            ("books.store --day 2026-11-29 --to 2026-11-29T00:00:00Z", 64, "not both"),
        ] {
            let ran = try workshop.run(shell: "lob history \(words)")
            #expect(ran.status == status && ran.err.contains(text), "\(words): \(ran.status) \(ran.all)")
            #expect(ran.out.isEmpty)
        }
        let (queue, _) = try StoreFile.openToWrite(workshop.folder.path + "/books.store")
        try queue.write { try $0.execute(sql: "UPDATE snapshot SET levels = x'2822' WHERE id = 2") }
        try queue.close()
        #expect(try workshop.run(shell: "lob history books.store show 2").status == 2)
        #expect(try workshop.run(shell: "lob history books.store show 1").status == 0)
    }
}
