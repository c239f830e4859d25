// The columns of a store's lists, and where they come from.

extension StoreList {
    /// A column.
    struct Column {
        let name: String
        let sql: String
        var isTruth = false

        init(_ name: String, _ sql: String? = nil, isTruth: Bool = false) {
            (self.name, self.sql, self.isTruth) = (name, sql ?? "t.\(name)", isTruth)
        }
    }

    /// Whether its rows belong to symbols.
    package var hasSymbol: Bool {
        switch self {
        case .snapshots, .audits, .mismatches, .gaps: true
        case .connections, .losses, .runs: false
        }
    }

    /// Expression for the time of a row.
    var time: String {
        switch self {
        case .snapshots, .audits, .mismatches, .connections: "t.atNs"
        case .gaps, .losses: "t.fromNs"
        case .runs: "t.startedAtNs"
        }
    }

    /// Expression for the end of a row with a duration; nil for moments.
    var end: String? {
        switch self {
        case .gaps, .losses: "t.toNs"
        case .snapshots, .audits, .mismatches, .connections, .runs: nil
        }
    }

    /// The tables.
    var source: String {
        switch self {
        case .snapshots: "snapshot t JOIN symbol s ON s.id = t.symbol"
        case .audits: "audit t JOIN symbol s ON s.id = t.symbol"
        case .mismatches: "mismatch t JOIN symbol s ON s.id = t.symbol"
        case .gaps: "gap t JOIN symbol s ON s.id = t.symbol"
        case .connections: "connection t"
        case .losses: "loss t"
        case .runs: "run t"
        }
    }

    /// The columns, in the order in which they are shown.
    var columns: [Column] {
        let whose = [Column("symbol", "s.name"), Column("market", "s.market")]
        switch self {
        case .snapshots:
            return [Column("id"), Column("atNs")] + whose + [
                Column("state"), Column("reason"), Column("cause"), Column("updateID"), Column("eventTimeUs"),
                Column("bidCount"), Column("askCount"), Column("checksum", "printf('%08x', t.checksum)"),
                Column("digest", "printf('%016x', t.digest)"), Column("bytes", "length(t.levels)"),
                Column("run"),
            ]
        case .audits:
            return [Column("id"), Column("atNs")] + whose + [
                Column("isEqual", isTruth: true), Column("updateID"), Column("snapshotID"),
                Column("levelCount"), Column("checksum", "printf('%08x', t.checksum)"),
                Column("venueChecksum", "printf('%08x', t.venueChecksum)"), Column("difference"),
                Column("own"), Column("venue"), Column("run"),
            ]
        case .mismatches:
            return [Column("id"), Column("atNs")] + whose + [
                Column("kind"), Column("count"), Column("updateID"), Column("book"), Column("venue"),
                Column("run"),
            ]
        case .gaps:
            return [Column("fromNs"), Column("toNs")] + whose + [
                Column("reason"), Column("idBefore"), Column("idAfter"), Column("run"), Column("number"),
            ]
        case .connections:
            return [
                Column("atNs"), Column("shard"), Column("source"), Column("event"), Column("run"),
            ]
        case .losses:
            return [Column("fromNs"), Column("toNs"), Column("books"), Column("facts"), Column("run")]
        case .runs:
            return [
                Column("id"), Column("market"), Column("startedAtNs"), Column("lastAtNs"),
                Column("endedAtNs"),
                Column("snapshots", "(SELECT count(*) FROM snapshot WHERE run = t.id)"),
            ]
        }
    }
}
