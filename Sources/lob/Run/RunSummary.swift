// The results of a run: a table or one JSON object per symbol, and whether anything went wrong.

import BinanceVenue
import BookEngine
import BookService
import DepthBook
import DepthFeed
import LobMetrics
import MarketData

/// The books of a run at its end.
struct RunSummary {
    let market: Market
    let books: [FinalBook]
    let shards: [ShardStatus]
    let elapsedNs: Int64
    /// Decimals of each symbol's tick size, where known.
    let decimals: [SymbolName: Int]
    /// Whether the venue's clock is the clock of this machine.
    let isRealTime: Bool
    /// The outcome of each book.
    private let outcomes: [SymbolName: BookOutcome]
    private let lags: [SymbolName: LatencyHistogram]
    private let unknown: Set<SymbolName>
    private let nowNs = wallClockUs() * 1000
    /// What could not be stored, in words; nil if everything was, or if nothing was meant to be.
    var storeTrouble: String?

    init(
        market: Market, books: [FinalBook], shards: [ShardStatus], watch: RunWatch, elapsedNs: Int64,
        decimals: [SymbolName: Int], isRealTime: Bool
    ) {
        (self.market, self.books, self.shards, self.elapsedNs) = (market, books, shards, elapsedNs)
        (self.decimals, self.isRealTime) = (decimals, isRealTime)
        outcomes = watch.outcomes(books)
        lags = Dictionary(watch.symbols.map { ($0.name, $0.lag) }, uniquingKeysWith: { $1 })
        unknown = watch.unknown
    }

    private static let noScales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)

    /// Whether the venue ever contradicted a live book.
    var hasMismatch: Bool {
        books.contains { book in
            let c = book.status.counters
            return c.tickersAgreed != c.tickersCompared || c.partialsAgreed != c.partialsCompared
                || c.checksumsAgreed != c.checksumsCompared || c.auditsAgreed != c.auditsCompared
                || c.crossings > 0
        }
    }

    /// Whether a book was never live or could not be repaired.
    var isIncomplete: Bool { books.contains { outcome($0).isFailure } }

    private func outcome(_ book: FinalBook) -> BookOutcome { outcomes[book.status.symbol] ?? .neverLive }

    /// The JSON object of a symbol.
    func json(_ book: FinalBook) -> String {
        let status = book.status
        let scales = status.scales ?? RunSummary.noScales
        func price(_ level: PriceLevel?) -> String {
            level.map { "[\"\(scales.text($0.price))\",\"\(scales.text($0.quantity))\"]" } ?? "null"
        }
        var text =
            "{\"symbol\":\(jsonText("\(status.symbol)")),\"market\":\"\(market.name)\""
        text += ",\"state\":\"\(book.state)\""
        if book.state == .stale { text += ",\"reason\":\"\(book.reason)\"" }
        if unknown.contains(status.symbol) { text += ",\"unknown\":true" }
        switch outcome(book) {
        case .live, .neverLive: break
        case .mending(let forMs), .lost(let forMs): text += ",\"staleForMs\":\(forMs)"
        }
        text += ",\"lastUpdateId\":\(status.lastUpdateID),\(RunSummary.members(book))"
        text += ",\"bestBid\":\(price(book.bestBid)),\"bestAsk\":\(price(book.bestAsk))"
        text += ",\"lag\":\(lagJSON(status.symbol)),\"checkedMsAgo\":\(checkedMsAgo(book))"
        return text + ",\"digest\":\"\(hexadecimal(book.digest))\"}"
    }

    private static func members(_ book: FinalBook) -> String {
        var members = MetricMembers()
        members.add(
            book.status.counters, \.applied, \.discarded, \.gaps, \.resyncs, \.snapshots, \.tickersCompared,
            \.tickersAgreed, \.auditsCompared, \.auditsAgreed)
        members.add("levels.bid", book.bidCount)
        members.add("levels.ask", book.askCount)
        members.add(book.status, \.provenBidCount, \.provenAskCount)
        return members.text
    }

    private func lagJSON(_ symbol: SymbolName) -> String {
        guard isRealTime, let lag = lags[symbol], let medianNs = lag.medianNs, let worstNs = lag.worstNs
        else {
            return "null"
        }
        let (median, worst) = (fixed(Double(medianNs) / 1e6, 3), fixed(Double(worstNs) / 1e6, 3))
        return "{\"medianMs\":\(median),\"worstMs\":\(worst)}"
    }

    /// How long before the end the connection of a book was last known to be delivering.
    private func checkedMsAgo(_ book: FinalBook) -> String {
        book.checkedAtNs == 0 ? "null" : "\(max(nowNs - book.checkedAtNs, 0) / 1_000_000)"
    }

    private func lagText(_ lag: LatencyHistogram?) -> String {
        guard isRealTime, let lag, let medianNs = lag.medianNs, let worstNs = lag.worstNs else { return "-" }
        return "\(fixed(Double(medianNs) / 1e6, 1))/\(fixed(Double(worstNs) / 1e6, 1))"
    }

    private func title(_ path: PartialKeyPath<SymbolCounters>) -> String { SymbolCounters[path].title }

    /// The table for the terminal, with at most `rowCountMax` symbols.
    func table(rowCountMax: Int) -> String {
        var rows = [
            [
                "symbol", "state", title(\.applied), title(\.gaps), title(\.resyncs), title(\.snapshots),
                "bids",
                "asks", "best bid", "best ask", "\(SymbolStatus[\.lagNs].title) ms", title(\.tickersCompared),
                title(\.auditsCompared), "digest",
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
            let isKnown = !unknown.contains(book.status.symbol)
            let state = book.state == .stale ? "stale (\(book.reason))" : "\(book.state)"
            rows.append([
                "\(book.status.symbol)", isKnown ? state : "unknown",
                "\(c.applied)", "\(c.gaps)", "\(c.resyncs)", "\(c.snapshots)", "\(book.bidCount)",
                "\(book.askCount)", price(book.bestBid), price(book.bestAsk),
                lagText(lags[book.status.symbol]), "\(c.tickersAgreed)/\(c.tickersCompared)",
                "\(c.auditsAgreed)/\(c.auditsCompared)",
                hexadecimal(book.digest),
            ])
        }
        var text = renderTable(rows, leftAligned: [0, 1])
        if books.count > rowCountMax { text += "\n… and \(books.count - rowCountMax) more" }
        return ([text] + doubts + [storeTrouble, total].compactMap { $0 }).joined(separator: "\n")
    }

    /// One line for each reason why books are not live.
    private var doubts: [String] {
        var (mending, lost, never): ([String], [String], [String]) = ([], [], [])
        var strangers: [String] = []
        for book in books {
            let name = "\(book.status.symbol)"
            func since(_ ms: Int64) -> String { "\(name) (\(book.reason), \(fixed(Double(ms) / 1000, 1)) s)" }
            switch outcome(book) {
            case .live: break
            case .mending(let forMs): mending.append(since(forMs))
            case .lost(let forMs): lost.append(since(forMs))
            case .neverLive where unknown.contains(book.status.symbol): strangers.append(name)
            case .neverLive: never.append(name)
            }
        }
        let all = [
            (mending, "being mended when the run ended"), (lost, "not mended"), (never, "never live"),
            (strangers, "no such symbol"),
        ]
        return all.filter { !$0.0.isEmpty }.map { "\($1): \($0.joined(separator: ", "))" }
    }

    private var total: String {
        let counters = books.map(\.status.counters)
        func sum(_ count: (SymbolCounters) -> Int) -> Int { counters.reduce(0) { $0 + count($1) } }
        let live = books.reduce(0) { $0 + ($1.state == .live ? 1 : 0) }
        let messages = shards.reduce(0) { $0 + $1.feed.messages }
        let dropped = shards.reduce(0) { $0 + $1.feed.droppedMessages }
        let dials = shards.reduce(0) { $0 + $1.feed.attempts }
        let malformed = shards.reduce(0) { $0 + $1.engine.malformed }
        var all = LatencyHistogram()
        for lag in lags.values { all.add(lag) }
        return
            "\(live) of \(counted(books.count, "book")) live; \(counted(messages, \FeedStatus.messages)) in "
            + "\(fixed(Double(elapsedNs) / 1e9, 1)) s, \(counted(malformed, \EngineCounters.malformed)), "
            + "\(counted(dropped, \FeedStatus.droppedMessages)) to a full ring; "
            + "\(FeedStatus[\.attempts].title) \(counted(dials, "time")); "
            + "\(sum(\.applied)) updates \(title(\.applied)), "
            + "\(counted(sum(\.gaps), \SymbolCounters.gaps)), "
            + "\(counted(sum(\.resyncs), \SymbolCounters.resyncs)); "
            + "agreed: \(title(\.tickersCompared)) \(sum(\.tickersAgreed)) of \(sum(\.tickersCompared)), "
            + "\(title(\.auditsCompared)) \(sum(\.auditsAgreed)) of \(sum(\.auditsCompared)); "
            + "\(SymbolStatus[\.lagNs].title) ms, median/worst: \(lagText(all))"
    }
}
