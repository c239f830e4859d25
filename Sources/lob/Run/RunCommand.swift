// `lob run`: arguments and exit status.

import ArgumentParser
import BinanceVenue
import BookServer
import BookService
import LobHandoff
import LobTransport
import Logging
import MarketData

extension IdleStrategy: ExpressibleByArgument {}
extension LogFormat: ExpressibleByArgument {}

/// A market as an argument of commands that cannot infer it.
enum LiveMarketArgument: String, ExpressibleByArgument, CaseIterable {
    case spot, usdm, coinm

    var market: Market { Market(name: rawValue)! }
}

/// How frames are read from the network.
enum BackendArgument: String, ExpressibleByArgument, CaseIterable {
    case auto, native, libwebsockets

    var backends: [WebSocketBackend] {
        switch self {
        case .auto: [.native, .libwebsockets]
        case .native: [.native]
        case .libwebsockets: [.libwebsockets]
        }
    }
}

/// A log level as an argument.
enum LogLevelArgument: String, ExpressibleByArgument, CaseIterable {
    case debug, info, notice, warning, error

    var level: Logger.Level { Logger.Level(rawValue: rawValue)! }
}

/// A list of CPUs as an argument: `2,3` or `2-5`.
struct CPUListArgument: ExpressibleByArgument {
    var cpus: [Int] = []

    init?(argument: String) {
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil,
                first >= 0, last >= first, last < 4096
            else { return nil }
            cpus += Array(first...last)
        }
    }
}

/// Options for keeping books, shared by every command that does.
struct BookOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Levels per side to maintain in each book.")
    var depth = 1000

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Seconds between two audits of a book; 0: no audits.", valueName: "s"))
    var auditEvery = 600

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Seconds updates may arrive later than usual before their book is stale; 0: any.",
            valueName: "s"))
    var maxLag = 5.0

    @Option(help: "What threads do when idle: spin, backoff or park.")
    var idle = IdleStrategy.backoff

    @Option(help: ArgumentHelp("CPUs for feed and book threads in turn, such as 2,3.", valueName: "list"))
    var cpu: CPUListArgument?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "MiB of each connection's ring, a power of two; more for many symbols.", valueName: "MiB"))
    var ring: Int?

    @Option(help: "How WebSocket frames are read: auto, native or libwebsockets.")
    var backend = BackendArgument.auto

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Seconds of silence after which streams are resubscribed.", valueName: "s"))
    var silence = 30

    @Option(help: "Format of log lines on standard error: text or json.")
    var logFormat = LogFormat.text

    @Option(help: "Lowest level logged: debug, info, notice, warning or error.")
    var logLevel = LogLevelArgument.info

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("End after this many seconds.", valueName: "s"))
    var seconds: Double?

    @Flag(help: "One JSON object per symbol on standard output at the end.")
    var json = false

    @Flag(help: "No live screen, even on a terminal.")
    var plain = false

    func validate() throws {
        if !(16...5000).contains(depth) { throw ValidationError("--depth must be 16 … 5000.") }
        let secondsMax = 1_000_000_000
        if !(0...secondsMax).contains(auditEvery) {
            throw ValidationError("--audit-every must be 0 … \(secondsMax) s.")
        }
        if !(maxLag >= 0 && maxLag <= Double(secondsMax)) {
            throw ValidationError("--max-lag must be 0 … \(secondsMax) s.")
        }
        if let ring, ring < 1 || ring > 1024 || ring.nonzeroBitCount != 1 {
            throw ValidationError("--ring must be a power of two, 1 … 1024.")
        }
        if !(1...secondsMax).contains(silence) {
            throw ValidationError("--silence must be 1 … \(secondsMax) s.")
        }
        if let seconds, !(seconds > 0 && seconds <= Double(secondsMax)) {
            throw ValidationError("--seconds must be above 0 and at most \(secondsMax).")
        }
    }

    /// Applies the options to the configuration of a service.
    func apply(to configuration: inout ServiceConfiguration) {
        configuration.depth = depth
        configuration.auditEveryMs = Int64(auditEvery) * 1000
        configuration.lagMsMax = Int64(maxLag * 1000)
        configuration.idle = idle
        configuration.ringBytes = ring.map { $0 << 20 }
        configuration.cpus = cpu?.cpus ?? []
        configuration.socket.backends = backend.backends
        configuration.silenceMs = Int64(silence) * 1000
        configuration.seed = UInt64(bitPattern: monotonicNs())
    }
}

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Keep live books of the venue's symbols.",
        discussion: """
            Connects, subscribes, fetches snapshots within the venue's budget, and keeps every book exact: \
            lost updates are noticed and repaired, connections are renewed before the venue ends them, and \
            every best price the venue announces is compared with the book. Ctrl-C ends it cleanly.

            Examples:
              lob run BTCUSDT ETHUSDT
              lob run --market usdm --all --depth 500
              lob run BTCUSDT --ws-url ws://127.0.0.1:9101 --rest-url http://127.0.0.1:9101
              lob run BTCUSDT --serve 127.0.0.1:9443
              lob run BTCUSDT --record records --record-days 30
              lob run BTCUSDT --store books.store --store-days 30

            --store saves a full snapshot of each book every minute, and of all books on SIGUSR1; lob \
            history shows them.

            Certificates are checked against the system's authorities, or those in SSL_CERT_FILE, or only \
            those of --ca. The proxy in http_proxy is used for every host not named in no_proxy; loopback \
            is always reached directly.

            \(RunScreen.legend)

            Exit status: 0 nothing was wrong; 1 it could not start, the venue has none of the symbols, or \
            the results or rows of --store could not be written; 2 the venue contradicted a book, or a \
            book was never live or had not been for 30 s; 64 wrong usage. A book that was being repaired \
            when the run ended is not a failure; the summary names it.
            """)

    @Argument(
        help: ArgumentHelp("Symbols, such as BTCUSDT, separated by blanks or commas.", valueName: "symbol"))
    var symbols: [String] = []

    @Flag(help: "All symbols trading on the market.")
    var all = false

    @Option(help: "Market: spot, usdm or coinm.")
    var market = LiveMarketArgument.spot

    @Option(help: "The venue's environment: production, dataOnly, testnet or demo.")
    var environment = VenueEnvironment.production

    @Option(help: ArgumentHelp("Streams from here, such as ws://127.0.0.1:9101.", valueName: "url"))
    var wsUrl: String?

    @Option(help: ArgumentHelp("Send requests here instead.", valueName: "url"))
    var restUrl: String?

    @Option(help: ArgumentHelp("Trust only the certificate authorities of this PEM file.", valueName: "file"))
    var ca: String?

    @Option(
        parsing: .unconditional, help: "Minimum number of connections; more if one cannot carry all streams.")
    var shards = 1

    @Flag(help: "Do without the best bid and ask, which constantly prove the book.")
    var noBookTicker = false

    @Flag(help: "Messages without the wrapper that names their stream.")
    var raw = false

    @Option(
        help: ArgumentHelp(
            "Serve the books in the venue's own shapes, and a dashboard at /.",
            valueName: "addr:port"))
    var serve: ServeArgument?

    @Flag(help: "Print a Grafana dashboard over /metrics and exit.")
    var printDashboard = false

    @Flag(help: "Print Prometheus alert rules over /metrics and exit.")
    var printAlerts = false

    @OptionGroup var serving: ServeOptions

    @OptionGroup var recording: RecordArguments

    @OptionGroup var keeping: StoreArguments

    @OptionGroup var books: BookOptions

    func validate() throws {
        if all && !symbols.isEmpty { throw ValidationError("Give symbols or --all, not both.") }
        let texts = listed(symbols)
        if texts.isEmpty && !all && !printDashboard && !printAlerts {
            throw ValidationError("Give symbols, or --all.")
        }
        // All shards share the connection attempts that the venue allows per address; with more shards, none
        // could reconnect soon.
        if shards < 1 || shards > 20 { throw ValidationError("--shards must be 1 … 20.") }
        for symbol in texts where SymbolName(argument: symbol) == nil {
            throw ValidationError("\(symbol): no symbol has such a name.")
        }
        if let ca { try RunCommand.check(authorities: ca) }
        if let serve { _ = try serving.options(serve) }
        if (wsUrl == nil) != (restUrl == nil) {
            throw ValidationError("--ws-url and --rest-url belong together.")
        }
        _ = try endpoints()
    }

    private static func check(authorities path: String) throws {
        guard let bytes = contents(ofFile: path, bytesMax: 16 << 20) else {
            throw ValidationError("--ca \(path): cannot be read.")
        }
        // Also `BEGIN TRUSTED CERTIFICATE`.
        let text = String(decoding: bytes, as: UTF8.self)
        if !text.contains("-----BEGIN ") || !text.contains("CERTIFICATE-----") {
            throw ValidationError("--ca \(path): holds no certificate in PEM.")
        }
    }

    func endpoints() throws -> Endpoints {
        guard var endpoints = Endpoints(market: market.market, environment: environment) else {
            throw ValidationError("\(market.rawValue) has no environment \(environment.rawValue).")
        }
        if let wsUrl { try RunCommand.check(url: wsUrl, schemes: ["ws://", "wss://"]) }
        if let restUrl { try RunCommand.check(url: restUrl, schemes: ["http://", "https://"]) }
        if let wsUrl { endpoints.streamBase = trimmed(wsUrl) }
        if let restUrl { endpoints.restBase = trimmed(restUrl) }
        return endpoints
    }

    private static func check(url: String, schemes: [String]) throws {
        if !schemes.contains(where: { url.hasPrefix($0) }) {
            throw ValidationError("\(url): does not begin with \(schemes.joined(separator: " or ")).")
        }
        do throws(TransportError) {
            _ = try ServiceURL(url)
        } catch {
            guard case .invalidURL(let what) = error else { throw ValidationError("\(url): \(error).") }
            throw ValidationError("\(url): \(what).")
        }
    }

    private func trimmed(_ url: String) -> String { url.hasSuffix("/") ? String(url.dropLast()) : url }

    func run() throws {
        if printDashboard { return try Output.print(BookServer.grafanaDashboard) }
        if printAlerts { return try Output.print(BookServer.alertRules) }
        let limit = RunLimit(seconds: books.seconds)
        StopSignals.install(reloads: serve != nil && serving.serveCert != nil)
        let console = Console(isLive: !books.plain, format: books.logFormat)
        defer { console.clear() }
        let logger = makeLogger(console, books)
        let endpoints = try endpoints()
        var names = listed(symbols).compactMap(SymbolName.init(argument:))
        var list: ExchangeInfo?
        var loop = EventLoop.Options()
        loop.authorityPath = ca
        if all {
            let fetched = try fetchList(endpoints, loop, limit, logger)
            names = tradingSymbols(of: fetched, logger)
            if names.isEmpty {
                printError("lob: no symbol trades on \(endpoints.market.name)")
                throw ExitCode(1)
            }
            list = fetched
        }
        let service = service(endpoints, names, loop, list: list)
        var run = Run(service, books, console, logger, title: "\(market.rawValue)", limit: limit)
        run.serving = try serve.map(serving.options)
        run.recording = recording.options
        run.keeping = keeping.options
        try run.run(list: list)
    }
}

/// The parts of the arguments between blanks and commas.
func listed(_ arguments: [String]) -> [String] {
    arguments.flatMap { $0.split { $0 == "," || $0 == " " }.map(String.init) }
}

extension VenueEnvironment: ExpressibleByArgument {}

extension SymbolName {
    /// The symbol that was meant, in upper case: letters, digits, `_` and `-`, and other scripts; nil if no
    /// symbol can have that name.
    init?(argument: String) {
        for byte in argument.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D, 0x80...0xFF: continue
            case _: return nil
            }
        }
        self.init(argument.uppercasedASCII)
        if isEmpty { return nil }
    }
}

extension String {
    /// ASCII letters in upper case, everything else unchanged.
    fileprivate var uppercasedASCII: String {
        String(decoding: utf8.map { (0x61...0x7A).contains($0) ? $0 - 32 : $0 }, as: UTF8.self)
    }
}
