// The life of `lob run` and `lob demo`: a service, somebody who watches it, an orderly end.

import ArgumentParser
import BinanceDepth
import BookService
import DepthFeed
import Glibc
import Logging
import MarketData
import Synchronization
import Transport

/// The logger of a command that keeps books.
func makeLogger(_ console: Console, _ options: BookOptions) -> Logger {
    Logger(label: "lob") { _ in
        RunLogHandler(console: console, format: options.logFormat, logLevel: options.logLevel.level)
    }
}

/// Who goes along with a run and has something to show of its own.
struct RunCompanion {
    /// Called about ten times a second.
    var look: (BookService) -> Void = { _ in }
    /// Lines above the picture.
    var lines: () -> [String] = { [] }
    /// What came of it, and whether that is a mismatch; called when the books are closed.
    var verdict: () -> (text: String, isMismatch: Bool)? = { nil }
    /// Whether the venue's times are those of this machine.
    var isRealTime = true
}

/// Keeps books until it is told to stop.
struct Run {
    private let configuration: ServiceConfiguration
    private let options: BookOptions
    private let console: Console
    private let logger: Logger
    private let title: String
    private let companion: RunCompanion

    private static let lookIntervalUs: UInt32 = 100_000
    private static let drawEveryLooks = 3
    private static let logEveryLooks = 100
    private static let listAfterLooks = 50

    init(
        _ configuration: ServiceConfiguration, _ options: BookOptions, _ console: Console, _ logger: Logger,
        title: String, companion: RunCompanion = RunCompanion()
    ) {
        self.configuration = configuration
        self.options = options
        self.console = console
        self.logger = logger
        self.title = title
        self.companion = companion
    }

    /// Runs to the end and prints what came of it.
    ///
    /// - Throws: `ExitCode` 1 if it cannot start, 2 if something was wrong.
    func run() throws {
        let logger = logger
        let service: BookService
        do throws(ServiceError) {
            service = try BookService(configuration) { [teller = Teller(logger)] in teller.tell($0) }
        } catch {
            printError("lob: \(error)")
            throw ExitCode(1)
        }
        let clock = Stopwatch()
        let listing = Listing(service.symbols)
        watch(service, clock, listing)
        logger.info("stopping")
        let lanes = service.laneStatuses
        let books = service.stop()
        console.clear()
        let summary = RunSummary(
            market: configuration.endpoints.market, books: books, lanes: lanes, elapsedNs: clock.elapsedNs,
            decimals: listing.decimals)
        if options.json {
            for book in books { print(summary.json(book)) }
        } else {
            print(summary.table)
        }
        let verdict = companion.verdict()
        if let verdict { printError(verdict.text) }
        if summary.hasMismatch || summary.isIncomplete || verdict?.isMismatch == true { throw ExitCode(2) }
    }

    private func watch(_ service: BookService, _ clock: Stopwatch, _ listing: Listing) {
        var watch = RunWatch(service)
        var screen = RunScreen(service, title: title, isRealTime: companion.isRealTime)
        var looks = 0
        var wasComplete = false
        var isListed = false
        while !StopSignals.isRaised && clock.elapsedNs < Int64((options.seconds ?? 1e9) * 1e9) {
            usleep(Run.lookIntervalUs)
            looks += 1
            watch.look(logger)
            companion.look(service)
            let isComplete = watch.count(.live) == watch.symbols.count
            if isComplete && !wasComplete {
                wasComplete = true
                logger.info(
                    "all books are live",
                    metadata: [
                        "symbols": "\(watch.symbols.count)",
                        "seconds": "\(fixed(Double(clock.elapsedNs) / 1e9, 2))",
                    ])
            }
            // Not before the books: the list is long, and until the venue has served one request there is no
            // other.
            if !isListed && (isComplete || looks >= Run.listAfterLooks) {
                isListed = service.fetchExchangeInfo { [logger] in listing.set($0, logger) }
            }
            screen.measure()
            if console.isLive && looks % Run.drawEveryLooks == 0 {
                var size = Console.pictureSize
                let extra = companion.lines().flatMap { [columns = size.columns] in
                    wrapped($0, columnsMax: columns)
                }
                size.rows -= extra.count
                console.draw(extra + screen.lines(watch, size, decimals: listing.decimals))
            } else if !console.isLive && looks % Run.logEveryLooks == 0 {
                logger.info(
                    "\(watch.count(.live)) of \(watch.symbols.count) live",
                    metadata: ["messagesPerSecond": "\(rounded(screen.messagesPerSecond ?? 0))"])
            }
        }
    }
}

/// Writes events of a service to a log, at the level they deserve. For all threads of the service.
private final class Teller: Sendable {
    private let logger: Logger
    private let unknown = Mutex<Set<SymbolName>>([])

    init(_ logger: Logger) { self.logger = logger }

    func tell(_ event: ServiceEvent) {
        switch event {
        case .notPinned: logger.warning("\(event)")
        case .feed(let lane, let inner):
            logger.log(level: level(inner), "\(inner)", metadata: ["lane": "\(lane)"])
        case .desk(.snapshotFailed(let key, .unknownSymbol)):
            // It is asked for again and again, in case it is listed one day; once is enough to be told.
            if !unknown.withLock({ $0.insert(key.symbol).inserted }) { return }
            logger.error("the market has no such symbol", metadata: ["symbol": "\(key.symbol)"])
        case .desk(let inner): logger.log(level: level(inner), "\(inner)")
        }
    }
}

private func level(_ event: FeedEvent) -> Logger.Level {
    switch event {
    case .life(.subscribed), .opened, .exchangeInfo: .info
    case .life(.waiting), .dialling: .debug
    case .life(.replacing), .life(.resubscribing), .shutdownAnnounced, .ended: .notice
    case .life(.refused), .life(.unanswered), .life(.notOpened), .unreadable, .dropped, .limited,
        .snapshotRetried, .exchangeInfoRetried:
        .warning
    case .snapshotTooLong, .snapshotFailed: .error
    }
}

/// Price decimals worth showing, once the venue's list of symbols is there.
final class Listing: Sendable {
    private let known = Mutex<[SymbolName: Int]>([:])
    private let wanted: [SymbolName]

    /// Nothing is known yet of these symbols.
    init(_ wanted: [SymbolName]) { self.wanted = wanted }

    /// Decimals of each symbol's tick.
    var decimals: [SymbolName: Int] { known.withLock { $0 } }

    /// Thread: the desk's.
    func set(_ result: Result<ExchangeInfo, ExchangeInfoError>, _ logger: Logger) {
        switch result {
        case .success(let info):
            let ticks = info.symbols.compactMap { facts in
                facts.tickSize.map { (facts.symbol, Listing.decimals(of: $0)) }
            }
            known.withLock { $0 = Dictionary(ticks, uniquingKeysWith: { first, _ in first }) }
            let statuses = Dictionary(
                info.symbols.map { ($0.symbol, $0.status) }, uniquingKeysWith: { first, _ in first })
            for symbol in wanted {
                if let status = statuses[symbol], status != "TRADING" {
                    logger.warning(
                        "the symbol does not trade now",
                        metadata: ["symbol": "\(symbol)", "status": "\(status)"])
                }
            }
        case .failure(let error): logger.notice("no list of symbols: \(error)")
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

/// All symbols that trade on a market, by a request on this thread.
func allSymbols(
    _ endpoints: Endpoints, _ options: EventLoop.Options, _ logger: Logger
) throws -> [SymbolName] {
    let loop = try EventLoop(options)
    defer { loop.close() }
    var answer: Result<ExchangeInfo, ExchangeInfoError>?
    let desk = try SnapshotDesk(
        [endpoints], on: loop, deliver: { _ in true }, report: { logger.info("\($0)") })
    desk.fetchExchangeInfo(endpoints.market) { answer = $0 }
    while answer == nil && !StopSignals.isRaised { loop.turn(waitAtMostNs: 100_000_000) }
    desk.stop()
    switch answer {
    case .success(let info):
        let names = info.symbols.filter(\.isTrading).map(\.symbol)
        if names.isEmpty {
            printError("lob: no symbol trades on \(endpoints.market.name)")
            throw ExitCode(1)
        }
        return names
    case .failure(let error):
        printError("lob: no list of symbols from \(endpoints.restBase): \(error)")
        throw ExitCode(1)
    case nil: throw ExitCode(1)
    }
}
