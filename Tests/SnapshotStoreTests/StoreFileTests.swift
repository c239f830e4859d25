// Which files are stores, and what happens to those that are not.

import Foundation
import GRDB
import TestSupport
import Testing

@testable import SnapshotStore

@Suite struct StoreFileTests {
    private let folder = StoreFolder()

    private func refusal(_ path: String) -> StoreError? {
        do throws(StoreError) {
            _ = try StoreFile.openToWrite(path)
            return nil
        } catch {
            return error
        }
    }

    @Test func aNewStoreHasItsTables() throws {
        let (queue, isMigrated) = try StoreFile.openToWrite(folder.file)
        #expect(!isMigrated)
        try queue.read { db in
            #expect(try Int.fetchOne(db, sql: "PRAGMA auto_vacuum") == 2)
            #expect(try String.fetchOne(db, sql: "PRAGMA journal_mode") == "wal")
            #expect(try Int.fetchOne(db, sql: "PRAGMA synchronous") == 1)
            let loose = try String.fetchAll(
                db, sql: "SELECT name FROM pragma_table_list WHERE type = 'table' AND strict = 0")
            #expect(loose.allSatisfy { $0.hasPrefix("sqlite_") || $0 == "grdb_migrations" }, "\(loose)")
        }
        try queue.close()
        #expect(refusal(folder.file) == nil)
    }

    @Test func whatIsNoStoreIsLeftAsItIs() throws {
        let text = folder.path + "/notes.txt"
        try Data("a file of somebody else, and longer than a header of SQLite would be: it stays".utf8)
            .write(to: URL(fileURLWithPath: text))
        let before = try Data(contentsOf: URL(fileURLWithPath: text))
        #expect(refusal(text) == .notAStore(path: text))
        #expect(try Data(contentsOf: URL(fileURLWithPath: text)) == before)

        let other = folder.path + "/other.sqlite"
        let queue = try DatabaseQueue(path: other)
        try queue.write { try $0.execute(sql: "CREATE TABLE mail (id INTEGER)") }
        try queue.close()
        let database = try Data(contentsOf: URL(fileURLWithPath: other))
        #expect(refusal(other) == .notAStore(path: other))
        #expect(try Data(contentsOf: URL(fileURLWithPath: other)) == database)

        #expect(refusal(folder.path) == .notAStore(path: folder.path))
        #expect(throws: StoreError.missing(path: folder.file)) { _ = try StoreReader(folder.file) }
    }

    @Test func aFolderThatIsNotThereIsSaid() {
        let path = folder.path + "/none/books.store"
        guard case .refused(let where_, let reason)? = refusal(path) else {
            Issue.record("not refused")
            return
        }
        #expect(where_ == path && reason == "cannot be opened or made")
    }

    @Test(.timeLimit(.minutes(10))) func aPipeIsNoStore() throws {
        mkfifo(folder.file, 0o600)
        let link = folder.path + "/link.store"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.file)
        for path in [folder.file, link] {
            #expect(refusal(path) == .notAStore(path: path))
            #expect(throws: StoreError.notAStore(path: path)) { _ = try StoreReader(path) }
        }
    }

    /// A link to a store is the store; one that leads nowhere is none.
    @Test func aLinkIsFollowed() throws {
        let link = folder.path + "/link.store"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.file)
        #expect(throws: StoreError.missing(path: link)) { _ = try StoreReader(link) }
        #expect(StoreFile.number(link) == nil)
        try StoreFile.openToWrite(folder.file).queue.close()
        #expect(refusal(link) == nil)
        #expect(StoreFile.number(link) != nil && StoreFile.number(link) == StoreFile.number(folder.file))
    }

    @Test func anEmptyFileBecomesAStore() throws {
        try Data().write(to: URL(fileURLWithPath: folder.file))
        #expect(refusal(folder.file) == nil)
    }

    @Test func anOlderStoreIsBroughtUpToDate() throws {
        let old = try DatabaseQueue(path: folder.file)
        try StoreSchema.migrator.migrate(old, upTo: "1")
        try old.write { db in
            try db.execute(sql: "INSERT INTO run (market, startedAtNs, lastAtNs) VALUES ('spot', 1, 2)")
        }
        try old.close()
        // Read as it is, then written to.
        #expect(try StoreReader(folder.file).reports(day: nil, symbol: nil).isEmpty)
        let (queue, isMigrated) = try StoreFile.openToWrite(folder.file)
        #expect(isMigrated)
        #expect(try queue.read { try $0.tableExists("report") })
        try queue.close()
        #expect(try count(folder.file, "run") == 1)
    }

    /// A row without its run and symbol, which another program may leave behind, shuts no store.
    @Test(arguments: ["1", "2", "3"]) func anOrphanShutsNoStore(_ version: String) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let old = try DatabaseQueue(path: folder.file, configuration: configuration)
        try StoreSchema.migrator.migrate(old, upTo: version)
        try old.write { db in
            try db.execute(sql: "INSERT INTO gap VALUES (7, 1, 7, 1, 2, 'reconnect', NULL, NULL)")
        }
        try old.close()
        #expect(refusal(folder.file) == nil)
        #expect(try count(folder.file, "gap") == 1)
    }

    /// The list of runs reads no snapshot, however many there are; also of a store that had no such index.
    @Test func theSnapshotsOfARunAreCountedByAnIndex() throws {
        let old = try DatabaseQueue(path: folder.file)
        try StoreSchema.migrator.migrate(old, upTo: "3")
        try old.close()
        let (queue, isMigrated) = try StoreFile.openToWrite(folder.file)
        let plan = try queue.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN SELECT count(*) FROM snapshot WHERE run = 1")
                .map { $0["detail"] as String }.joined()
        }
        #expect(isMigrated && plan.contains("USING COVERING INDEX"), "\(plan)")
        try queue.close()
    }

    /// Numbers go on behind the highest that an older file has, also after all its snapshots went.
    @Test func aNumberIsOfOneSnapshotOnly() throws {
        let old = try DatabaseQueue(path: folder.file)
        try StoreSchema.migrator.migrate(old, upTo: "2")
        try old.write { db in
            try db.execute(
                sql: """
                    INSERT INTO run VALUES (1, 'spot', 1, 2, 2);
                    INSERT INTO symbol VALUES (1, 'spot', 'BTCUSDT');
                    INSERT INTO snapshot VALUES (17, 1, 1, 5, 'period', 'live', NULL, 7, NULL, NULL, NULL,
                        0, 0, 'all', NULL, 'all', NULL, 0, 0, 0, x'')
                    """)
        }
        try old.close()
        #expect(try StoreReader(folder.file).rows(.snapshots, StoreFilter()).first?["id"] == .number(17))
        var random = SeededRandom(seed: 12)
        for number in 18...20 {
            let subject = try StoreSubject(StoreSubject.options(folder))
            subject.queue.add(.book(randomBook(&random, levels: 4)), atNs: 1)
            subject.stop()
            let newest = try StoreReader(folder.file).rows(.snapshots, StoreFilter()).map { $0["id"] }.last
            #expect(newest == .number(Int64(number)))
            let (queue, _) = try StoreFile.openToWrite(folder.file)
            try queue.write { try $0.execute(sql: "DELETE FROM snapshot") }
            try queue.close()
        }
    }

    @Test func aStoreInAFolderThatMayOnlyBeReadIsRead() throws {
        let path = folder.path + "/a %41?x#1.store"
        try StoreFile.openToWrite(path).queue.close()
        let queue = try DatabaseQueue(path: StoreFile.unchanging(path))
        #expect(try queue.read { try $0.tableExists("snapshot") })
        try queue.close()
        try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.path)
        #expect(try StoreReader(path).rows(.snapshots, StoreFilter()).isEmpty)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
    }

    @Test func aLaterVersionIsLeftAlone() throws {
        let (queue, _) = try StoreFile.openToWrite(folder.file)
        try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99')") }
        try queue.close()
        #expect(refusal(folder.file) == .newer(path: folder.file))
        #expect(throws: StoreError.newer(path: folder.file)) { _ = try StoreReader(folder.file) }
    }
}
