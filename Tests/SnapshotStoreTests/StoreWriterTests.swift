// What is written is there, whatever the disk does meanwhile.

@testable import BookEngine
import DepthBook
import Foundation
import GRDB
import MarketData
import Synchronization
import TestSupport
import Testing

@testable import SnapshotStore

/// What makes the disk refuse, changed by the test.
private final class Fault: Sendable {
    private let statements = Mutex<String?>(nil)
    var sql: String? {
        get { statements.withLock { $0 } }
        set { statements.withLock { $0 = newValue } }
    }
}

@Suite struct StoreWriterTests {
    private let folder = StoreFolder()

    private func gap(_ number: Int, atNs: Int64 = 1) -> StoreEntry {
        .gap(StoredGap(number: number, symbol: "ETHUSDT", fromNs: atNs, reason: "gap", idBefore: UpdateID(7)))
    }

    @Test func everythingComesBackAsItWas() throws {
        let subject = try StoreSubject(StoreSubject.options(folder))
        var random = SeededRandom(seed: 5)
        let books = (0..<40).map { randomBook(&random, levels: 50, atNs: Int64($0 + 1)) }
        for book in books { #expect(subject.queue.add(.book(book), atNs: 1)) }
        let outcome = AuditOutcome(
            number: 1, at: UpdateID(9), snapshotID: UpdateID(8), isEqual: false, levelCount: 25,
            checksum: .max, venueChecksum: 1)
        var sides = [books[0], books[1]]
        (sides[0].cause, sides[1].cause) = (.audited, .venue)
        let audit = StoredAudit(
            symbol: "BTCUSDT", atNs: 50, outcome: outcome, difference: "bid 1: 2 here", sides: sides)
        subject.queue.add(.audit(audit), atNs: 1)
        subject.queue.add(
            .mismatch(StoredMismatch(symbol: "BTCUSDT", atNs: 60, check: "ticker", count: 3)), atNs: 1)
        subject.queue.add(gap(1), atNs: 1)
        var ended = StoredGap(number: 1, symbol: "ETHUSDT", fromNs: 1, reason: "gap", idBefore: UpdateID(7))
        (ended.toNs, ended.idAfter) = (9, UpdateID(11))
        subject.queue.add(.gap(ended), atNs: 1)
        subject.queue.add(
            .connection(StoredConnection(atNs: 70, shard: 2, source: 3, event: "connected")), atNs: 1)
        subject.stop()
        #expect(!FileManager.default.fileExists(atPath: folder.file + "-wal"))

        let reader = try StoreReader(folder.file)
        for (index, book) in books.enumerated() {
            let found = try reader.book(Int64(index + 1))
            #expect(found.market == "spot" && found.book == book)
        }
        let rows = try reader.rows(.audits, StoreFilter())
        let row = try #require(rows.first)
        #expect(rows.count == 1 && row["isEqual"] == .truth(false))
        #expect(row["checksum"] == .text("ffffffff") && row["difference"] == .text("bid 1: 2 here"))
        guard case .number(let own) = row["own"], case .number(let venue) = row["venue"] else {
            Issue.record("no sides")
            return
        }
        #expect(try reader.book(own).book == sides[0] && reader.book(venue).book == sides[1])
        let gaps = try reader.rows(.gaps, StoreFilter())
        #expect(gaps.count == 1 && gaps.first?["toNs"] == .number(9) && gaps.first?["idAfter"] == .number(11))
        #expect(try reader.rows(.mismatches, StoreFilter()).first?["count"] == .number(3))
        #expect(try reader.rows(.connections, StoreFilter()).first?["source"] == .number(3))
        let run = try #require(try reader.rows(.runs, StoreFilter()).first)
        #expect(run["endedAtNs"] != .none && run["snapshots"] == .number(42))

        var filter = StoreFilter()
        (filter.fromNs, filter.toNs) = (10, 20)
        #expect(try reader.rows(.snapshots, filter).count == 10)
        filter.countMax = 3
        #expect(
            try reader.rows(.snapshots, filter).map { $0["atNs"] } == [.number(17), .number(18), .number(19)])
        filter.symbol = "ETHUSDT"
        #expect(try reader.rows(.snapshots, filter).isEmpty)
    }

    @Test func whatLastsIntoATimeIsOfIt() throws {
        let subject = try StoreSubject(StoreSubject.options(folder))
        let spans: [(Int64, Int64?)] = [(1, 10), (2, 11), (3, nil), (12, 13), (20, 21)]
        for (index, (fromNs, toNs)) in spans.enumerated() {
            let gap = StoredGap(
                number: index + 1, symbol: "BTCUSDT", fromNs: fromNs, toNs: toNs, reason: "gap")
            subject.queue.add(.gap(gap), atNs: 1)
        }
        subject.stop()
        var filter = StoreFilter()
        (filter.fromNs, filter.toNs) = (10, 20)
        let found = try StoreReader(folder.file).rows(.gaps, filter).map { $0["number"] }
        #expect(found == [.number(2), .number(3), .number(4)])
    }

    @Test func aSnapshotThatContradictsItsChecksIsRefused() throws {
        let subject = try StoreSubject(StoreSubject.options(folder))
        var random = SeededRandom(seed: 6)
        for _ in 0..<3 { subject.queue.add(.book(randomBook(&random, levels: 9)), atNs: 1) }
        subject.stop()
        let (queue, _) = try StoreFile.openToWrite(folder.file)
        try queue.write { db in
            try db.execute(sql: "UPDATE snapshot SET digest = digest + 1 WHERE id = 1")
            try db.execute(sql: "UPDATE snapshot SET checksum = 5 WHERE id = 2")
            try db.execute(sql: "UPDATE snapshot SET levels = x'00' WHERE id = 3")
        }
        try queue.close()
        let reader = try StoreReader(folder.file)
        #expect(throws: StoredBookError.contradicted(1)) { try reader.book(1) }
        #expect(throws: StoredBookError.contradicted(2)) { try reader.book(2) }
        #expect(throws: StoredBookError.damaged(3)) { try reader.book(3) }
        #expect(throws: StoredBookError.missing(4)) { try reader.book(4) }
    }

    /// A run that was killed leaves a gap open; the next one ends it, and lists the time between them.
    @Test func timeBetweenRunsIsAGap() throws {
        var first = try StoreSubject(StoreSubject.options(folder))
        first.queue.add(gap(1), atNs: 1)
        first.stop()
        let (queue, _) = try StoreFile.openToWrite(folder.file)
        try queue.write { try $0.execute(sql: "UPDATE run SET lastAtNs = 500, endedAtNs = NULL") }
        try queue.close()
        first = try StoreSubject(StoreSubject.options(folder))
        first.queue.add(gap(1, atNs: StoreFile.nowNs), atNs: 1)
        first.queue.add(
            .gap(StoredGap(number: 2, symbol: "BTCUSDT", fromNs: StoreFile.nowNs, reason: "gap")), atNs: 1)
        first.stop()
        let reader = try StoreReader(folder.file)
        let runs = try reader.rows(.runs, StoreFilter())
        let rows = try reader.rows(.gaps, StoreFilter())
        #expect(rows.count == 4 && rows.first?["toNs"] == .number(500))
        let absences = rows.filter { $0["reason"] == .text("notRunning") }
        #expect(absences.map { $0["symbol"] } == [.text("ETHUSDT")])
        #expect(absences.first?["fromNs"] == .number(500))
        #expect(absences.first?["toNs"] == runs.last?["startedAtNs"])
    }

    /// The system's own refusals: a file that may not grow, and one that may not be written.
    @Test(arguments: [
        ("PRAGMA max_page_count = 1", "the disk is full"), ("PRAGMA query_only = 1", "it may only be read"),
    ])
    func whatTheDiskRefusesWaits(_ sql: String, _ words: String) throws {
        let fault = Fault()
        var options = StoreSubject.options(folder)
        options.fault = { fault.sql }
        options.waitingBytesMax = 60_000
        let subject = try StoreSubject(options)
        subject.queue.add(gap(1), atNs: 1)
        #expect(try subject.wait { try count(folder.file, "gap") == 1 })
        fault.sql = sql
        var random = SeededRandom(seed: 7)
        var taken = 0
        // More than there is room for.
        for _ in 0..<40 where subject.queue.add(.book(randomBook(&random, levels: 300)), atNs: 77) {
            taken += 1
        }
        #expect(subject.wait { subject.events.contains { if case .refused = $0 { true } else { false } } })
        #expect(subject.events.contains(.refused(reason: "\(folder.file): \(words)")), "\(subject.events)")
        #expect(taken > 0 && subject.queue.lostCount == 40 - taken)
        fault.sql = "PRAGMA max_page_count = 1000000; PRAGMA query_only = 0"
        #expect(try subject.wait { try count(folder.file, "snapshot") == taken })
        subject.stop()
        #expect(subject.events.contains(.resumed))
        #expect(subject.events.contains(.lost(rows: 40 - taken)))
        let loss = try StoreReader(folder.file).rows(.losses, StoreFilter())
        // In one row or several: room may come free while the last ones are refused.
        let books = loss.reduce(Int64(0)) {
            if case .number(let count) = $1["books"] { $0 + count } else { $0 }
        }
        #expect(!loss.isEmpty && books == Int64(40 - taken), "\(loss)")
        #expect(loss.first?["fromNs"] == .number(77))
    }

    @Test func aDiskThatHangsIsNotWaitedForAtTheEnd() throws {
        let (shut, gate) = (Fault(), DispatchSemaphore(value: 0))
        var options = StoreSubject.options(folder)
        options.stopNsMax = 20_000_000
        options.fault = {
            if shut.sql != nil { gate.wait() }
            return nil
        }
        let subject = try StoreSubject(options)
        shut.sql = ""
        subject.queue.add(gap(1), atNs: 1)
        let hasEnded = subject.stopImpatiently()
        #expect(!hasEnded && subject.queue.waitingCount == 1)
        shut.sql = nil
        gate.signal()
        subject.stop()
        #expect(subject.stopImpatiently() && subject.queue.waitingCount == 0)
        #expect(try count(folder.file, "gap") == 1)
    }

    @Test func aFileThatWasRemovedIsBegunAnew() throws {
        let subject = try StoreSubject(StoreSubject.options(folder))
        subject.queue.add(gap(1), atNs: 1)
        #expect(try subject.wait { try count(folder.file, "gap") == 1 })
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: folder.file + suffix)
        }
        subject.queue.add(gap(2), atNs: 1)
        #expect(subject.wait { (try? count(folder.file, "gap")) == 1 })
        subject.stop()
        #expect(subject.events.contains(.removed(path: folder.file)))
        #expect(try StoreReader(folder.file).rows(.gaps, StoreFilter()).first?["number"] == .number(2))
    }

    @Test func whatIsTooOldGoes() throws {
        var options = StoreSubject.options(folder)
        options.keptNsMax = 3_600_000_000_000
        let subject = try StoreSubject(options)
        let nowNs = StoreFile.nowNs
        var random = SeededRandom(seed: 8)
        for age in 0..<1200 {
            let atNs = nowNs - Int64(age) * 60_000_000_000
            subject.queue.add(.book(randomBook(&random, levels: 3, atNs: atNs)), atNs: 1)
            let ended = StoredGap(number: age + 1, symbol: "ETHUSDT", fromNs: 1, toNs: atNs, reason: "gap")
            subject.queue.add(.gap(ended), atNs: 1)
        }
        // Begun long ago and not over.
        subject.queue.add(gap(2000), atNs: 1)
        // Too old, and the newest of its symbol.
        subject.queue.add(.book(randomBook(&random, levels: 3, symbol: "ETHUSDT", atNs: 5)), atNs: 1)
        #expect(try subject.wait { try count(folder.file, "snapshot") == 61 })
        #expect(try subject.wait { try count(folder.file, "gap") == 61 })
        subject.stop()
        var filter = StoreFilter()
        filter.toNs = nowNs - 3_600_000_000_000
        let reader = try StoreReader(folder.file)
        #expect(try reader.rows(.snapshots, filter).map { $0["symbol"] } == [.text("ETHUSDT")])
        filter.toNs = 2
        #expect(try reader.rows(.gaps, filter).contains { $0["number"] == .number(2000) })
    }

    @Test func whatIsLargeGoesOldestFirst() throws {
        var options = StoreSubject.options(folder)
        let subject = try StoreSubject(options)
        var random = SeededRandom(seed: 11)
        for number in 0..<200 {
            let symbol: SymbolName = number < 100 ? "BTCUSDT" : "ETHUSDT"
            let book = randomBook(&random, levels: 60, symbol: symbol, atNs: Int64(1000 + number))
            subject.queue.add(.book(book), atNs: 1)
        }
        for number in 0..<2000 {
            let atNs: Int64 = number < 1900 ? 1 : 5000
            let connection = StoredConnection(atNs: atNs, shard: 0, source: 1, event: "connected")
            subject.queue.add(.connection(connection), atNs: 1)
        }
        subject.stop()
        let (database, _) = try StoreFile.openToWrite(folder.file)
        // A little too large: what is oldest is enough, and no snapshot goes.
        options.keptBytesMax = try StoreRetention.usedBytes(database) - 8_192
        try StoreRetention(options).apply(database, nowNs: 10_000)
        #expect(try count(folder.file, "snapshot") == 200)
        #expect(try count(folder.file, "connection") < 2000)
        // No room for anything: the newest of each symbol stays.
        options.keptBytesMax = 1
        try StoreRetention(options).apply(database, nowNs: 10_000)
        try database.close()
        let left = try StoreReader(folder.file).rows(.snapshots, StoreFilter())
        #expect(left.map { $0["atNs"] } == [.number(1099), .number(1199)])
        #expect(try count(folder.file, "connection") == 0)
    }

    @Test func theFileStaysBelowItsSize() throws {
        var options = StoreSubject.options(folder)
        options.keptBytesMax = 400_000
        let subject = try StoreSubject(options)
        var random = SeededRandom(seed: 9)
        for number in 0..<2500 {
            subject.queue.add(.book(randomBook(&random, levels: 60, atNs: Int64(number))), atNs: 1)
        }
        func bytes() -> Int {
            let attributes = try? FileManager.default.attributesOfItem(atPath: folder.file)
            return (attributes?[.size] as? NSNumber)?.intValue ?? .max
        }
        #expect(
            try subject.wait {
                let rows = try StoreReader(folder.file).rows(.snapshots, StoreFilter())
                return try rows.last?["atNs"] == .number(2499) && count(folder.file, "snapshot") < 1000
            })
        subject.stop()
        let left = try StoreReader(folder.file).rows(.snapshots, StoreFilter())
        #expect(left.last?["atNs"] == .number(2499), "the newest stays")
        #expect(bytes() < 1_500_000, "\(bytes())")
    }
}
