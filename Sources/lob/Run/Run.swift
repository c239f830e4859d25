// Runs `lob run` and `lob demo`: starts a service, watches it and shuts it down in order.

import ArgumentParser
import BinanceVenue
import BookRecording
import BookServer
import BookService
import Glibc
import Logging
import MarketData
import SnapshotStore

/// Something that runs beside the service and has its own output, such as the exchange of `lob demo`.
struct RunCompanion {
    /// Called about ten times a second.
    var look: (BookService) -> Void = { _ in }
    /// Lines shown above the table of books.
    var lines: () -> [String] = { [] }
    /// Called when the run is told to stop: from then on the companion causes no more trouble. Returns how
    /// many nanoseconds the books need at most to recover; they are given that much time if they are not
    /// live.
    var calmDown: () -> Int64 = { 0 }
    /// The companion's own result; called once the books are closed.
    var verdict: () -> Verdict? = { nil }
    /// Whether the venue's clock is the clock of this machine.
    var isRealTime = true

    /// The result of a companion.
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
    private let limit: RunLimit
    /// Where to serve the books; nil if they are not served.
    var serving: BookServer.Options?
    /// Where to record; nil if nothing is recorded.
    var recording: RecorderOptions?
    /// Where to store snapshots, statistics and events; nil if nothing is stored.
    var keeping: StoreOptions?

    private static let lookIntervalUs: UInt32 = 100_000
    private static let drawEveryLooks = 3
    private static let secondEveryLooks = 10
    private static let logEveryLooks = 100
    private static let listAfterLooks = 10
    /// How many looks in a row must find everything well before the run may end: a lost update only shows
    /// when the next one arrives.
    private static let calmLooks = 10
    private static let rowCountMaxOnTerminal = 40

    init(
        _ configuration: ServiceConfiguration, _ options: BookOptions, _ console: Console, _ logger: Logger,
        title: String, limit: RunLimit, companion: RunCompanion = RunCompanion()
    ) {
        self.configuration = configuration
        self.options = options
        self.console = console
        self.logger = logger
        self.title = title
        self.limit = limit
        self.companion = companion
    }

    /// Runs to the end and prints the results.
    ///
    /// - Parameter list: the venue's list of symbols, if it has been fetched already.
    /// - Throws: `ExitCode` 1 if the run cannot start or its results cannot be written, 2 if something went
    ///   wrong.
    func run(list: ExchangeInfo? = nil) throws {
        let reporter = RunReporter(logger, configuration.endpoints.market)
        let service: BookService
        do throws(ServiceError) {
            service = try BookService(configuration) { reporter.tell($0) }
        } catch {
            printError("lob: \(error)")
            throw ExitCode(1)
        }
        let companions = try start(service)
        let listing = Listing(service.symbols, reporter)
        if let list { listing.set(.success(list), logger) }
        var looks = Looks(
            watch: RunWatch(service),
            screen: RunScreen(
                service, title: title, isRealTime: companion.isRealTime, isLive: console.isLive),
            isListed: list != nil)
        var futility: String?
        while !limit.isOver && futility == nil {
            look(service, listing, &looks)
            if StopSignals.takeSaving() { companions.store?.saveAll() }
            if let server = companions.server { reloadIfAsked(server) }
            futility = self.futility(listing, reporter, looks)
        }
        if futility == nil { calmDown(service, listing, &looks) }
        logger.info("stopping")
        let shards = service.shardStatuses
        let (books, kept) = stop(service, companions)
        if let futility {
            printError("lob: \(futility)")
            throw ExitCode(1)
        }
        var summary = RunSummary(
            market: configuration.endpoints.market, books: books, shards: shards, watch: looks.watch,
            elapsedNs: limit.clock.elapsedNs, decimals: listing.decimals, isRealTime: companion.isRealTime)
        summary.storeTrouble = kept?.trouble
        try print(summary)
        let verdict = companion.verdict()
        if let verdict { tell(verdict) }
        console.clear()
        if summary.hasMismatch || summary.isIncomplete || verdict?.isMismatch == true { throw ExitCode(2) }
        if summary.storeTrouble != nil { throw ExitCode(1) }
    }

    /// What runs beside the service.
    private struct Companions {
        var recorder: BookRecorder?
        var store: BookStore?
        var server: BookServer?
    }

    /// Starts everything that runs beside the service; if one part cannot start, those already started are
    /// stopped.
    private func start(_ service: BookService) throws -> Companions {
        var companions = Companions()
        do {
            companions.recorder = try record(service)
            companions.store = try keep(service)
            companions.server = try serve(service)
        } catch {
            _ = stop(service, companions)
            throw error
        }
        return companions
    }

    /// Stops everything, in an order in which nothing is lost.
    ///
    /// - Returns: the final books, and the totals of the store.
    private func stop(
        _ service: BookService, _ companions: Companions
    ) -> (books: [FinalBook], kept: StoreEnd?) {
        companions.server?.stop()
        // The store goes before the service: its last snapshots must be of live books.
        companions.store?.leave()
        let books = service.stop()
        // The recorder stops after the service, so that the recording has the last frames and the store the
        // last counts.
        let recorded = companions.recorder?.stop()
        let kept = companions.store?.stop(books)
        console.clear()
        service.publicationTimes.facts.map { logger.info("received to published", metadata: $0) }
        if let recorded { logger.info("\(recorded.text)") }
        if let trouble = kept?.trouble { logger.error("\(trouble)") }
        return (books, kept)
    }

    /// Starts the recorder, if one was asked for.
    private func record(_ service: BookService) throws -> BookRecorder? {
        guard let recording else { return nil }
        do throws(RecorderError) {
            return try BookRecorder.start(service, recording, logger)
        } catch {
            printError("lob: \(error)")
            throw ExitCode(1)
        }
    }

    /// Starts the store, if one was asked for.
    private func keep(_ service: BookService) throws -> BookStore? {
        guard let keeping else { return nil }
        do throws(StoreError) {
            return try BookStore.start(service, keeping, logger)
        } catch {
            printError("lob: cannot keep snapshots: \(error)")
            throw ExitCode(1)
        }
    }

    /// Starts the server, if one was asked for.
    private func serve(_ service: BookService) throws -> BookServer? {
        guard var serving else { return nil }
        serving.history = keeping.map { StoreHistory.provider(of: $0.path) }
        do throws(BookServer.StartError) {
            let server = try BookServer(service, serving)
            let host =
                serving.address?.contains(":") == true ? "[\(serving.address!)]" : serving.address ?? ""
            let secure = serving.tls == nil ? "" : "s"
            logger.info(
                "serving",
                metadata: [
                    "rest": "http\(secure)://\(host):\(server.port)",
                    "streams": "ws\(secure)://\(host):\(server.port)",
                    "dashboard": "http\(secure)://\(host):\(server.port)/",
                ])
            return server
        } catch {
            printError("lob: cannot serve: \(error)")
            throw ExitCode(1)
        }
    }

    /// Reloads the certificate after SIGHUP.
    private func reloadIfAsked(_ server: BookServer) {
        if !StopSignals.takeReload() { return }
        let isAccepted = server.reloadIdentity { [logger] failure in
            if let failure {
                logger.error("the certificate stays as it was", metadata: ["reason": "\(failure)"])
            } else {
                logger.info("the certificate was read again; new connections get it")
            }
        }
        if !isAccepted { logger.error("the certificate stays as it was", metadata: ["reason": "too busy"]) }
    }

    private func print(_ summary: RunSummary) throws {
        if options.json {
            try Output.print(summary.books.map(summary.json).joined(separator: "\n"))
        } else {
            try Output.print(summary.table(rowCountMax: isatty(1) == 1 ? Run.rowCountMaxOnTerminal : .max))
        }
    }

    /// Why the run cannot succeed; nil while it still can, and for good once any book has been live.
    private func futility(_ listing: Listing, _ reporter: RunReporter, _ looks: Looks) -> String? {
        if looks.watch.wasAnyLive { return nil }
        let market = configuration.endpoints.market.name
        let unknown = listing.unknownSymbols
        if looks.watch.symbols.allSatisfy({ unknown.contains($0.name) }) {
            let names = looks.watch.symbols.prefix(8).map { "\($0.name)" }.joined(separator: " ")
            let more = looks.watch.symbols.count > 8 ? " …" : ""
            return "\(market) has no such symbol: \(names)\(more)"
        }
        if listing.isPathUnknown && reporter.isPathRefused {
            return
                "the server knows no path of \(market): it is of another market, or the URL has a path too "
                + "much"
        }
        return nil
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

    /// State kept between looks.
    private struct Looks {
        var watch: RunWatch
        var screen: RunScreen
        var isListed: Bool
        var count = 0
        var wasComplete = false
    }

    /// Gives the books time to recover from what the companion did to them. A second signal ends the wait.
    private func calmDown(_ service: BookService, _ listing: Listing, _ looks: inout Looks) {
        let limitNs = companion.calmDown()
        if limitNs == 0 { return }
        let wasRaised = StopSignals.isRaised
        let clock = Stopwatch()
        logger.info(
            "no more faults; the books have time to come back, and Ctrl-C ends that",
            metadata: [
                "live": number(looks.watch.count(.live)), "symbols": number(looks.watch.symbols.count),
                "secondsAtMost": number(limitNs / 1_000_000_000),
            ])
        var calm = 0
        while calm < Run.calmLooks && clock.elapsedNs < limitNs && StopSignals.isRaised == wasRaised {
            look(service, listing, &looks)
            calm = looks.watch.isComplete ? calm + 1 : 0
        }
    }

    /// Waits a tenth of a second, then looks at everything.
    private func look(_ service: BookService, _ listing: Listing, _ looks: inout Looks) {
        usleep(Run.lookIntervalUs)
        looks.count += 1
        looks.watch.unknown = listing.unknownSymbols
        looks.watch.look(logger)
        companion.look(service)
        let isComplete = looks.watch.isComplete
        if isComplete && !looks.wasComplete {
            looks.wasComplete = true
            logger.info(
                "all books are live",
                metadata: [
                    "symbols": number(looks.watch.count(.live)),
                    "seconds": number(Double(limit.clock.elapsedNs) / 1e9, decimals: 2),
                ])
        }
        // Only after the first snapshot requests, because the list is long.
        if !looks.isListed && (isComplete || looks.count >= Run.listAfterLooks) {
            looks.isListed = service.fetchExchangeInfo { [logger] in listing.set($0, logger) }
        }
        if looks.count % Run.secondEveryLooks == 0 {
            looks.watch.look(service.shardStatuses, logger)
            looks.screen.measure(&looks.watch)
        }
        if console.isLive && looks.count % Run.drawEveryLooks == 0 { draw(listing, &looks) }
        if !console.isLive && looks.count % Run.logEveryLooks == 0 { logProgress(service, &looks) }
    }

    private func draw(_ listing: Listing, _ looks: inout Looks) {
        var size = Console.pictureSize
        let extra = companion.lines().flatMap { [columns = size.columns] in wrapped($0, columnsMax: columns) }
        size.rows -= extra.count
        console.draw(extra + looks.screen.lines(looks.watch, size, decimals: listing.decimals))
    }

    private func logProgress(_ service: BookService, _ looks: inout Looks) {
        let watch = looks.watch
        var facts: Logger.Metadata = [
            "seconds": number(limit.clock.elapsedNs / 1_000_000_000), "symbols": number(watch.symbols.count),
            "live": number(watch.count(.live)), "stale": number(watch.count(.stale)),
            "syncing": number(watch.count(.syncing)),
            "messagesPerSecond": number(Int(looks.screen.messagesPerSecond ?? 0)),
        ]
        if !watch.unknown.isEmpty { facts["unknown"] = number(watch.unknown.count) }
        let lag = looks.watch.takeRecentLag()
        if companion.isRealTime, let medianNs = lag.medianNs, let worstNs = lag.worstNs {
            facts["lagMedianMs"] = number(Double(medianNs) / 1e6, decimals: 1)
            facts["lagWorstMs"] = number(Double(worstNs) / 1e6, decimals: 1)
        }
        if let wait = service.fetcherStatus.waitText(nowMs: wallClockUs() / 1000) {
            facts["waitsFor"] = "\(wait)"
        }
        logger.info("running", metadata: facts)
    }
}
