// The venue's list of symbols: which exist, whether they trade, and how many price decimals are worth
// showing.

import ArgumentParser
import BinanceVenue
import BookService
import DepthFeed
import LobTransport
import Logging
import MarketData
import Synchronization

/// How long a run may last: until a signal arrives or its seconds, counted from when the value is made, are
/// over.
struct RunLimit {
    let clock = Stopwatch()
    private let endsAtNs: Int64

    init(seconds: Double?) { endsAtNs = seconds.map { Int64($0 * 1e9) } ?? .max }

    var isOver: Bool { StopSignals.isRaised || clock.elapsedNs >= endsAtNs }
}

/// What the venue's list says about the symbols of a run, once the list has arrived.
final class Listing: Sendable {
    private struct Known: Sendable {
        var decimals: [SymbolName: Int] = [:]
        /// Symbols that are not on the list; nil before it has arrived.
        var missing: Set<SymbolName>?
        var isPathUnknown = false
    }

    private let known = Mutex(Known())
    private let wanted: [SymbolName]
    private let reporter: RunReporter

    /// Starts out with nothing known about these symbols.
    init(_ wanted: [SymbolName], _ reporter: RunReporter) {
        (self.wanted, self.reporter) = (wanted, reporter)
    }

    /// Decimals of each symbol's tick size.
    var decimals: [SymbolName: Int] { known.withLock { $0.decimals } }

    /// Symbols that the venue does not have, by its list or, until the list has arrived, by its answers to
    /// requests.
    var unknownSymbols: Set<SymbolName> { known.withLock { $0.missing } ?? reporter.unknownSymbols }

    /// Whether the server has no such path, as a server for another market has none.
    var isPathUnknown: Bool { known.withLock { $0.isPathUnknown } }

    /// Thread: the fetcher's.
    func set(_ result: Result<ExchangeInfo, ExchangeInfoError>, _ logger: Logger) {
        switch result {
        case .success(let info): take(info, logger)
        case .failure(.stopped): break
        case .failure(let error):
            if case .refused(status: 404, _) = error { known.withLock { $0.isPathUnknown = true } }
            logger.warning("no list of symbols", metadata: ["reason": "\(error)"])
        }
    }

    private func take(_ info: ExchangeInfo, _ logger: Logger) {
        // A list without symbols is no answer.
        if info.symbols.isEmpty { return }
        let facts = Dictionary(info.symbols.map { ($0.symbol, $0) }, uniquingKeysWith: { first, _ in first })
        let missing = wanted.filter { facts[$0] == nil }
        known.withLock { known in
            known.decimals = facts.compactMapValues { $0.tickSize.map(Listing.decimals(of:)) }
            known.missing = Set(missing)
        }
        for symbol in missing { reporter.tellUnknown(symbol) }
        for symbol in wanted {
            guard let status = facts[symbol]?.status, status != "TRADING" else { continue }
            logger.warning(
                "the symbol does not trade now", metadata: ["symbol": "\(symbol)", "status": "\(status)"])
        }
    }

    /// Decimals of a tick size: 2 for `0.01000000`.
    private static func decimals(of tick: String) -> Int {
        guard let point = tick.firstIndex(of: ".") else { return 0 }
        var fraction = tick[tick.index(after: point)...]
        while fraction.last == "0" { fraction.removeLast() }
        return fraction.count
    }
}

/// The symbols that trade. One whose streams are called like those of an earlier one is left out, which is
/// logged.
func tradingSymbols(of info: ExchangeInfo, _ logger: Logger) -> [SymbolName] {
    let (symbols, leftOut) = info.tradingSymbols
    for (symbol, owner) in leftOut {
        logger.warning(
            "left out: its streams are called like those of another symbol",
            metadata: ["symbol": "\(symbol)", "other": "\(owner)"])
    }
    return symbols
}

extension ExchangeInfo {
    /// The symbols that trade, without those whose streams belong to an earlier one.
    var tradingSymbols: (symbols: [SymbolName], leftOut: [(symbol: SymbolName, owner: SymbolName)]) {
        var owners = StreamOwners()
        var symbols: [SymbolName] = []
        var leftOut: [(symbol: SymbolName, owner: SymbolName)] = []
        for symbol in self.symbols where symbol.isTrading {
            if let owner = owners.add(symbol.symbol) {
                if owner != symbol.symbol { leftOut.append((symbol.symbol, owner)) }
            } else {
                symbols.append(symbol.symbol)
            }
        }
        return (symbols, leftOut)
    }
}

/// Fetches the list of symbols of a market on this thread, retrying until a request succeeds or the run is
/// over.
///
/// - Throws: `ExitCode` 1 if the list cannot be fetched or did not arrive in time; the reason has then been
///   reported.
func fetchList(
    _ endpoints: Endpoints, _ options: EventLoop.Options, _ limit: RunLimit, _ logger: Logger
) throws -> ExchangeInfo {
    logger.info("fetching the list of symbols", metadata: ["from": "\(endpoints.restBase)"])
    let loop = try EventLoop(options)
    defer { loop.close() }
    var answer: Result<ExchangeInfo, ExchangeInfoError>?
    let reporter = RunReporter(logger, endpoints.market)
    var fetcherOptions = SnapshotFetcher.Options()
    fetcherOptions.listAttemptsMax = .max
    let fetcher = try SnapshotFetcher(
        [endpoints], on: loop, options: fetcherOptions, deliver: { _ in true },
        report: { reporter.tell(.fetcher($0)) })
    fetcher.fetchExchangeInfo(endpoints.market) { if answer == nil { answer = $0 } }
    var toldAtNs: Int64 = 0
    while answer == nil && !limit.isOver {
        loop.turn(waitAtMostNs: 100_000_000)
        if limit.clock.elapsedNs - toldAtNs < 10_000_000_000 { continue }
        toldAtNs = limit.clock.elapsedNs
        logger.info(
            "waiting for the list of symbols", metadata: ["seconds": number(toldAtNs / 1_000_000_000)])
    }
    let end = answer
    fetcher.stop()
    switch end {
    case .success(let info): return info
    case .failure(let error):
        printError("lob: no list of symbols from \(endpoints.restBase): \(error)")
        if case .refused(status: 404, _) = error {
            printError(
                "lob: the server is of another market than \(endpoints.market.name), or the URL has a path "
                    + "too much")
        }
    case nil: printError("lob: the run was over before the list of symbols came from \(endpoints.restBase)")
    }
    throw ExitCode(1)
}
