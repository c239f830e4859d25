// Removes old rows, and the oldest rows of a file that is too large: a few hundred rows per transaction, so
// that no writer or reader waits long.
//
// Invariants
// * The newest snapshot of each symbol stays, whatever its age and the size of the file.
// * The age of a gap is that of its end; an open one stays.

import GRDB

/// Limits of a store.
struct StoreRetention {
    private let keptNsMax: Int64?
    private let keptBytesMax: Int?

    private static let rowsAtOnce = 500
    /// Fewer snapshots at a time from a file that is too large, since one may have many bytes.
    private static let snapshotsAtOnce = 50
    private static let pagesAtOnce = 2_000
    /// Most transactions per call: the rest follows with the next.
    private static let stepsMax = 200
    /// Tables with the column that determines a row's age.
    private static let tables = [
        ("snapshot", "atNs"), ("audit", "atNs"), ("mismatch", "atNs"), ("gap", "toNs"),
        ("connection", "atNs"), ("loss", "toNs"), ("report", "toNs"),
    ]

    /// All snapshots but the newest of each symbol.
    private static let oldSnapshots = """
        rowid NOT IN (
            SELECT newest FROM (
                SELECT (SELECT id FROM snapshot WHERE snapshot.symbol = symbol.id
                        ORDER BY atNs DESC, id DESC LIMIT 1) AS newest
                FROM symbol)
            WHERE newest IS NOT NULL)
        """

    init(_ options: StoreOptions) { (keptNsMax, keptBytesMax) = (options.keptNsMax, options.keptBytesMax) }

    /// Removes what is due.
    func apply(_ database: DatabaseQueue, nowNs: Int64) throws {
        var stepsLeft = StoreRetention.stepsMax
        if let keptNsMax, keptNsMax < nowNs {
            try removeOld(database, beforeNs: nowNs - keptNsMax, &stepsLeft)
        }
        if let keptBytesMax {
            while stepsLeft > 0, try StoreRetention.usedBytes(database) > keptBytesMax {
                stepsLeft -= 1
                if try removeOldest(database) == 0 { break }
            }
        }
        if keptNsMax != nil || keptBytesMax != nil {
            try database.writeWithoutTransaction { db in
                _ = try Row.fetchAll(db, sql: "PRAGMA incremental_vacuum(\(StoreRetention.pagesAtOnce))")
            }
        }
    }

    /// Bytes of the pages in use.
    static func usedBytes(_ database: DatabaseQueue) throws -> Int {
        try database.read { db in
            func pragma(_ name: String) throws -> Int { try Int.fetchOne(db, sql: "PRAGMA \(name)") ?? 0 }
            return try (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")
        }
    }

    private func removeOld(_ database: DatabaseQueue, beforeNs: Int64, _ stepsLeft: inout Int) throws {
        for (table, column) in StoreRetention.tables {
            while stepsLeft > 0 {
                stepsLeft -= 1
                let removed = try remove(
                    database, table, column, beforeNs: beforeNs, countMax: StoreRetention.rowsAtOnce)
                if removed < StoreRetention.rowsAtOnce { break }
            }
        }
    }

    /// Removes some of the oldest rows of any table: snapshots only if nothing else is older.
    private func removeOldest(_ database: DatabaseQueue) throws -> Int {
        let sql = "SELECT min(atNs) FROM snapshot WHERE \(StoreRetention.oldSnapshots)"
        let oldestNs = try database.read { try Int64.fetchOne($0, sql: sql) } ?? .max
        var removed = 0
        for (table, column) in StoreRetention.tables where table != "snapshot" {
            removed += try remove(
                database, table, column, beforeNs: oldestNs, countMax: StoreRetention.rowsAtOnce)
        }
        if removed > 0 { return removed }
        return try remove(
            database, "snapshot", "atNs", beforeNs: .max, countMax: StoreRetention.snapshotsAtOnce)
    }

    /// Removes the oldest rows of a table before a time, at most `countMax`.
    private func remove(
        _ database: DatabaseQueue, _ table: String, _ column: String, beforeNs: Int64, countMax: Int
    ) throws -> Int {
        let condition = table == "snapshot" ? "AND \(StoreRetention.oldSnapshots)" : ""
        return try database.write { db in
            try db.execute(
                sql: """
                    DELETE FROM \(table) WHERE rowid IN
                        (SELECT rowid FROM \(table) WHERE \(column) < ? \(condition) ORDER BY \(column)
                         LIMIT \(countMax))
                    """, arguments: [beforeNs])
            return db.changesCount
        }
    }
}
