// The rows of a store as a table for the terminal and as JSON.

import LobRecording
import SnapshotStore

extension StoredRow {
    /// One JSON object.
    var json: String {
        let members = columns.map { "\(jsonText($0.name)):\($0.value.json)" }
        return "{\(members.joined(separator: ","))}"
    }
}

extension StoredValue {
    /// A JSON value.
    var json: String {
        switch self {
        case .none: "null"
        case .number(let number): "\(number)"
        case .truth(let isTrue): "\(isTrue)"
        case .text(let text): jsonText(text)
        }
    }

    /// Text for the terminal; times and durations look like other numbers here.
    var text: String {
        switch self {
        case .none: "-"
        case .number(let number): "\(number)"
        case .truth(let isTrue): isTrue ? "yes" : "no"
        case .text(let text): text
        }
    }
}

/// A list as a table.
struct HistoryTable {
    private let rows: [StoredRow]
    private let columns: [Column]

    /// A column of the table.
    private struct Column {
        let title: String
        var isText = false
        let text: (StoredRow) -> String
    }

    init(_ rows: [StoredRow], _ list: StoreList) {
        self.rows = rows
        columns = HistoryTable.columns(list)
    }

    /// The table.
    var text: String {
        let table = [columns.map(\.title)] + rows.map { row in columns.map { $0.text(row) } }
        return renderTable(table, leftAligned: Set(columns.indices.filter { columns[$0].isText }))
    }

    private static func plain(_ title: String, _ name: String, isText: Bool = false) -> Column {
        Column(title: title, isText: isText) { $0[name].text }
    }

    private static func time(_ title: String, _ name: String) -> Column {
        Column(title: title, isText: true) { row in
            guard case .number(let ns) = row[name] else { return "-" }
            return UTCStamp(ns: ns).text
        }
    }

    private static func seconds(_ title: String, _ from: String, _ to: String) -> Column {
        Column(title: title) { row in
            guard case .number(let fromNs) = row[from], case .number(let toNs) = row[to] else { return "-" }
            return fixed(Double(saturatedDifference(toNs, fromNs)) / 1e9, 3)
        }
    }

    private static var state: Column {
        Column(title: "state", isText: true) { row in
            row["reason"] == .none ? row["state"].text : "\(row["state"].text) (\(row["reason"].text))"
        }
    }

    private static func columns(_ list: StoreList) -> [Column] {
        switch list {
        case .snapshots:
            [
                plain("number", "id"), time("time", "atNs"), plain("symbol", "symbol", isText: true), state,
                plain("why", "cause", isText: true), plain("update id", "updateID"),
                plain("bids", "bidCount"), plain("asks", "askCount"), plain("checksum", "checksum"),
                plain("digest", "digest"), plain("bytes", "bytes"),
            ]
        case .audits:
            [
                plain("number", "id"), time("time", "atNs"), plain("symbol", "symbol", isText: true),
                plain("agrees", "isEqual", isText: true), plain("at id", "updateID"),
                plain("snapshot's id", "snapshotID"), plain("checksum", "checksum"),
                plain("venue's", "venueChecksum"), plain("ours is", "own"), plain("venue's is", "venue"),
                plain("difference", "difference", isText: true),
            ]
        case .mismatches:
            [
                time("time", "atNs"), plain("symbol", "symbol", isText: true),
                plain("what", "kind", isText: true), plain("times", "count"),
                plain("first at id", "updateID"),
                plain("ours", "book", isText: true), plain("venue's", "venue", isText: true),
            ]
        case .gaps:
            [
                time("from", "fromNs"), time("to", "toNs"), seconds("seconds", "fromNs", "toNs"),
                plain("symbol", "symbol", isText: true), plain("reason", "reason", isText: true),
                plain("id before", "idBefore"), plain("id after", "idAfter"), plain("run", "run"),
            ]
        case .connections:
            [
                time("time", "atNs"), plain("shard", "shard"), plain("connection", "source"),
                plain("event", "event", isText: true), plain("run", "run"),
            ]
        case .losses:
            [
                time("from", "fromNs"), time("to", "toNs"), plain("books", "books"),
                plain("other rows", "facts"), plain("run", "run"),
            ]
        case .runs:
            [
                plain("run", "id"), plain("market", "market", isText: true), time("started", "startedAtNs"),
                time("last heard of", "lastAtNs"), time("ended", "endedAtNs"),
                plain("snapshots", "snapshots"),
            ]
        }
    }
}
