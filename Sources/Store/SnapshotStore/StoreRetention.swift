// Removes what is too old, and the oldest snapshots of a file that is too large. A few hundred rows in one
// transaction, so that no writer and no reader waits long.

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
        ("snapshot", "atNs"), ("audit", "atNs"), ("mismatch", "atNs"), ("gap", "fromNs"),
        ("connection", "atNs"), ("loss", "toNs"), ("report", "toNs"),
    ]

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
                let removed = try remove(
                    database, "snapshot", "atNs", beforeNs: .max, countMax: StoreRetention.snapshotsAtOnce)
                if removed == 0 { break }
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

    /// The oldest rows of a table before a time, at most `countMax`.
    private func remove(
        _ database: DatabaseQueue, _ table: String, _ column: String, beforeNs: Int64, countMax: Int
    ) throws -> Int {
        try database.write { db in
            try db.execute(
                sql: """
                    DELETE FROM \(table) WHERE rowid IN
                        (SELECT rowid FROM \(table) WHERE \(column) < ? ORDER BY \(column)
                         LIMIT \(countMax))
                    """, arguments: [beforeNs])
            return db.changesCount
        }
    }
}
