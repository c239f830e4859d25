// `lob replay`: arguments and exit status.

import ArgumentParser
import BookEngine
import MarketData
import Recording

/// A market as an argument.
enum MarketArgument: String, ExpressibleByArgument, CaseIterable {
    case auto, spot, usdm, coinm

    var market: Market? { Market(name: rawValue) }
}

/// How fast to replay.
enum ReplaySpeed: ExpressibleByArgument, Equatable {
    case max
    case times(Double)

    init?(argument: String) {
        switch argument {
        case "max": self = .max
        case "real": self = .times(1)
        default:
            guard let factor = Double(argument), factor > 0, factor.isFinite else { return nil }
            self = .times(factor)
        }
    }

    var defaultValueDescription: String {
        switch self {
        case .max: "max"
        case .times(1): "real"
        case .times(let factor): "\(factor)"
        }
    }
}

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Rebuild books from captured traffic, through the same engine that live traffic takes.",
        discussion: """
            A capture is a file of lines, plain or gzip: a bare message, or '<receive time> <message>' with \
            REST depth bodies in line; or a recording of this program; or a folder with capture.txt, or \
            with events.jsonl, recv_ts.txt and snapshot.json or snapshots/SYMBOL.json. A file may also be a \
            pipe, - the standard input: it is read to its end first, at most 4 GiB. Several captures are \
            read one after the other as one stream. Every bookTicker and partial depth is compared with \
            the book at the same update id.

            Exit status: 0 every book is live and nothing disagreed; 1 the capture cannot be read; 2 \
            something disagreed, was malformed, or a book could not be completed; 130 interrupted, with what \
            was read so far printed and recorded.
            """)

    @Argument(help: ArgumentHelp("Captures or recordings, files or folders.", valueName: "capture"))
    var captures: [String]

    @Option(help: "Market of the capture: auto, spot, usdm or coinm.")
    var market = MarketArgument.auto

    @Option(
        help: ArgumentHelp(
            "A REST depth body that is not in the capture; SYMBOL= is not needed for a single one.",
            valueName: "symbol=file"))
    var snapshot: [String] = []

    @Option(help: ArgumentHelp("max, real, or a factor of real time.", valueName: "max|real|N"))
    var speed = ReplaySpeed.max

    @Flag(help: "Print the books: with --json all levels, otherwise the best ten.")
    var book = false

    @Flag(help: "One JSON object per symbol on standard output.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Also write the frames to a recording; a recording of that name is replaced.",
            valueName: "file"))
    var record: String?

    @Option(help: "Most levels a side that a book keeps.")
    var depth = 10_000

    mutating func validate() throws {
        if captures.isEmpty { throw ValidationError("Give at least one capture.") }
        if depth < 16 { throw ValidationError("--depth must be at least 16.") }
    }

    func run() throws {
        do {
            let sessions = try captures.map { try CaptureFiles(path: $0) }
            let market = try captureMarket(market.market, sessions.map(\.events))
            var configuration = EngineConfiguration(market: market)
            configuration.addsUnknownSymbols = true
            configuration.oraclePolicy = .count
            configuration.publication = .conflated
            configuration.levelCountMax = depth
            var replay = try Replay(
                configuration, speed: speed, recordTo: record, inputs: sessions.map(\.events))
            for argument in snapshot { try replay.addSnapshot(argument) }
            StopSignals.install()
            for session in sessions { try replay.run(session) }
            let summary = try replay.finish()
            let report = ReplayReport(
                market: market, printsBook: book, malformed: summary.malformedCount)
            if json {
                for symbol in summary.symbols { print(report.json(symbol)) }
                printError(report.table(summary))
            } else {
                print(report.table(summary))
                if book { for symbol in summary.symbols { print(report.ladder(symbol)) } }
            }
            if summary.isInterrupted { throw ExitCode(130) }
            if summary.isFaulty { throw ExitCode(2) }
        } catch let error as ReplayError {
            printError("lob: \(error)")
            throw ExitCode(1)
        } catch let error as ReadingError {
            printError("lob: \(error)")
            throw ExitCode(1)
        } catch let error as WritingError {
            printError("lob: \(error)")
            throw ExitCode(1)
        }
    }
}
