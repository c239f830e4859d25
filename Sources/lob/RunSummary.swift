// What came of a run: a table, or one JSON object for each symbol, and whether anything was wrong.

import BookEngine
import BookService
import DepthBook
import MarketData

/// The books of a run at its end.
struct RunSummary {
    let market: Market
    let books: [ClosedBook]
    let lanes: [LaneStatus]
    let elapsedNs: Int64
    /// Decimals of each symbol's tick, where they are known.
    var decimals: [SymbolName: Int] = [:]

    private static let noScales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)

    /// Whether the venue ever contradicted a live book.
    var hasMismatch: Bool {
        books.contains { book in
            let c = book.status.counters
            return c.tickersAgreed != c.tickersCompared || c.partialsAgreed != c.partialsCompared
                || c.auditsAgreed != c.auditsCompared || c.crossings > 0
        }
    }

    /// Whether a book was never live, or not when the run ended.
    var isIncomplete: Bool { books.contains { $0.state != .live } }

    /// One object for a symbol.
    func json(_ book: ClosedBook) -> String {
        let status = book.status
        let c = status.counters
        let scales = status.scales ?? RunSummary.noScales
        func price(_ level: PriceLevel?) -> String {
            level.map { "[\"\(scales.text($0.price))\",\"\(scales.text($0.quantity))\"]" } ?? "null"
        }
        var text =
            "{\"symbol\":\(jsonText("\(status.symbol)")),\"market\":\"\(market.name)\""
        text += ",\"state\":\"\(book.state)\""
        if book.state == .stale { text += ",\"reason\":\"\(book.reason)\"" }
        text += ",\"lastUpdateId\":\(status.lastUpdateID)"
        text += ",\"events\":{\"applied\":\(c.applied),\"discarded\":\(c.discarded),\"gaps\":\(c.gaps)}"
        text += ",\"resyncs\":\(c.resyncs),\"snapshots\":\(c.snapshots)"
        text += ",\"bookTicker\":{\"compared\":\(c.tickersCompared),\"agreed\":\(c.tickersAgreed)}"
        text += ",\"audits\":{\"compared\":\(c.auditsCompared),\"agreed\":\(c.auditsAgreed)}"
        text += ",\"levels\":{\"bid\":\(book.bidCount),\"ask\":\(book.askCount)}"
        text += ",\"provenLevels\":{\"bid\":\(status.provenBidCount),\"ask\":\(status.provenAskCount)}"
        text += ",\"bestBid\":\(price(book.bestBid)),\"bestAsk\":\(price(book.bestAsk))"
        return text + ",\"digest\":\"\(hexadecimal(book.digest))\"}"
    }

    /// The table for people, at most 40 symbols of it.
    var table: String {
        var rows = [
            [
                "symbol", "state", "applied", "gaps", "resyncs", "snapshots", "bids", "asks", "best bid",
                "best ask", "tickers", "audits", "digest",
            ]
        ]
        let sorted = books.sorted { ($0.state == .live ? 1 : 0) < ($1.state == .live ? 1 : 0) }
        for book in sorted.prefix(40) {
            let c = book.status.counters
            let scales = book.status.scales ?? RunSummary.noScales
            func price(_ level: PriceLevel?) -> String {
                guard let level else { return "-" }
                return RunScreen.shortened(scales.text(level.price), to: decimals[book.status.symbol])
            }
            rows.append([
                "\(book.status.symbol)", book.state == .stale ? "stale (\(book.reason))" : "\(book.state)",
                "\(c.applied)", "\(c.gaps)", "\(c.resyncs)", "\(c.snapshots)", "\(book.bidCount)",
                "\(book.askCount)", price(book.bestBid), price(book.bestAsk),
                "\(c.tickersAgreed)/\(c.tickersCompared)", "\(c.auditsAgreed)/\(c.auditsCompared)",
                hexadecimal(book.digest),
            ])
        }
        var text = renderTable(rows, leftAligned: [0, 1])
        if books.count > 40 { text += "\n… and \(books.count - 40) more" }
        return text + "\n" + total
    }

    private var total: String {
        let counters = books.map(\.status.counters)
        func sum(_ count: (SymbolCounters) -> Int) -> Int { counters.reduce(0) { $0 + count($1) } }
        let live = books.reduce(0) { $0 + ($1.state == .live ? 1 : 0) }
        let messages = lanes.reduce(0) { $0 + $1.feed.messages }
        let dropped = lanes.reduce(0) { $0 + $1.feed.droppedMessages }
        let connections = lanes.reduce(0) { $0 + $1.feed.attempts }
        return "\(live) of \(books.count) books live; \(messages) messages in "
            + "\(fixed(Double(elapsedNs) / 1e9, 1)) s, \(dropped) lost to a full ring, "
            + "\(connections) connections, \(sum(\.applied)) events applied, \(sum(\.gaps)) gaps, "
            + "\(sum(\.resyncs)) resyncs; "
            + "agreed: tickers \(sum(\.tickersAgreed)) of \(sum(\.tickersCompared)), "
            + "audits \(sum(\.auditsAgreed)) of \(sum(\.auditsCompared))"
    }
}
