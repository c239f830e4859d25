// Reads a store, even while another process writes it. Everything read is outside input: a snapshot is
// checked against its digest and checksum, and impossible data is an error, never a trap.

import DepthBook
import Foundation
import GRDB
import MarketData

/// A list that a store can show.
package enum StoreList: String, CaseIterable, Sendable {
    /// Snapshots, without their levels.
    case snapshots
    /// Audits.
    case audits
    /// Contradictions of cross-checks.
    case mismatches
    /// Periods in which books were not live.
    case gaps
    /// Connection events.
    case connections
    /// Rows that could not be stored.
    case losses
    /// Runs of the program that wrote it.
    case runs
}

/// A value of a row.
package enum StoredValue: Hashable, Sendable {
    /// No value.
    case none
    /// A number.
    case number(Int64)
    /// A boolean.
    case truth(Bool)
    /// A text.
    case text(String)
}

/// A row of a list: its columns by name, in order.
package struct StoredRow: Hashable, Sendable {
    /// The columns.
    package var columns: [(name: String, value: StoredValue)]

    /// The value of a column; `none` if there is no such column.
    package subscript(name: String) -> StoredValue { columns.first { $0.name == name }?.value ?? .none }

    package static func == (a: StoredRow, b: StoredRow) -> Bool {
        a.columns.count == b.columns.count && zip(a.columns, b.columns).allSatisfy { $0 == $1 }
    }

    package func hash(into hasher: inout Hasher) {
        for column in columns {
            hasher.combine(column.name)
            hasher.combine(column.value)
        }
    }
}

/// Which rows are requested.
package struct StoreFilter: Hashable, Sendable {
    /// Of this symbol; nil: of all.
    package var symbol: String?
    /// Not before this time, in nanoseconds since 1970; rows that extend into it are included.
    package var fromNs: Int64 = .min
    /// Before this time.
    package var toNs: Int64 = .max
    /// At most this many, the newest.
    package var countMax = 1_000

    /// All rows.
    package init() {}
}

/// Why a snapshot cannot be shown.
package enum StoredBookError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No snapshot has this number.
    case missing(Int64)
    /// Its levels are damaged.
    case damaged(Int64)
    /// Its levels do not match its digest and checksum.
    case contradicted(Int64)

    /// One line for display.
    package var description: String {
        switch self {
        case .missing(let number): "no snapshot \(number)"
        case .damaged(let number): "snapshot \(number) is damaged"
        case .contradicted(let number): "snapshot \(number) does not agree with its own digest and checksum"
        }
    }
}

/// A store opened for reading. Used by one thread at a time.
package final class StoreReader {
    private let path: String
    private let number: Int?
    let database: DatabaseQueue
    private let blob: LevelsBlob

    /// Opens a store for reading.
    ///
    /// - Parameter path: the file.
    /// - Throws: `StoreError` if there is none, or if a later version wrote it.
    package init(_ path: String) throws(StoreError) {
        guard let blob = LevelsBlob() else { throw .refused(path: path, reason: "no memory") }
        (self.path, self.blob) = (path, blob)
        number = StoreFile.number(path)
        database = try StoreFile.openToRead(path)
    }

    /// The rows of a list, oldest first; if there are more than `countMax`, the newest.
    package func rows(_ list: StoreList, _ filter: StoreFilter) throws(StoreError) -> [StoredRow] {
        try read { db in
            var conditions = ["\(list.time) < ?"]
            var arguments: [(any DatabaseValueConvertible)?] = [filter.toNs, filter.fromNs]
            if let end = list.end {
                // Earlier rows are included if they extend into the period; without an end they are still
                // open.
                conditions.append("(\(list.time) >= ? OR \(end) > ? OR \(end) IS NULL)")
                arguments.append(filter.fromNs)
            } else {
                conditions.append("\(list.time) >= ?")
            }
            if let symbol = filter.symbol {
                // Lists without symbols concern all of them.
                if list.hasSymbol { conditions.append("s.name = ?") }
                if list.hasSymbol { arguments.append(symbol) }
            }
            arguments.append(max(filter.countMax, 0))
            let sql = """
                SELECT \(list.columns.map { "\($0.sql) AS \($0.name)" }.joined(separator: ", "))
                FROM \(list.source)
                WHERE \(conditions.joined(separator: " AND "))
                ORDER BY \(list.time) DESC, t.rowid DESC LIMIT ?
                """
            var rows: [StoredRow] = []
            let found = try Row.fetchCursor(db, sql: sql, arguments: StatementArguments(arguments))
            while let row = try found.next() { rows.append(StoreReader.row(row, list)) }
            return rows.reversed()
        }
    }

    private static func row(_ row: Row, _ list: StoreList) -> StoredRow {
        StoredRow(
            columns: list.columns.enumerated().map { index, column in
                let value: DatabaseValue = row[index]
                switch value.storage {
                case .null, .double, .blob: return (column.name, .none)
                case .string(let text): return (column.name, .text(text))
                case .int64(let number):
                    return (column.name, column.isTruth ? .truth(number != 0) : .number(number))
                }
            })
    }

    /// A whole snapshot, checked against its digest and checksum.
    ///
    /// - Parameter number: number of the snapshot.
    /// - Returns: the market's name and the book.
    /// - Throws: `StoreError` if it cannot be read, `StoredBookError` if it is wrong.
    package func book(_ number: Int64) throws -> (market: String, book: StoredBook) {
        let found = try read { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT t.*, s.name AS name, s.market AS market FROM snapshot t
                    JOIN symbol s ON s.id = t.symbol WHERE t.id = ?
                    """, arguments: [number])
        }
        guard let row = found else { throw StoredBookError.missing(number) }
        guard let (market, book) = book(row) else { throw StoredBookError.damaged(number) }
        let (digest, checksum) = (Int64(bitPattern: book.book.digest), Int64(book.checksum))
        if digest != StoreReader.value(row, "digest") || checksum != StoreReader.value(row, "checksum") {
            throw StoredBookError.contradicted(number)
        }
        return (market, book)
    }

    /// The snapshot in a row; nil if invalid.
    private func book(_ row: Row) -> (market: String, book: StoredBook)? {
        func number(_ name: String) -> Int64? { StoreReader.value(row, name) }
        func text(_ name: String) -> String? { StoreReader.value(row, name) }
        guard let levels: Data = StoreReader.value(row, "levels"), let length = number("levelBytes"),
            let sides = blob.unpack(LevelsBlob.Packed(length: Int(length), bytes: Array(levels))),
            let symbol = text("name").flatMap({ SymbolName($0) }), let market = text("market"),
            let cause = text("cause").flatMap(StoredBook.Cause.init(rawValue:)),
            let bids = StoreReader.proven(text("bidsProven"), number("bidsProvenTo")),
            let asks = StoreReader.proven(text("asksProven"), number("asksProvenTo")),
            let state = text("state").flatMap(BookState.init(text:)),
            let reason = StaleReason(text: text("reason") ?? "none"), let atNs = number("atNs"),
            let id = number("updateID")
        else { return nil }
        var scales: SymbolScales?
        if let price = number("priceDecimals"), let quantity = number("quantityDecimals") {
            guard (0...18).contains(price), (0...18).contains(quantity) else { return nil }
            scales = SymbolScales(priceDecimals: Int(price), quantityDecimals: Int(quantity))
        }
        let image = BookImage(
            lastUpdateID: UpdateID(id), eventTimeUs: number("eventTimeUs") ?? 0, scales: scales,
            provenBids: bids, provenAsks: asks, bids: sides.bids, asks: sides.asks,
            bidCountBound: sides.bids.count, askCountBound: sides.asks.count)
        return (
            market,
            StoredBook(symbol, atNs: atNs, cause: cause, state: state, reason: reason, book: image)
        )
    }

    /// The value of a column; nil if it has another type.
    static func value<T: DatabaseValueConvertible>(_ row: Row, _ name: String) -> T? {
        let value: DatabaseValue? = row[name]
        return value.flatMap { T.fromDatabaseValue($0) }
    }

    private static func proven(_ kind: String?, _ price: Int64?) -> ProvenRange? {
        switch kind {
        case "nothing": .nothing
        case "all": .unbounded
        case "to": price.map { .to(Price($0)) }
        default: nil
        }
    }

    /// Whether the path still leads to the file that was opened.
    package var isCurrent: Bool { number != nil && StoreFile.number(path) == number }

    /// Ends what is being read, with an error; nothing once the reader is gone. For any thread.
    package var interruption: @Sendable () -> Void { { [weak database] in database?.interrupt() } }

    func read<R>(_ body: (Database) throws -> R) throws(StoreError) -> R {
        do {
            return try database.read(body)
        } catch {
            throw .refused(path: path, reason: StoreFile.reason(error))
        }
    }
}

extension BookState {
    /// The state with this name; nil if there is none.
    fileprivate init?(text: String) {
        let all: [BookState] = [.syncing, .live, .stale]
        guard let state = all.first(where: { "\($0)" == text }) else { return nil }
        self = state
    }
}

extension StaleReason {
    /// The reason with this name; nil if there is none.
    fileprivate init?(text: String) {
        for number in UInt8.min...UInt8.max {
            guard let reason = StaleReason(rawValue: number) else { return nil }
            if "\(reason)" == text {
                self = reason
                return
            }
        }
        return nil
    }
}
