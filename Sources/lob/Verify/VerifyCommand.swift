// `lob verify`: arguments and exit status.

import ArgumentParser
import BinanceVenue
import BookRecording
import LobRecording
import LobTransport
import MarketData
import SnapshotStore

/// A time as an argument: ISO 8601, or a number since 1970.
struct TimeArgument: ExpressibleByArgument {
    var ns: Int64

    init?(argument: String) {
        guard let ns = timeNs(ofText: Array(argument.utf8).span) else { return nil }
        self.ns = ns
    }
}

/// The part of a recording to verify.
struct RecordedPart: ParsableArguments {
    @Option(
        help: ArgumentHelp("Start at the last copies of the books not later than this.", valueName: "time"))
    var from: TimeArgument?

    @Option(help: ArgumentHelp("End here.", valueName: "time"))
    var to: TimeArgument?

    @Option(
        name: .customLong("symbol"),
        help: ArgumentHelp("Only this symbol, or several separated by commas.", valueName: "symbols"))
    var symbolList: [String] = []

    func validate() throws {
        for name in listed(symbolList) where SymbolName(argument: name) == nil {
            throw ValidationError("--symbol: \(name) is no symbol.")
        }
        if !symbolList.isEmpty && listed(symbolList).isEmpty { throw ValidationError("--symbol names none.") }
        if let from, let to, from.ns > to.ns { throw ValidationError("--from must not be behind --to.") }
    }

    /// The symbols to verify; nil for all.
    var symbols: Set<SymbolName>? {
        symbolList.isEmpty ? nil : Set(listed(symbolList).compactMap { SymbolName(argument: $0) })
    }

    /// Those of the symbols that are not in these streams, and says which; none if that cannot be known.
    func missing(in streams: [RecordedStream], _ path: String) -> Set<SymbolName> {
        guard let symbols else { return [] }
        var missing = symbols
        for stream in streams {
            guard let left = stream.missing(of: missing) else { return [] }
            missing = left
        }
        if missing == symbols {
            printError("lob: \(path): none of the symbols is in it")
        } else if !missing.isEmpty {
            complain(ofMissing: missing, path)
        }
        return missing
    }

    /// Says which symbols are not in a recording or capture.
    func complain(ofMissing symbols: Set<SymbolName>, _ path: String) {
        let names = symbols.map { "\($0)" }.sorted().joined(separator: ", ")
        printError("lob: \(path): not in it: \(names)")
    }

    /// Says that nothing of a recording was verified.
    func complainOfNothing(_ path: String) {
        printError("lob: \(path): \(isWhole ? "no whole frame in it" : "no frame of that part in it")")
    }

    /// Whether everything is to be verified.
    var isWhole: Bool { from == nil && to == nil && symbolList.isEmpty }
}

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify everything recordings and captures claim, or a served book against the venue.",
        discussion: """
            Replays segments, or folders of them, through the engine. It checks the CRC and number of every \
            block; every copy of a book and every digest in the recording against the books made by its \
            frames; and what the venue said meanwhile: every bookTicker, partial depth and snapshot. Gaps \
            listed in the recording are reported but are not faults: they state what is not known.

            A file in a folder that is not a segment, or cannot be read, is named, skipped, and a fault. \
            With --symbol, blocks without the symbols are not read, and connections and times are not \
            followed: only digests and copies are compared.

            Captures, everything lob replay accepts, are one session: every place where a symbol's updates \
            are not continuous is listed, whether there is a book or not, and everything lob replay \
            compares is compared.

            --live SYMBOL compares a book of a running lob run --serve with the venue: one snapshot of each \
            is brought to one update id by the server's own stream, and both sides are printed, with the \
            verdict below. It costs the venue's weight of one snapshot of --depth levels.

            Exit status: 0 nothing disagrees; 1 it cannot be read, lacks one of the symbols, or one of the \
            two cannot be reached; 2 something is damaged, silently missing, contradicts the rest, or \
            differs from the venue, or nothing is of that time; 130 interrupted.
            """)

    @Argument(help: ArgumentHelp("Segments or folders of them, or captures.", valueName: "recording"))
    var recordings: [String] = []

    @OptionGroup var live: LiveArguments

    @OptionGroup var part: RecordedPart

    @Option(
        help: ArgumentHelp(
            "A REST depth body that is not in the capture; SYMBOL= may be omitted for a single one.",
            valueName: "symbol=file"))
    var snapshot: [String] = []

    @Flag(help: "One JSON object per shard, or for all captures, on standard output.")
    var json = false

    func validate() throws {
        if live.live != nil {
            if !recordings.isEmpty || !part.isWhole {
                throw ValidationError("--live is of now: it takes neither recordings nor times.")
            }
            return
        }
        if recordings.isEmpty { throw ValidationError("Give at least one recording.") }
    }

    /// Verifies captures as one session.
    private func verify(captures: [String]) throws {
        if !part.isWhole {
            throw ValidationError("--from, --to and --symbol are for recordings of lob run.")
        }
        let request = CaptureRequest(captures: captures, market: live.market.market, snapshots: snapshot)
        let (summary, market) = try request.replay()
        for note in summary.notes { printError(note) }
        let report = ReplayReport(
            market: market, printsBook: false, malformed: summary.malformedCount, depth: request.depth,
            isPaced: false)
        let verification = CaptureVerification(
            name: captures.joined(separator: ", "), summary: summary, report: report)
        Output.write(json ? verification.json : verification.text)
        if summary.isInterrupted { throw ExitCode(130) }
        if verification.isFaulty { throw ExitCode(2) }
    }

    func run() throws {
        StopSignals.install()
        if let verification = try live.verification() { return try compare(verification) }
        let captures = recordings.filter { !RecordedStream.isRecording($0) }
        if captures.count == recordings.count { return try verify(captures: captures) }
        var (isFaulty, lacksSymbols) = (false, false)
        for path in recordings {
            do throws(SegmentError) {
                let (streams, isPartial) = try RecordingInputs.streams(at: path)
                isFaulty = isFaulty || isPartial
                let missing = part.missing(in: streams, path)
                lacksSymbols = lacksSymbols || !missing.isEmpty
                if missing == part.symbols { continue }
                var isEmpty = true
                for stream in streams {
                    let result = try verify(stream, path)
                    for error in result.leftOut { RecordingInputs.complain(ofLeftOut: error) }
                    isFaulty = isFaulty || result.isFaulty
                    isEmpty = isEmpty && (result.isEmpty || result.symbols.isEmpty)
                    if StopSignals.isRaised { break }
                }
                if isEmpty && !StopSignals.isRaised {
                    part.complainOfNothing(path)
                    isFaulty = true
                }
            } catch {
                printError("lob: \(error)")
                throw ExitCode(1)
            }
        }
        if StopSignals.isRaised { throw ExitCode(130) }
        if isFaulty { throw ExitCode(2) }
        if lacksSymbols { throw ExitCode(1) }
    }

    private func compare(_ verification: LiveVerification) throws {
        let sides = try verification.sides()
        guard let difference = BookDifference(sides.served.stored.book, sides.venue.stored.book) else {
            printError("lob: the decimals of both books cannot be brought together")
            throw ExitCode(2)
        }
        let picture = HistoryDifference(first: sides.served, second: sides.venue, difference: difference)
        if json {
            Output.write(picture.json)
        } else {
            for side in [sides.served, sides.venue] { Output.write(side.text(depth: 5)) }
            Output.write(picture.text(depth: 20))
            Output.write("where both are proven: \(picture.isContradiction ? "different" : "equal")")
        }
        if picture.isContradiction { throw ExitCode(2) }
    }

    private func verify(
        _ stream: RecordedStream, _ path: String
    ) throws(SegmentError) -> RecordingVerification {
        let clock = Stopwatch()
        var frames = 0
        let result = try RecordingVerification(
            stream, fromNs: part.from?.ns ?? .min, toNs: part.to?.ns ?? .max, only: part.symbols
        ) { _ in
            frames &+= 1
            return frames & 1023 != 0 || !StopSignals.isRaised
        }
        let report = VerifyReport(path: path, shard: Int(stream.shard), elapsedNs: clock.elapsedNs, result)
        Output.write(json ? report.json : report.text)
        return result
    }
}
