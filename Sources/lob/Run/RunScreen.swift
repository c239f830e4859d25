// The live screen of `lob run`: the service as a whole, then one line per symbol, those that need attention
// first.

import BookEngine
import BookService
import DepthBook
import DepthFeed
import LobHandoff
import LobMetrics
import MarketData

/// Draws the state of a service.
struct RunScreen {
    private let service: BookService
    private let title: String
    private let clock = Stopwatch()
    private var lastMessages = 0
    private var lastBytes = 0
    private var lastAtNs: Int64 = 0
    /// Nil until there are two measurements to compare, like `bytesPerSecond`.
    private(set) var messagesPerSecond: Double?
    private var bytesPerSecond: Double?
    private var lag = LatencyHistogram()
    /// Whether the venue's clock is the clock of this machine.
    private let isRealTime: Bool
    /// Whether the screen is drawn at all.
    private let isLive: Bool

    /// What the columns mean, for help texts.
    static let legend = """
        Columns: proven, levels of bids and asks known to be complete; lag ms, how much later than usual the \
        last update arrived; waiting, bytes kept until a snapshot arrives; tickers and audits, comparisons \
        that agreed of those made; gaps, times that updates were missing. A narrow terminal shows fewer.
        """

    /// Columns in the order in which they are dropped when space runs out.
    private static let dropping = [7, 9, 2, 8, 10, 5, 6]

    init(_ service: BookService, title: String, isRealTime: Bool, isLive: Bool) {
        (self.service, self.title, self.isRealTime, self.isLive) = (service, title, isRealTime, isLive)
    }

    /// The screen, at most `size`.
    ///
    /// - Parameter decimals: price decimals worth showing, where known.
    mutating func lines(
        _ watch: RunWatch, _ size: (rows: Int, columns: Int), decimals: [SymbolName: Int]
    ) -> [String] {
        let shards = service.shardStatuses
        var lines = [headline(watch), traffic(shards), snapshots()].flatMap {
            wrapped($0, columnsMax: size.columns)
        }
        let room = max(size.rows - lines.count - 3, 1)
        let symbols = watch.symbols.sorted { RunScreen.urgency($0) < RunScreen.urgency($1) }
        var rows = [
            [
                "symbol", "state", SymbolStatus[\.provenBidCount].title, "best bid", "best ask", "updates/s",
                "\(SymbolStatus[\.lagNs].title) ms", SymbolStatus[\.bufferedBytes].title,
                SymbolCounters[\.tickersCompared].title, SymbolCounters[\.auditsCompared].title,
                SymbolCounters[\.gaps].title,
            ]
        ]
        for symbol in symbols.prefix(room) {
            rows.append(row(symbol, decimals[symbol.name], isKnown: !watch.unknown.contains(symbol.name)))
        }
        lines.append("")
        let table = fittingTable(
            rows, leftAligned: [0, 1], columnsMax: size.columns, dropping: RunScreen.dropping)
        lines += table.split(separator: "\n").map(String.init)
        if symbols.count > room { lines.append("… and \(symbols.count - room) more") }
        return lines
    }

    private func headline(_ watch: RunWatch) -> String {
        var text = "\(title), \(RunScreen.duration(clock.elapsedNs)): \(watch.count(.live)) live"
        if watch.count(.syncing) > 0 { text += ", \(watch.count(.syncing)) syncing" }
        if watch.count(.stale) > 0 { text += ", \(watch.count(.stale)) stale" }
        if !watch.unknown.isEmpty { text += ", \(watch.unknown.count) unknown" }
        text += " of \(watch.symbols.count)"
        if isRealTime, let medianNs = lag.medianNs, let worstNs = lag.worstNs {
            text +=
                "; lag \(fixed(Double(medianNs) / 1e6, 1)) ms, worst \(fixed(Double(worstNs) / 1e6, 1)) ms"
        }
        return text
    }

    /// Updates the rates when enough time has passed.
    mutating func measure(_ watch: inout RunWatch) {
        let shards = service.shardStatuses
        let nowNs = clock.elapsedNs
        // Statuses arrive once a second; a shorter interval would make the rates jump.
        if nowNs - lastAtNs < 1_900_000_000 { return }
        let messages = shards.reduce(0) { $0 + $1.feed.messages }
        let bytes = shards.reduce(0) { $0 + $1.feed.bytes }
        let seconds = Double(nowNs - lastAtNs) / 1e9
        messagesPerSecond = Double(messages - lastMessages) / seconds
        bytesPerSecond = Double(bytes - lastBytes) / seconds
        (lastMessages, lastBytes, lastAtNs) = (messages, bytes, nowNs)
        if isLive { lag = watch.takeRecentLag() }
    }

    private func traffic(_ shards: [ShardStatus]) -> String {
        let capacity = shards.reduce(0) { $0 + $1.ring.capacityBytes }
        func share(_ bytes: Int) -> String { fixed(100 * Double(bytes) / Double(max(capacity, 1)), 1) + " %" }
        var text =
            "\(messagesPerSecond.map(rounded) ?? "-") \(FeedStatus[\.messages].title)/s, "
            + "\(bytesPerSecond.map { fixed($0 / 1e6, 2) } ?? "-") MB/s; "
            + "\(FrameRingGauges[\.occupancyBytes].title) "
            + "\(share(shards.reduce(0) { $0 + $1.ring.occupancyBytes })), "
            + "\(FrameRingGauges[\.highWaterBytes].title) "
            + "\(share(shards.reduce(0) { $0 + $1.ring.highWaterBytes })), "
            + "\(FeedStatus[\.droppedMessages].title) "
            + "\(shards.reduce(0) { $0 + $1.feed.droppedMessages }); "
        let connections = shards.map { "\($0.feed.state)" }
        text +=
            "\(connections.count == 1 ? "connection" : "connections") "
            + (Set(connections).count == 1 ? connections[0] : connections.joined(separator: " "))
        let attempts = shards.reduce(0) { $0 + $1.feed.attempts }
        if attempts > shards.count { text += ", \(FeedStatus[\.attempts].title) \(attempts) times" }
        if let error = shards.map({ "\($0.feed.lastError)" }).first(where: { !$0.isEmpty }) {
            text += ", last trouble: \(error)"
        }
        return text
    }

    /// The plan of the snapshot fetcher, if it has one.
    private func snapshots() -> String {
        let fetcher = service.fetcherStatus
        let waiting = fetcher.queued.indices.reduce(0) { $0 + fetcher.queued[$1] } + fetcher.inFlight
        if fetcher.writtenAtNs == 0 { return "snapshots -" }
        var text =
            "snapshots \(counted(fetcher.sentCount, \SnapshotFetcherStatus.sentCount)), "
            + "\(SnapshotFetcherStatus[\.weightSpent].title) \(fetcher.weightSpent) of \(fetcher.weightMax)"
        if fetcher.refusalCount > 0 {
            text += ", \(counted(fetcher.refusalCount, \SnapshotFetcherStatus.refusalCount))"
        }
        if fetcher.transientFailureCount > 0 {
            text +=
                ", \(counted(fetcher.transientFailureCount, \SnapshotFetcherStatus.transientFailureCount))"
        }
        if waiting > 0 {
            let done = fetcher.delivered + fetcher.failed
            let width = 20
            let filled = fetcher.total == 0 ? 0 : done * width / fetcher.total
            let bar = String(repeating: "▇", count: filled) + String(repeating: "·", count: width - filled)
            text += "; \(bar) \(done) of \(fetcher.total)"
            if let wait = fetcher.waitText(nowMs: wallClockUs() / 1000) { text += "; \(wait)" }
        }
        return text
    }

    private func row(_ symbol: WatchedSymbol, _ decimals: Int?, isKnown: Bool) -> [String] {
        let view = symbol.view
        let status = symbol.status
        let c = status.counters
        let isStale = view.state == .stale
        func price(_ level: PriceLevel?) -> String {
            guard let level else { return "-" }
            return RunScreen.shortened(view.scales.text(level.price), to: decimals)
        }
        func known(_ text: String) -> String { symbol.hasStatus ? text : "-" }
        let state = isKnown ? isStale ? "stale, \(view.reason)" : "\(view.state)" : "unknown"
        return [
            "\(symbol.name)", state,
            known("\(status.provenBidCount)/\(status.provenAskCount)"), price(view.bestBid),
            price(view.bestAsk), symbol.updatesPerSecond.map { fixed($0, 1) } ?? "-",
            view.eventTimeUs == 0 || !isRealTime ? "-" : fixed(Double(view.lagNs) / 1e6, 1),
            status.bufferedBytes == 0 ? "-" : byteText(status.bufferedBytes),
            known("\(c.tickersAgreed)/\(c.tickersCompared)"),
            known("\(c.auditsAgreed)/\(c.auditsCompared)"), known("\(c.gaps)"),
        ]
    }

    /// Symbols without a live book first, then the busiest.
    private static func urgency(_ symbol: WatchedSymbol) -> (Int, Double) {
        switch symbol.view.state {
        case .stale: (0, 0)
        case .syncing: (1, 0)
        case .live: (2, -(symbol.updatesPerSecond ?? 0).rounded())
        }
    }

    /// A decimal text without the trailing zeros that the venue prints beyond the tick size.
    static func shortened(_ text: String, to decimals: Int?) -> String {
        guard let decimals, let point = text.firstIndex(of: ".") else { return text }
        let fraction = text[text.index(after: point)...]
        if fraction.count <= decimals || fraction.dropFirst(decimals).contains(where: { $0 != "0" }) {
            return text
        }
        return decimals == 0 ? String(text[..<point]) : text[...point] + String(fraction.prefix(decimals))
    }

    static func duration(_ ns: Int64) -> String {
        let seconds = Int(ns / 1_000_000_000)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(seconds / 3600):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }
}
