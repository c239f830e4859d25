// Removes what is too old, and the oldest rows of a file that is too large. A few hundred rows in one
// transaction, so that no writer and no reader waits long.
//
// Invariants
// * The newest snapshot of each symbol stays, whatever its age and however large the file is.
// * A gap is as old as its end; one that is still open stays.

import GRDB

/// What a store may keep.
struct StoreRetention {
    private let keptNsMax: Int64?
    private let keptBytesMax: Int?

    private static let rowsAtOnce = 500
    /// Of a file that is too large so few, since a snapshot may have many bytes.
    private static let snapshotsAtOnce = 50
    private static let pagesAtOnce = 2_000
    /// Transactions of one call: the rest has its turn with the next.
    private static let stepsMax = 200
    /// Tables with the column that says how old a row is.
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

    /// Removes what is to go.
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

    /// Bytes of the pages that hold anything.
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

    /// Some of the oldest rows, of whatever table: snapshots only where nothing else is older.
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

    /// The oldest rows of a table before a time, at most `countMax`.
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
