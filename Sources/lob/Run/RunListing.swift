// The venue's list of symbols: which there are, whether they trade, and how many decimals of a price are
// worth showing.

import ArgumentParser
import BinanceVenue
import BookService
import DepthFeed
import LobTransport
import Logging
import MarketData
import Synchronization

/// How long a run may last: until a signal comes, or its seconds are over. Counted from its making.
struct RunLimit {
    let clock = Stopwatch()
    private let endsAtNs: Int64

    init(seconds: Double?) { endsAtNs = seconds.map { Int64($0 * 1e9) } ?? .max }

    var isOver: Bool { StopSignals.isRaised || clock.elapsedNs >= endsAtNs }
}

/// What the list says of the symbols of a run, once it is there.
final class Listing: Sendable {
    private struct Known: Sendable {
        var decimals: [SymbolName: Int] = [:]
        /// Those that are not on it; nil before it is there.
        var missing: Set<SymbolName>?
        var isPathUnknown = false
    }

    private let known = Mutex(Known())
    private let wanted: [SymbolName]
    private let teller: Teller

    /// Nothing is known yet of these symbols.
    init(_ wanted: [SymbolName], _ teller: Teller) { (self.wanted, self.teller) = (wanted, teller) }

    /// Decimals of each symbol's tick.
    var decimals: [SymbolName: Int] { known.withLock { $0.decimals } }

    /// Symbols that the venue does not have: by its list, or until that is there by its answers.
    var unknownSymbols: Set<SymbolName> { known.withLock { $0.missing } ?? teller.unknownSymbols }

    /// Whether the server has no such list, as one of another market.
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
        // A list without symbols is not one.
        if info.symbols.isEmpty { return }
        let facts = Dictionary(info.symbols.map { ($0.symbol, $0) }, uniquingKeysWith: { first, _ in first })
        let missing = wanted.filter { facts[$0] == nil }
        known.withLock { known in
            known.decimals = facts.compactMapValues { $0.tickSize.map(Listing.decimals(of:)) }
            known.missing = Set(missing)
        }
        for symbol in missing { teller.tellUnknown(symbol) }
        for symbol in wanted {
            guard let status = facts[symbol]?.status, status != "TRADING" else { continue }
            logger.warning(
                "the symbol does not trade now", metadata: ["symbol": "\(symbol)", "status": "\(status)"])
        }
    }

    /// Decimals of a tick such as `0.01000000`: 2.
    private static func decimals(of tick: String) -> Int {
        guard let point = tick.firstIndex(of: ".") else { return 0 }
        var fraction = tick[tick.index(after: point)...]
        while fraction.last == "0" { fraction.removeLast() }
        return fraction.count
    }
}

/// The list of symbols of a market, by requests on this thread, which are repeated until one succeeds or the
/// run is over.
///
/// - Throws: `ExitCode` 1 if it will not come or has not come; the reason has then been reported.
func fetchList(
    _ endpoints: Endpoints, _ options: EventLoop.Options, _ limit: RunLimit, _ logger: Logger
) throws -> ExchangeInfo {
    let loop = try EventLoop(options)
    defer { loop.close() }
    var answer: Result<ExchangeInfo, ExchangeInfoError>?
    let teller = Teller(logger, endpoints.market)
    var fetcherOptions = SnapshotFetcher.Options()
    fetcherOptions.listAttemptsMax = .max
    let fetcher = try SnapshotFetcher(
        [endpoints], on: loop, options: fetcherOptions, deliver: { _ in true },
        report: { teller.tell(.fetcher($0)) })
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
