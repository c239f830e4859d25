// `lob demo`: a simulated exchange and live books of it in one process, on loopback. It does what no real
// venue allows: it compares the books with the exchange's own.

import ArgumentParser
import BinanceVenue
import BookService
import ExchangeServer
import FeedPlan
import Glibc
import LobHandoff
import LobTransport
import Logging
import MarketData
import SimulatedExchange
import Synchronization

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Live books of a simulated exchange, with no network.",
        discussion: """
            Starts the exchange of 'lob exchange' on a free loopback port, with faults, and 'lob run' \
            against it. Ten times a second a book is compared level by level with the exchange's own at \
            the same update id. The log gives the address of the dashboard.

            Ctrl-C or --seconds ends the faults; the books then have some time to recover, at most 15 s \
            beyond --silence and usually a second, before they are judged.

            \(RunScreen.legend)

            \(faultLegend)

            Exit status: 0 everything was equal; 1 it could not start; 2 a book differed, or did not recover \
            after the faults; 64 wrong usage.
            """)

    @Option(help: "Market: spot, usdm or coinm.")
    var market = LiveMarketArgument.spot

    @Option(parsing: .upToNextOption, help: SymbolsArgument.help(without: 6))
    var symbols: [String] = []

    @Option(help: faultHelp(without: .all), transform: faultPlan)
    var faults = FaultPlan.all

    @Option(parsing: .unconditional, help: "Seed of the order flow and of the faults.")
    var seed: UInt64 = 1

    @Option(parsing: .unconditional, help: "Exchange seconds per second.")
    var speed = 1.0

    @Option(
        help: ArgumentHelp(
            "Where to serve the books and the dashboard; port 0 picks a free one.", valueName: "addr:port"))
    var serve = ServeArgument()

    @OptionGroup var books: BookOptions

    /// Time to recover beyond the silence after which a stream counts as lost: to notice, to subscribe, to
    /// fetch.
    private static let calmSeconds = 15

    /// A symbol whose snapshots were useless several times would otherwise wait for up to a minute, longer
    /// than anybody watches; this venue does not need to be spared.
    private static let backoffMaxMs: Int64 = 4_000

    func validate() throws {
        if !(speed > 0 && speed <= 100) { throw ValidationError("--speed must be above 0 and at most 100.") }
        try serve.validate()
        _ = try SymbolsArgument(symbols)
    }

    func run() throws {
        let limit = RunLimit(seconds: books.seconds)
        StopSignals.install()
        let console = Console(isLive: !books.plain, format: books.logFormat)
        defer { console.clear() }
        let logger = makeLogger(console, books)
        let listed = (try SymbolsArgument(symbols) ?? .count(6)).venueSymbols(market.market)
        let venue: DemoVenue
        do throws(TransportError) {
            venue = try DemoVenue(self, listed)
        } catch {
            printError("lob: \(error)")
            throw ExitCode(1)
        }
        logger.info(
            "the exchange listens",
            metadata: [
                "port": number(venue.port), "seed": number(seed), "faults": "\(faults)",
            ])
        let endpoints = Endpoints(
            market: market.market, streamBase: "ws://127.0.0.1:\(venue.port)",
            restBase: "http://127.0.0.1:\(venue.port)")
        var configuration = ServiceConfiguration(endpoints: endpoints, symbols: listed.map(\.name))
        books.apply(to: &configuration)
        // At another speed the venue's times say nothing about lag.
        if speed != 1 { configuration.lagMsMax = 0 }
        var planner = SnapshotPlanner.Configuration(pool: market.market.weightPool)
        planner.backoffMaxMs = DemoCommand.backoffMaxMs
        configuration.fetcher.planner = planner
        let calmNs = Int64(books.silence + DemoCommand.calmSeconds) * 1_000_000_000
        let companion = RunCompanion(
            look: { venue.compare($0) }, lines: { venue.lines },
            calmDown: {
                venue.calmDown()
                return calmNs
            }, verdict: { venue.verdict }, isRealTime: speed == 1)
        defer { venue.stop() }
        var run = Run(
            configuration, books, console, logger, title: "demo, \(market.rawValue)", limit: limit,
            companion: companion)
        run.serving = serve.options
        try run.run()
    }
}

extension SymbolsArgument {
    /// The symbols as the simulated venue lists them.
    func venueSymbols(_ market: Market) -> [VenueSymbol] {
        switch self {
        case .count(let count): VenueCatalog.symbols(market, count: count)
        case .names(let names): names.map { VenueCatalog.symbol($0, market) }
        }
    }
}

/// The exchange of a demo on its own thread, and the results of comparing books with it.
final class DemoVenue: Sendable {
    /// The results so far.
    struct Tally: Sendable {
        var equalCount = 0
        var levelCount = 0
        /// Ids of which the exchange no longer, or not yet, has a book.
        var unknownCount = 0
        var differenceCount = 0
        var firstDifference: String?
        var faultCounts: [(name: String, count: Int)] = []
    }

    /// The exchange, used only on the thread of its loop.
    private final class Confined: @unchecked Sendable {
        let server: ExchangeServer
        init(_ server: ExchangeServer) { self.server = server }
    }

    private struct Export: Sendable {
        var port: Int
        var loop: LoopHandle
        var confined: Confined
    }

    private let thread: LoopThread<Export>
    private let stopping: StopFlag
    private let tally = Mutex(Tally())
    private let turn = Atomic<Int>(0)
    private let isCalm = StopFlag()

    init(_ command: DemoCommand, _ symbols: [VenueSymbol]) throws(TransportError) {
        var venue = ExchangeServer.live(
            VenueConfiguration(market: command.market.market, symbols: symbols, seed: command.seed))
        venue.startUs = wallClockUs()
        venue.faults = command.faults
        var options = ExchangeServer.Options()
        options.speed = command.speed
        let stopping = StopFlag()
        self.stopping = stopping
        thread = try LoopThread("venue") { [venue, options] loop throws(TransportError) in
            let server = try ExchangeServer(venue, on: loop, options: options)
            return LoopThread.Resident(
                remote: Export(port: server.port, loop: loop.remote, confined: Confined(server)),
                isOver: { stopping.isRaised })
        }
    }

    var port: Int { thread.remote.port }

    /// Ends the faults.
    func calmDown() {
        isCalm.raise()
        // Refused only while too much is queued for the loop.
        while !thread.remote.loop.post({ [self] _ in thread.remote.confined.server.faults = .none }) {
            usleep(1_000)
        }
    }

    /// Compares the next symbol's book with the exchange's own, a little later.
    func compare(_ service: BookService) {
        let number = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        let symbol = service.symbols[number % service.symbols.count]
        _ = service.copy(of: symbol) { [self] copy in
            if copy.status.state != .live { return }
            _ = thread.remote.loop.post { [self] _ in check(copy) }
        }
    }

    /// Thread: the exchange's.
    private func check(_ copy: FullBook) {
        let server = thread.remote.confined.server
        let status = copy.status
        let comparison = server.withVenue { venue in
            venue.withTruth(of: status.symbol, at: status.lastUpdateID) { truth -> TruthComparison in
                var comparison = TruthComparison(truth, status.scales ?? truth.scales)
                for (side, levels) in [(Side.bid, copy.bids), (.ask, copy.asks)] {
                    let proven = side == .bid ? status.provenBids : status.provenAsks
                    comparison.compare(side, proven: proven) { body in
                        for level in levels where !body(level) { return }
                    }
                }
                return comparison
            }
        }
        let counters = server.counters
        tally.withLock { tally in
            tally.faultCounts = Fault.allCases.map { ($0.name, counters.venue[$0]) }.filter { $0.1 > 0 }
            guard let comparison else {
                tally.unknownCount += 1
                return
            }
            tally.levelCount += comparison.levelCount
            guard let difference = comparison.difference else {
                tally.equalCount += 1
                return
            }
            tally.differenceCount += 1
            if tally.firstDifference == nil { tally.firstDifference = "\(status.symbol): \(difference)" }
        }
    }

    /// Two lines for the screen.
    var lines: [String] {
        let tally = tally.withLock { $0 }
        let faults = tally.faultCounts.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
        let tense = isCalm.isRaised ? "over, the books have time to come back" : "so far"
        return ["exchange: faults \(tense): \(faults.isEmpty ? "none" : faults)", DemoVenue.text(tally), ""]
    }

    /// The results of the comparisons.
    var verdict: RunCompanion.Verdict {
        let tally = tally.withLock { $0 }
        var facts: Logger.Metadata = [
            "equal": number(tally.equalCount), "different": number(tally.differenceCount),
            "levels": number(tally.levelCount),
        ]
        if let difference = tally.firstDifference { facts["first"] = "\(difference)" }
        return RunCompanion.Verdict(
            text: DemoVenue.text(tally), facts: facts, isMismatch: tally.differenceCount > 0)
    }

    private static func text(_ tally: Tally) -> String {
        var text =
            "compared with the exchange's own books: \(tally.equalCount) equal, "
            + "\(rounded(Double(tally.levelCount))) levels"
        if tally.differenceCount > 0 {
            text += ", \(tally.differenceCount) DIFFERENT, first: \(tally.firstDifference ?? "")"
        }
        return text
    }

    func stop() {
        stopping.raise()
        thread.remote.loop.wake()
        thread.join()
    }
}
