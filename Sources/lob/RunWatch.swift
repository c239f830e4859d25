// What happened to the books since the last look, in words: the statuses of a service, compared with those
// of a second ago.

import BookEngine
import BookService
import DepthBook
import Logging
import MarketData

/// A symbol at the last look.
struct WatchedSymbol {
    let name: SymbolName
    let readers: SymbolReaders
    var view = BookView()
    var status: SymbolStatus
    /// Whether `status` is the engine's.
    var hasStatus: Bool { version != 0 }
    /// Depth events applied in a second, between the last two statuses; nil until there are two.
    var eventsPerSecond: Double?
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
    /// Symbols that have been live.
    private var wasLive: Set<SymbolName> = []

    init(_ service: BookService) {
        symbols = service.symbols.compactMap { name in
            service.readers(of: name).map { WatchedSymbol(name, $0) }
        }
    }

    /// Number of symbols in a state.
    func count(_ state: BookState) -> Int { symbols.reduce(0) { $0 + ($1.view.state == state ? 1 : 0) } }

    /// Reads everything anew; logs changes if a logger is given.
    mutating func look(_ logger: Logger?) {
        for index in symbols.indices { look(index, logger) }
    }

    private mutating func look(_ index: Int, _ logger: Logger?) {
        let before = symbols[index]
        _ = before.readers.views.read(into: &symbols[index].view)
        let reading = before.readers.statuses.read(
            into: &symbols[index].status, ifNewerThan: before.version)
        if case .new(let version) = reading {
            let nowNs = monotonicNs()
            let seconds = Double(nowNs - before.appliedAtNs) / 1e9
            let applied = symbols[index].status.counters.applied - before.status.counters.applied
            if before.appliedAtNs != 0 { symbols[index].eventsPerSecond = Double(applied) / seconds }
            symbols[index].version = version
            symbols[index].appliedAtNs = nowNs
        }
        guard let logger else { return }
        tellState(before, symbols[index], logger)
        tellFindings(before.status.counters, symbols[index], logger)
    }

    private mutating func tellState(_ old: WatchedSymbol, _ new: WatchedSymbol, _ logger: Logger) {
        if old.view.state == new.view.state && old.view.reason == new.view.reason { return }
        let name = new.name
        switch new.view.state {
        case .syncing: break
        case .live:
            let isFirst = wasLive.insert(name).inserted
            logger.info(
                isFirst ? "book is live" : "book is live again",
                metadata: ["symbol": "\(name)", "updateId": "\(new.view.lastUpdateID)"])
        case .stale:
            logger.warning("book is stale", metadata: ["symbol": "\(name)", "reason": "\(new.view.reason)"])
        }
    }

    private func tellFindings(_ old: SymbolCounters, _ symbol: WatchedSymbol, _ logger: Logger) {
        let new = symbol.status.counters
        let name: Logger.MetadataValue = "\(symbol.name)"
        if new.gaps > old.gaps {
            logger.warning(
                "events are missing", metadata: ["symbol": name, "gaps": "\(new.gaps - old.gaps)"])
        }
        if new.auditsCompared > old.auditsCompared {
            let disagreed = new.auditsCompared - new.auditsAgreed - (old.auditsCompared - old.auditsAgreed)
            if disagreed == 0 {
                logger.debug("audit agrees", metadata: ["symbol": name])
            } else {
                let what = symbol.status.lastDifference.map { "\($0)" } ?? "unknown"
                logger.error("audit found a difference", metadata: ["symbol": name, "difference": "\(what)"])
            }
        }
        if new.tickersCompared - new.tickersAgreed > old.tickersCompared - old.tickersAgreed {
            logger.error("a ticker of the venue contradicts the book", metadata: ["symbol": name])
        }
        if new.partialsCompared - new.partialsAgreed > old.partialsCompared - old.partialsAgreed {
            logger.error("a partial depth of the venue contradicts the book", metadata: ["symbol": name])
        }
        if new.crossings > old.crossings {
            logger.error("the book crossed", metadata: ["symbol": name])
        }
        if new.behind > old.behind {
            logger.warning("the book was behind a snapshot", metadata: ["symbol": name])
        }
        if new.rescales > old.rescales {
            logger.notice("the venue prints other decimals", metadata: ["symbol": name])
        }
        if new.bufferOverflows > old.bufferOverflows {
            logger.warning("too many events wait for a snapshot", metadata: ["symbol": name])
        }
    }
}
