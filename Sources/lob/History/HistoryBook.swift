// A stored snapshot as a ladder for the terminal and as JSON with all levels, and the difference between two.

import DepthBook
import LobRecording
import MarketData
import SnapshotStore

/// A snapshot to show.
struct HistoryBook {
    /// Its label: the number of the snapshot.
    let label: String
    let market: String
    let stored: StoredBook

    private var book: BookImage { stored.book }

    var scales: SymbolScales {
        stored.book.scales ?? SymbolScales(priceDecimals: 0, quantityDecimals: 0)
    }

    /// `17: BTCUSDT, spot, live at 4475143962, 2026-11-29 17:53:08.401`.
    var title: String {
        let state = stored.state == .stale ? "stale (\(stored.reason))" : "\(stored.state)"
        return "\(label): \(stored.symbol), \(market), \(state) at \(book.lastUpdateID), "
            + UTCStamp(ns: stored.atNs).text
    }

    /// The best levels, bids next to asks.
    func text(depth: Int) -> String {
        var rows = [["quantity", "bid", "ask", "quantity"]]
        for rank in 0..<min(depth, max(book.bids.count, book.asks.count)) {
            let bid = rank < book.bids.count ? book.bids[rank] : nil
            let ask = rank < book.asks.count ? book.asks[rank] : nil
            rows.append([
                bid.map { scales.text($0.quantity) } ?? "", bid.map { mark($0, .bid) } ?? "",
                ask.map { mark($0, .ask) } ?? "", ask.map { scales.text($0.quantity) } ?? "",
            ])
        }
        return [
            title, renderTable(rows, leftAligned: []),
            "\(book.bids.count) bids, \(proven(book.provenBids)); \(book.asks.count) asks, "
                + "\(proven(book.provenAsks)); * is not proven",
            "digest \(hexadecimal(book.digest)), checksum \(checksum)",
        ].joined(separator: "\n")
    }

    /// Eight hexadecimal digits, as in the list.
    private var checksum: String {
        let digits = String(stored.checksum, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    private func mark(_ level: PriceLevel, _ side: Side) -> String {
        let range = side == .bid ? book.provenBids : book.provenAsks
        return range.reaches(level.price, on: side)
            ? scales.text(level.price) : "*" + scales.text(level.price)
    }

    private func proven(_ range: ProvenRange) -> String {
        switch range {
        case .nothing: "none proven"
        case .to(let price): "proven to \(scales.text(price))"
        case .unbounded: "all"
        }
    }

    /// The snapshot with all its levels.
    var json: String {
        var text = "{\"id\":\(id),\"atNs\":\(stored.atNs),\"symbol\":\(jsonText("\(stored.symbol)"))"
        text += ",\"market\":\(jsonText(market)),\"cause\":\"\(stored.cause.rawValue)\""
        text += ",\"state\":\"\(stored.state)\""
        text += ",\"reason\":\(stored.reason == .none ? "null" : jsonText("\(stored.reason)"))"
        text += ",\"updateID\":\(book.lastUpdateID),\"eventTimeUs\":"
        text += book.eventTimeUs == 0 ? "null" : "\(book.eventTimeUs)"
        text += ",\"proven\":{\"bid\":\(limit(book.provenBids)),\"ask\":\(limit(book.provenAsks))}"
        text += ",\"checksum\":\"\(checksum)\",\"digest\":\"\(hexadecimal(book.digest))\""
        text += ",\"bids\":\(list(book.bids)),\"asks\":\(list(book.asks))}"
        return text
    }

    /// The snapshot's number; a label that is not a number becomes a string.
    fileprivate var id: String { Int64(label) == nil ? jsonText(label) : label }

    private func list(_ levels: [PriceLevel]) -> String {
        let texts = levels.map { "[\"\(scales.text($0.price))\",\"\(scales.text($0.quantity))\"]" }
        return "[\(texts.joined(separator: ","))]"
    }

    /// A price; null if the whole side is known, false if nothing is.
    private func limit(_ range: ProvenRange) -> String {
        switch range {
        case .nothing: "false"
        case .to(let price): "\"\(scales.text(price))\""
        case .unbounded: "null"
        }
    }
}

/// Two snapshots and the levels in which they differ.
struct HistoryDifference {
    let first: HistoryBook
    let second: HistoryBook
    let difference: BookDifference

    /// Whether both are live and have the same update id, and yet differ.
    var isContradiction: Bool {
        first.stored.book.lastUpdateID == second.stored.book.lastUpdateID && difference.provenCount > 0
    }

    private func quantity(_ quantity: Quantity) -> String {
        quantity == .zero ? "-" : difference.scales.text(quantity)
    }

    /// The best levels that differ.
    func text(depth: Int) -> String {
        var lines = [first.title, second.title]
        for side in Side.allCases {
            let levels = difference.levels.filter { $0.side == side }
            if levels.isEmpty { continue }
            let rows = levels.prefix(depth).map { level in
                [
                    "\(side)", difference.scales.text(level.price), quantity(level.first),
                    quantity(level.second), level.isProven ? "" : "not proven",
                ]
            }
            lines.append(
                renderTable(
                    [["", "price", "\(first.label)", "\(second.label)", ""]] + rows, leftAligned: [0, 4]))
            if levels.count > depth { lines.append("… and \(levels.count - depth) more \(side)s") }
        }
        let counts = "levels that differ: \(difference.levels.count), equal: \(difference.equalCount)"
        return (lines + [counts]).joined(separator: "\n")
    }

    /// All levels that differ.
    var json: String {
        func limit(_ book: HistoryBook) -> String {
            "{\"id\":\(book.id),\"atNs\":\(book.stored.atNs),\"updateID\":\(book.stored.book.lastUpdateID)}"
        }
        let levels = difference.levels.map { level in
            "{\"side\":\"\(level.side)\",\"price\":\"\(difference.scales.text(level.price))\","
                + "\"first\":\"\(difference.scales.text(level.first))\","
                + "\"second\":\"\(difference.scales.text(level.second))\",\"isProven\":\(level.isProven)}"
        }
        return "{\"symbol\":\(jsonText("\(first.stored.symbol)")),\"first\":\(limit(first)),"
            + "\"second\":\(limit(second)),\"equalLevels\":\(difference.equalCount),"
            + "\"levels\":[\(levels.joined(separator: ","))]}"
    }
}
