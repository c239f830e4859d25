// The life of `lob run` and `lob demo`: a service, somebody who watches it, an orderly end.

import ArgumentParser
import BinanceDepth
import BookService
import DepthFeed
import Glibc
import Logging
import MarketData
import Recording
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
    /// Called when the run is told to stop: from here on it causes no more trouble. The books are then given
    /// the time in nanoseconds that it returns to come back, if they need any.
    var calmDown: () -> Int64 = { 0 }
    /// What came of it; called when the books are closed.
    var verdict: () -> Verdict? = { nil }
    /// Whether the venue's times are those of this machine.
    var isRealTime = true

    /// What came of it.
    struct Verdict {
        var text: String
        var facts: Logger.Metadata
        var isMismatch: Bool
    }
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
    private static let secondEveryLooks = 10
    private static let logEveryLooks = 100
    private static let listAfterLooks = 50
    /// So long everything must stand well before it is over: what was lost shows with the next event.
    private static let calmLooks = 10
    private static let rowCountMaxOnTerminal = 40

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
        let service: BookService
        do throws(ServiceError) {
            let teller = Teller(logger, configuration.endpoints.market)
            service = try BookService(configuration) { teller.tell($0) }
        } catch {
            printError("lob: \(error)")
            throw ExitCode(1)
        }
        let clock = Stopwatch()
        let listing = Listing(service.symbols)
        var looks = Looks(
            watch: RunWatch(service),
            screen: RunScreen(service, title: title, isRealTime: companion.isRealTime))
        let endsAtNs = saturated((options.seconds ?? 1e9) * 1e9)
        while !StopSignals.isRaised && clock.elapsedNs < endsAtNs { look(service, clock, listing, &looks) }
        calmDown(service, clock, listing, &looks)
        logger.info("stopping")
        let lanes = service.laneStatuses
        let books = service.stop()
        console.clear()
        let summary = RunSummary(
            market: configuration.endpoints.market, books: books, lanes: lanes,
            outcomes: looks.watch.outcomes(books), elapsedNs: clock.elapsedNs, decimals: listing.decimals)
        if options.json {
            for book in books { print(summary.json(book)) }
        } else {
            print(summary.table(rowCountMax: isatty(1) == 1 ? Run.rowCountMaxOnTerminal : .max))
        }
        let verdict = companion.verdict()
        if let verdict { tell(verdict) }
        if summary.hasMismatch || summary.isIncomplete || verdict?.isMismatch == true { throw ExitCode(2) }
    }

    private func tell(_ verdict: RunCompanion.Verdict) {
        switch options.logFormat {
        case .text: printError(verdict.text)
        case .json:
            logger.log(
                level: verdict.isMismatch ? .error : .info, "compared with the exchange's own books",
                metadata: verdict.facts)
        }
    }

    /// What is kept from look to look.
    private struct Looks {
        var watch: RunWatch
        var screen: RunScreen
        var count = 0
        var wasComplete = false
        var isListed = false
    }

    /// Gives the books time to come back from what the companion did to them. A further signal ends that.
    private func calmDown(
        _ service: BookService, _ clock: Stopwatch, _ listing: Listing, _ looks: inout Looks
    ) {
        let limitNs = companion.calmDown()
        if limitNs == 0 { return }
        let wasRaised = StopSignals.isRaised
        let endsAtNs = clock.elapsedNs + limitNs
        logger.info(
            "no more faults; the books have time to come back, and Ctrl-C ends that",
            metadata: [
                "live": number(looks.watch.count(.live)), "symbols": number(looks.watch.symbols.count),
                "secondsAtMost": number(limitNs / 1_000_000_000),
            ])
        var calm = 0
        while calm < Run.calmLooks && clock.elapsedNs < endsAtNs && StopSignals.isRaised == wasRaised {
            look(service, clock, listing, &looks)
            calm = looks.watch.isComplete ? calm + 1 : 0
        }
    }

    /// A tenth of a second, and a look at everything behind it.
    private func look(
        _ service: BookService, _ clock: Stopwatch, _ listing: Listing, _ looks: inout Looks
    ) {
        usleep(Run.lookIntervalUs)
        looks.count += 1
        looks.watch.look(logger)
        companion.look(service)
        let isComplete = looks.watch.isComplete
        if isComplete && !looks.wasComplete {
            looks.wasComplete = true
            logger.info(
                "all books are live",
                metadata: [
                    "symbols": number(looks.watch.symbols.count),
                    "seconds": number(Double(clock.elapsedNs) / 1e9, decimals: 2),
                ])
        }
        // Not before the books: the list is long, and until the venue has served one request there is no
        // other.
        if !looks.isListed && (isComplete || looks.count >= Run.listAfterLooks) {
            looks.isListed = service.fetchExchangeInfo { [logger] in listing.set($0, logger) }
        }
        if looks.count % Run.secondEveryLooks == 0 {
            looks.watch.look(service.laneStatuses, logger)
            looks.screen.measure()
        }
        if console.isLive && looks.count % Run.drawEveryLooks == 0 { draw(listing, &looks) }
        if !console.isLive && looks.count % Run.logEveryLooks == 0 { logProgress(clock, looks) }
    }

    private func draw(_ listing: Listing, _ looks: inout Looks) {
        var size = Console.pictureSize
        let extra = companion.lines().flatMap { [columns = size.columns] in wrapped($0, columnsMax: columns) }
        size.rows -= extra.count
        console.draw(extra + looks.screen.lines(looks.watch, size, decimals: listing.decimals))
    }

    private func logProgress(_ clock: Stopwatch, _ looks: Looks) {
        let watch = looks.watch
        logger.info(
            "running",
            metadata: [
                "seconds": number(clock.elapsedNs / 1_000_000_000), "symbols": number(watch.symbols.count),
                "live": number(watch.count(.live)), "stale": number(watch.count(.stale)),
                "syncing": number(watch.count(.syncing)),
                "messagesPerSecond": number(Int(looks.screen.messagesPerSecond ?? 0)),
            ])
    }
}

/// Writes events of a service to a log, at the level they deserve. For all threads of the service.
private final class Teller: Sendable {
    private let logger: Logger
    private let market: Market
    private let unknown = Mutex<Set<SymbolName>>([])
    private let isMarketDoubted = Atomic<Bool>(false)

    init(_ logger: Logger, _ market: Market) { (self.logger, self.market) = (logger, market) }

    func tell(_ event: ServiceEvent) {
        var level = level(event)
        switch event {
        case .desk(.snapshotFailed(let key, .unknownSymbol)):
            // It is asked for again and again, in case it is listed one day; once is enough to be told.
            if !unknown.withLock({ $0.insert(key.symbol).inserted }) { return }
        case .desk(.snapshotFailed(_, .refused(status: 404, _))):
            doubtMarket()
            level = .debug
        case .feed(_, .ended(_, let end)) where end.error == .upgradeRefused(status: 404): doubtMarket()
        case .desk, .feed, .notPinned: break
        }
        logger.log(level: level, "\(event.message)", metadata: metadata(event.facts))
    }

    /// A server that has no such path is told of once.
    private func doubtMarket() {
        if isMarketDoubted.exchange(true, ordering: .relaxed) { return }
        logger.error(
            "the server seems to be of another market: it knows no such path",
            metadata: ["market": "\(market.name)", "status": number(404)])
    }
}

/// Facts as metadata.
private func metadata(_ facts: [EventFact]) -> Logger.Metadata {
    let pairs = facts.map { fact in
        switch fact.value {
        case .number(let value): (fact.name, number(value))
        case .text(let text): (fact.name, Logger.Metadata.Value.string(text))
        }
    }
    return Logger.Metadata(pairs, uniquingKeysWith: { $1 })
}

private func level(_ event: ServiceEvent) -> Logger.Level {
    switch event {
    case .notPinned: .warning
    case .feed(_, let inner), .desk(let inner): level(inner)
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
        case .failure(let error): logger.notice("no list of symbols", metadata: ["reason": "\(error)"])
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
    let teller = Teller(logger, endpoints.market)
    let desk = try SnapshotDesk(
        [endpoints], on: loop, deliver: { _ in true }, report: { teller.tell(.desk($0)) })
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
        if case .refused(status: 404, _) = error {
            printError("lob: the server seems to be of another market than \(endpoints.market.name)")
        }
        throw ExitCode(1)
    case nil: throw ExitCode(1)
    }
}
