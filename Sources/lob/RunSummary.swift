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
    /// How each book stands.
    let outcomes: [SymbolName: BookOutcome]
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

    /// Whether a book never was live, or could not be mended.
    var isIncomplete: Bool { books.contains { outcome($0).isFailure } }

    private func outcome(_ book: ClosedBook) -> BookOutcome { outcomes[book.status.symbol] ?? .neverLive }

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
        switch outcome(book) {
        case .live, .neverLive: break
        case .mending(let forMs), .lost(let forMs): text += ",\"staleForMs\":\(forMs)"
        }
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

    /// The table for people, of at most so many symbols.
    func table(rowCountMax: Int) -> String {
        var rows = [
            [
                "symbol", "state", "applied", "gaps", "resyncs", "snapshots", "bids", "asks", "best bid",
                "best ask", "tickers", "audits", "digest",
            ]
        ]
        let sorted = books.sorted { ($0.state == .live ? 1 : 0) < ($1.state == .live ? 1 : 0) }
        for book in sorted.prefix(rowCountMax) {
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
        if books.count > rowCountMax { text += "\n… and \(books.count - rowCountMax) more" }
        return ([text] + doubts + [total]).joined(separator: "\n")
    }

    /// A line for each way in which books are not live.
    private var doubts: [String] {
        var (mending, lost, never): ([String], [String], [String]) = ([], [], [])
        for book in books {
            let name = "\(book.status.symbol)"
            func since(_ ms: Int64) -> String { "\(name) (\(book.reason), \(fixed(Double(ms) / 1000, 1)) s)" }
            switch outcome(book) {
            case .live: break
            case .mending(let forMs): mending.append(since(forMs))
            case .lost(let forMs): lost.append(since(forMs))
            case .neverLive: never.append(name)
            }
        }
        let all = [
            (mending, "being mended when the run ended"), (lost, "not mended"), (never, "never live"),
        ]
        return all.filter { !$0.0.isEmpty }.map { "\($1): \($0.joined(separator: ", "))" }
    }

    private var total: String {
        let counters = books.map(\.status.counters)
        func sum(_ count: (SymbolCounters) -> Int) -> Int { counters.reduce(0) { $0 + count($1) } }
        let live = books.reduce(0) { $0 + ($1.state == .live ? 1 : 0) }
        let messages = lanes.reduce(0) { $0 + $1.feed.messages }
        let dropped = lanes.reduce(0) { $0 + $1.feed.droppedMessages }
        let dials = lanes.reduce(0) { $0 + $1.feed.attempts }
        let malformed = lanes.reduce(0) { $0 + $1.engine.malformed }
        return "\(live) of \(counted(books.count, "book")) live; \(messages) messages in "
            + "\(fixed(Double(elapsedNs) / 1e9, 1)) s, \(malformed) unreadable, "
            + "\(dropped) lost to a full ring; dialled \(counted(dials, "time")); "
            + "\(sum(\.applied)) events applied, \(counted(sum(\.gaps), "gap")), "
            + "\(counted(sum(\.resyncs), "resync")); "
            + "agreed: tickers \(sum(\.tickersAgreed)) of \(sum(\.tickersCompared)), "
            + "audits \(sum(\.auditsAgreed)) of \(sum(\.auditsCompared))"
    }
}
