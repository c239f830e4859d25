// `lob replay`: arguments and exit status.

import ArgumentParser
import BinanceVenue
import BookEngine
import BookRecording
import Captures
import LobRecording
import MarketData

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
        abstract: "Rebuild books from captured traffic, through the same engine as live traffic.",
        discussion: """
            A capture is a file of lines, plain, gzip or zstd: a bare message, or '<receive time> <message>' \
            (a number or ISO 8601; a blank, tab or comma between), or a JSON envelope around it, with REST \
            depth bodies inline; or a recording of this program; or a folder with capture.txt, or with \
            events.jsonl, recv_ts.txt and snapshot.json or snapshots/SYMBOL.json. A file may also be a \
            pipe, - standard input: it is read to its end first, at most 4 GiB. Several captures are one \
            session, merged by time; recordings are replayed one after the other.

            Segments written by lob run --record, and folders of them, are replayed shard by shard, and \
            their digests compared meanwhile; --from, --to and --symbol select a part.

            A body that names no symbol belongs to the only symbol of its file, or of all files. The first \
            body of a symbol starts its book; later ones, and every bookTicker and partial depth, are \
            compared with the book at the same update id, and deeper ones extend it. Frames of a raw \
            partial depth stream (5, 10 or 20 levels) are compared too, but start no book.

            Exit status: 0 every book is live and nothing disagreed; 1 the capture cannot be read, or lacks \
            one of the symbols; 2 something disagreed, was malformed or left out, or a book could not be \
            completed, or nothing is of that time; 130 interrupted, with what had been read printed and \
            recorded.
            """)

    @Argument(help: ArgumentHelp("Captures or recordings, files or folders.", valueName: "capture"))
    var captures: [String]

    @Option(help: "Market of the capture: auto, spot, usdm or coinm.")
    var market = MarketArgument.auto

    @Option(
        help: ArgumentHelp(
            "A REST depth body that is not in the capture; SYMBOL= may be omitted for a single one.",
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
            "Also write the frames to a recording; an existing recording of that name is replaced.",
            valueName: "file"))
    var record: String?

    @OptionGroup var part: RecordedPart

    @Option(help: "Most levels per side of a book.")
    var depth = 10_000

    mutating func validate() throws {
        if captures.isEmpty { throw ValidationError("Give at least one capture.") }
        if !(16...1_000_000).contains(depth) {
            throw ValidationError("--depth must be 16 … 1000000.")
        }
    }

    func run() throws {
        StopSignals.install()
        let recordings = captures.filter(RecordedStream.isRecording)
        if recordings.count == captures.count { return try replay(recordings: recordings) }
        if !recordings.isEmpty || !part.isWhole {
            throw ValidationError(
                "Recordings of lob run are replayed without captures; --from, --to and --symbol are for "
                    + "them.")
        }
        let request = CaptureRequest(
            captures: captures, market: market.market, snapshots: snapshot, depth: depth, speed: speed,
            record: record)
        let (summary, market) = try request.replay()
        try show(summary, market)
    }

    private func show(_ summary: ReplaySummary, _ market: Market) throws {
        for note in summary.notes { printError(note) }
        let report = ReplayReport(
            market: market, printsBook: book, malformed: summary.malformedCount, depth: depth,
            isPaced: speed != .max)
        if json {
            for symbol in summary.symbols { Output.write(report.json(symbol)) }
            printError(report.table(summary))
        } else {
            Output.write(report.table(summary))
            if book { for symbol in summary.symbols { Output.write(report.ladder(symbol)) } }
        }
        if summary.isInterrupted { throw ExitCode(130) }
        if summary.isFaulty { throw ExitCode(2) }
    }
}
