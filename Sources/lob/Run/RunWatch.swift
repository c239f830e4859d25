// What happened to the books since the last look, in words.

import BinanceVenue
import BookEngine
import BookService
import DepthBook
import LobMetrics
import Logging
import MarketData

/// A symbol as of the last look.
struct WatchedSymbol {
    let name: SymbolName
    let readers: SymbolReaders
    var view = BookView()
    var status: SymbolStatus
    /// Whether `status` comes from the engine.
    var hasStatus: Bool { version != 0 }
    /// Depth updates applied per second, between the last two statuses; nil until there are two.
    var updatesPerSecond: Double?
    /// How late its updates arrived.
    var lag = LatencyHistogram()
    fileprivate var watch = BookMonitor()
    fileprivate var version: UInt64 = 0
    fileprivate var appliedAtNs: Int64 = 0

    fileprivate init(_ name: SymbolName, _ readers: SymbolReaders) {
        self.name = name
        self.readers = readers
        status = SymbolStatus(name)
    }
}

/// Looks at all symbols of a service and logs what has changed.
struct RunWatch {
    private(set) var symbols: [WatchedSymbol]
    /// Symbols that the venue does not have.
    var unknown = Set<SymbolName>()
    /// Whether any book was ever live.
    private(set) var wasAnyLive = false
    private var recentLag = LatencyHistogram()
    private let service: BookService
    private let market: Market
    private var isMarketDoubted = false

    /// This many messages, none of them understood, are no coincidence.
    private static let malformedMin = 20

    init(_ service: BookService) {
        self.service = service
        market = service.configuration.endpoints.market
        symbols = service.symbols.compactMap { name in
            service.readers(of: name).map { WatchedSymbol(name, $0) }
        }
    }

    /// Number of symbols in a state, among those that the venue has.
    func count(_ state: BookState) -> Int {
        symbols.reduce(0) { $0 + ($1.view.state == state && !unknown.contains($1.name) ? 1 : 0) }
    }

    /// Whether every book is live, among those that the venue has.
    var isComplete: Bool {
        let live = count(.live)
        return live > 0 && live == symbols.count { !unknown.contains($0.name) }
    }

    /// How late updates arrived since the last call.
    mutating func takeRecentLag() -> LatencyHistogram {
        defer { recentLag = LatencyHistogram() }
        return recentLag
    }

    /// Reads all statuses again and logs what has changed.
    mutating func look(_ logger: Logger) {
        for index in symbols.indices { look(index, logger) }
    }

    /// Checks whether what the shards receive can belong to the market at all; logs once if not.
    mutating func look(_ shards: [ShardStatus], _ logger: Logger) {
        let malformed = shards.reduce(0) { $0 + $1.engine.malformed }
        let events = shards.reduce(0) { $0 + $1.engine.depthUpdates }
        if events == 0 && malformed >= RunWatch.malformedMin {
            doubtMarket("no message parses as a depth update", logger)
        }
    }

    /// The outcome of each book at the end.
    func outcomes(_ books: [FinalBook]) -> [SymbolName: BookOutcome] {
        let nowNs = monotonicNs()
        let ends = Dictionary(books.map { ($0.status.symbol, $0.state) }, uniquingKeysWith: { $1 })
        let outcomes = symbols.map { symbol in
            (symbol.name, symbol.watch.outcome(ends[symbol.name] ?? symbol.view.state, atNs: nowNs))
        }
        return Dictionary(outcomes, uniquingKeysWith: { $1 })
    }

    private mutating func look(_ index: Int, _ logger: Logger) {
        let before = symbols[index]
        _ = before.readers.views.read(into: &symbols[index].view)
        let nowNs = monotonicNs()
        let view = symbols[index].view
        if view.state == .live { wasAnyLive = true }
        if view.state != .syncing && view.lastUpdateID != before.view.lastUpdateID {
            symbols[index].lag.add(ns: view.lagNs)
            recentLag.add(ns: view.lagNs)
        }
        var newStatus: SymbolStatus?
        let reading = before.readers.statuses.read(
            into: &symbols[index].status, ifNewerThan: before.version)
        if case .new(let version) = reading {
            let seconds = Double(nowNs - before.appliedAtNs) / 1e9
            let applied = symbols[index].status.counters.applied - before.status.counters.applied
            if before.appliedAtNs != 0 { symbols[index].updatesPerSecond = Double(applied) / seconds }
            symbols[index].version = version
            symbols[index].appliedAtNs = nowNs
            newStatus = symbols[index].status
        }
        for news in symbols[index].watch.look(symbols[index].view, newStatus, atNs: nowNs) {
            tell(news, symbols[index], logger)
        }
    }

    private mutating func tell(_ news: BookEvent, _ symbol: WatchedSymbol, _ logger: Logger) {
        var (level, message) = (Logger.Level.info, "")
        var facts: Logger.Metadata = ["symbol": "\(symbol.name)"]
        switch news {
        case .live(let id):
            message = "book is live"
            facts["updateId"] = number(id.value)
        case .liveAgain(let id, let afterMs):
            message = "book is live again"
            facts["updateId"] = number(id.value)
            facts["ms"] = number(afterMs)
        case .stale(let reason):
            (level, message) = (.warning, "book is stale")
            facts["reason"] = "\(reason)"
            facts["because"] = "\(reason.words)"
        case .mended(let gaps):
            (level, message) = (.warning, "updates were missing, and the book was repaired at once")
            facts[SymbolCounters[\.gaps].title] = number(gaps)
        case .unchained: return doubtMarket("no update follows the previous one", logger)
        case .auditAgreed: (level, message) = (.debug, "audit agrees")
        case .auditDiffered(let difference):
            (level, message) = (.error, "audit found a difference")
            if let difference { facts["difference"] = "\(difference.text)" }
        case .tickerContradicted:
            return tell(.ticker, "a ticker of the venue contradicts the book", symbol, logger)
        case .partialContradicted:
            return tell(.partialDepth, "a partial depth of the venue contradicts the book", symbol, logger)
        case .crossed: (level, message) = (.error, "the book crossed")
        case .behind: (level, message) = (.warning, "the book was behind a snapshot")
        case .rescaled: (level, message) = (.notice, "the venue prints other decimals")
        case .bufferOverflowed: (level, message) = (.warning, "too many updates are waiting for a snapshot")
        }
        logger.log(level: level, "\(message)", metadata: facts)
    }

    /// Reports a contradiction with both values, as soon as the book thread has delivered it.
    private func tell(
        _ check: VenueMismatch.Check, _ message: String, _ symbol: WatchedSymbol, _ logger: Logger
    ) {
        let name = symbol.name
        let isAsked = service.mismatches(of: name) { mismatches in
            let difference = mismatches.first { $0.check == check }?.text ?? "not kept"
            logger.error("\(message)", metadata: ["symbol": "\(name)", "difference": "\(difference)"])
        }
        if !isAsked { logger.error("\(message)", metadata: ["symbol": "\(name)"]) }
    }

    private mutating func doubtMarket(_ reason: String, _ logger: Logger) {
        if isMarketDoubted { return }
        isMarketDoubted = true
        logger.error(
            "the streams seem to be of another market",
            metadata: ["market": "\(market.name)", "reason": "\(reason)"])
    }
}
