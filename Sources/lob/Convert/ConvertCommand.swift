// `lob convert`: arguments and exit status.

import ArgumentParser
import BinanceVenue
import BookExports
import BookRecording
import Captures
import Foundation
import LobRecording
import MarketData

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Convert raw traffic between captures, recordings and packet captures.",
        discussion: """
            Accepts all captures that lob replay accepts, including packet captures (pcap), or recordings of \
            lob run --record. Writes one of these formats, chosen by --to or by the file extension:

            recording  DIR, or a single file NAME.lobrec: segments with copies and digests of the books, \
            which lob replay, verify, export and record-info accept like those of lob run
            text       .txt, .jsonl: one line per message, its receive time in nanoseconds first, REST depth \
            bodies in place
            pcap       .pcap: synthetic TCP conversations with the messages as WebSocket frames, in the \
            layout of cryptofeed 3, also for Wireshark and tshark

            A file with a name ending in .gz is compressed (except recordings); - is standard output. \
            Messages, receive times and snapshots are kept exactly. Text cannot express gaps, lost messages \
            and connections; what a format cannot express is reported. Lines without a message are skipped \
            and reported. Memory does not grow with the input, which is read twice if it is a capture.

            Exit status: 0 written; 1 something cannot be read or written, or exists already, or a file of \
            a folder was left out; 2 written as far as the input goes, which is damaged or has useless \
            lines; 130 interrupted, nothing written.
            """)

    @Argument(help: ArgumentHelp("Captures or recordings, files or folders.", valueName: "capture"))
    var inputs: [String]

    @Option(help: ArgumentHelp("What to write.", valueName: "file|folder"))
    var out: String

    @Option(help: "recording, text or pcap; by default, by the name of the output.")
    var to: ConvertFormat?

    @Flag(help: "Replace an existing file, or a folder that contains only segments.")
    var force = false

    @Option(help: "Market of the capture: auto, spot, usdm or coinm.")
    var market = MarketArgument.auto

    @Option(
        help: ArgumentHelp(
            "A REST depth body that is not in the capture; SYMBOL= is not needed for a single symbol.",
            valueName: "symbol=file"))
    var snapshot: [String] = []

    @Option(help: "Most levels per side of the book copies in a recording.")
    var depth = 10_000

    func validate() throws {
        if inputs.isEmpty { throw ValidationError("Give at least one capture.") }
        if !(16...1_000_000).contains(depth) { throw ValidationError("--depth must be 16 … 1000000.") }
        if to == nil && ConvertFormat(path: out) == nil {
            throw ValidationError("\(out): the name does not tell what it is to be; see --to.")
        }
        if out == "-" && format != .text { throw ValidationError("Only text goes to standard output.") }
    }

    private var format: ConvertFormat { to ?? ConvertFormat(path: out) ?? .text }

    func run() throws {
        StopSignals.install()
        try convert()
    }

    /// Converts, without touching the signals of the process.
    func convert() throws {
        let recordings = inputs.filter(RecordedStream.isRecording)
        if recordings.count != inputs.count && !recordings.isEmpty {
            throw ValidationError("Recordings of lob run are converted without captures.")
        }
        do {
            if recordings.isEmpty { try convertCaptures() } else { try convertRecordings() }
        } catch ReadingError.interrupted, ExportError.interrupted {
            throw ExitCode(130)
        } catch let error as any Error & CustomStringConvertible where !(error is ValidationError) {
            printError("lob: \(error)")
            throw ExitCode(1)
        }
    }

    private func convertCaptures() throws {
        let files = try inputs.map { try CaptureFiles(path: $0, isStopped: { StopSignals.isRaised }) }
        let survey = try lob.survey(files)
        if StopSignals.isRaised { throw ExitCode(130) }
        if let why = refusal(survey) { throw ConvertRefusal(why) }
        let market = try captureMarket(self.market.market, survey)
        let bodies = try GivenBody.all(snapshot, survey)
        var read = bodies.map(\.path)
        for file in files {
            read += [file.events] + (file.times.map { [$0] } ?? []) + file.snapshots.map(\.path)
        }
        let subject = CaptureRecorder.Subject(
            symbols: survey.symbols.sorted(), market: market,
            engine: CaptureRequest.configuration(market, depth: depth),
            hasSeveralConnections: survey.hasSeveralConnections)
        let sink = try sink(subject, inputs: read)
        if format == .recording && !survey.files.contains(where: { $0.hasTimes || $0.isRecording }) {
            printError("no line has a time of receipt: all frames are of 1970")
        }
        var conversion = CaptureConversion(survey, market, sink)
        try conversion.run(bodies)
        if StopSignals.isRaised { throw ExitCode(130) }
        for line in conversion.notes.lines + conversion.foreignLines { printError(line) }
        if let damage = conversion.damage { printError(damage.description) }
        try finish(sink)
        if conversion.damage != nil || conversion.faultCount > 0 { throw ExitCode(2) }
    }

    private func convertRecordings() throws {
        if format == .recording { throw ValidationError("\(inputs[0]): is a recording already.") }
        if !snapshot.isEmpty { throw ValidationError("--snapshot is for captures.") }
        let recordings = try RecordingInputs(inputs)
        let market = try recordings.market(doing: "convert")
        let subject = CaptureRecorder.Subject(
            symbols: recordings.symbols.sorted(), market: market,
            engine: CaptureRequest.configuration(market, depth: depth), hasSeveralConnections: false)
        let sink = try sink(subject, inputs: recordings.files)
        var conversion = RecordingConversion(recordings.streams, path: recordings.name)
        try conversion.run(sink)
        if StopSignals.isRaised { throw ExitCode(130) }
        for line in conversion.damages { printError("lob: \(line)") }
        if conversion.gaps + conversion.missingBlocks > 0 {
            printError(
                "lob: not in it: \(counted(conversion.gaps, "gap")) that the recording lists, "
                    + "\(counted(conversion.missingBlocks, "block")) that it misses; see lob verify")
        }
        try finish(sink)
        if recordings.isPartial || conversion.isPartial { throw ExitCode(1) }
        if !conversion.damages.isEmpty || conversion.missingBlocks > 0 { throw ExitCode(2) }
    }

    private func finish(_ sink: any ConvertSink) throws {
        let words = try sink.finish()
        for loss in sink.losses { printError("lob: not in it: \(loss)") }
        printError("\(out): \(words)")
    }

    /// The writer; nothing is at its path yet, or it may be replaced.
    private func sink(_ subject: CaptureRecorder.Subject, inputs: [String]) throws -> any ConvertSink {
        if out != "-" { try ConvertTarget(out, isFolder: format == .recording).check(force, inputs) }
        switch format {
        case .recording: return try SegmentSink(path: out, subject)
        case .text:
            return TextSink(try file(inputs), namesSymbols: subject.symbols.count > 1)
        case .pcap:
            let place = Endpoints(market: subject.market, environment: .production)
            guard let names = place?.packetNames else { throw ConvertRefusal("no such market") }
            return PacketSink(try file(inputs), names)
        }
    }

    private func file(_ inputs: [String]) throws -> ExportFile {
        try ExportFile(path: out, inputs: inputs, isStopped: { StopSignals.isRaised })
    }
}
