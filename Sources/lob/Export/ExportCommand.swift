// `lob export`: arguments and exit status.

import ArgumentParser
import BookExports
import BookRecording
import LobRecording
import MarketData

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the books of captures and recordings in other tools' formats.",
        discussion: """
            Accepts what lob replay accepts. Only proven data is written: levels inside the proven range of \
            live books, and nothing between a break and the next proof. Memory does not grow with the input.

            tardis-l2      incremental_book_L2: a row for each level that was set
            tardis-25, -5  book_snapshot_25, book_snapshot_5: the best levels; unproven levels are empty
            tardis-quotes  quotes: the best of both sides
            npz            the event array of hftbacktest, of one symbol
            text           lines of receive time and message, each book starting with a REST body

            Times are the venue's engine time (T, otherwise E) and the receive time. With --every a sample \
            is taken at full multiples of the receive time, otherwise every change is written; a sample is \
            written once the next update of its book shows that nothing was missed before it, for which \
            the input is read beyond --to. Rows of all symbols and shards are in the order of their times: \
            samples wait for those of a silent book, unless more than 64 MiB would wait, which is reported. \
            A file with a name ending in .gz is compressed; - is standard output.

            Exit status: 0 written; 1 something cannot be read or written, a file of a folder was left out, \
            or one of the symbols is not in it; 2 the input is damaged or contradicts itself, its end was \
            cut off inside a block, or it contains nothing proven; 130 interrupted, with what had been read \
            written.
            """)

    @Argument(help: ArgumentHelp("Captures or recordings, files or folders.", valueName: "capture"))
    var captures: [String]

    @Option(help: "tardis-l2, tardis-25, tardis-5, tardis-quotes, npz or text.")
    var format: ExportFormat

    @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
    var out: String

    @Option(help: ArgumentHelp("Milliseconds between samples; 0: every change.", valueName: "ms"))
    var every = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Milliseconds to add to receive times, for a clock that was wrong.", valueName: "ms"))
    var shiftLocal = 0

    @OptionGroup var part: RecordedPart

    @Option(help: "Market of the capture: auto, spot, usdm or coinm.")
    var market = MarketArgument.auto

    @Option(
        help: ArgumentHelp(
            "A REST depth body that is not in the capture; SYMBOL= may be omitted for a single one.",
            valueName: "symbol=file"))
    var snapshot: [String] = []

    @Option(help: "Most levels per side that a book keeps.")
    var depth = 10_000

    func validate() throws {
        if captures.isEmpty { throw ValidationError("Give at least one capture.") }
        if !(0...86_400_000).contains(every) { throw ValidationError("--every must be 0 … 86400000.") }
        if abs(shiftLocal) > 1_000_000_000 { throw ValidationError("--shift-local is too far.") }
        if every > 0 && !format.isSampled {
            throw ValidationError("--format \(format.rawValue) holds messages, which --every cannot sample.")
        }
        if !(16...1_000_000).contains(depth) { throw ValidationError("--depth must be 16 … 1000000.") }
    }

    private var everyNs: Int64 { Int64(every) * 1_000_000 }

    private var options: BookExporter.Options {
        var options = BookExporter.Options(
            fromNs: part.from?.ns ?? .min, toNs: part.to?.ns ?? .max, everyNs: everyNs,
            shiftNs: Int64(shiftLocal) * 1_000_000, symbols: part.symbols)
        options.isStopped = { StopSignals.isRaised }
        return options
    }

    func run() throws {
        StopSignals.install()
        do {
            let recordings = captures.filter(RecordedStream.isRecording)
            if recordings.count == captures.count {
                if !snapshot.isEmpty { throw ValidationError("--snapshot is for captures.") }
                return try export(recordings: recordings)
            }
            if !recordings.isEmpty {
                throw ValidationError("Recordings of lob run are exported without captures.")
            }
            try exportCaptures()
        } catch ExportError.interrupted {
            throw ExitCode(130)
        } catch let error as ExportError {
            throw failed(error)
        } catch let error as SegmentError {
            throw failed(error)
        }
    }

    private func failed(_ error: some CustomStringConvertible) -> ExitCode {
        printError("lob: \(error)")
        return ExitCode(1)
    }

    /// How many symbols the file may contain.
    private func symbolCount(_ found: Set<SymbolName>) throws -> Int {
        let wanted = part.symbols.map { $0.intersection(found) } ?? found
        if wanted.isEmpty && part.symbols != nil {
            printError("lob: none of the symbols is in it")
            throw ExitCode(1)
        }
        if wanted.count > 1 && !format.takesSeveral {
            throw ValidationError(
                "--format \(format.rawValue) holds one symbol, and \(wanted.count) are in it; see --symbol.")
        }
        return wanted.count
    }

    private func exportCaptures() throws {
        let request = CaptureRequest(
            captures: captures, market: market.market, snapshots: snapshot, depth: depth)
        var sink: (any BookSink)?
        var missing: Set<SymbolName> = []
        let (summary, exporter) = try request.export { market, symbols, inputs throws in
            let made = try format.sink(
                out, market, symbolCount: symbolCount(Set(symbols)), everyNs: everyNs, inputs: inputs)
            sink = made
            missing = part.symbols?.subtracting(symbols) ?? []
            return BookExporter(made, options)
        }
        for note in summary.notes { printError(note) }
        if let damage = summary.damage { printError(damage) }
        let isFaulty =
            summary.damage != nil || summary.malformedCount > 0
            || summary.symbols.contains {
                let c = $0.status.counters
                return c.tickersAgreed != c.tickersCompared || c.partialsAgreed != c.partialsCompared
                    || $0.bodies.mismatches > 0
            }
        if !missing.isEmpty { part.complain(ofMissing: missing, captures.joined(separator: ", ")) }
        try finish(sink, exporter, .init(isDamaged: isFaulty), lacksSymbols: !missing.isEmpty)
    }

    private func export(recordings paths: [String]) throws {
        let inputs = try RecordingInputs(paths)
        let market = try inputs.market(doing: "export")
        let sink = try format.sink(
            out, market, symbolCount: symbolCount(inputs.symbols), everyNs: everyNs, inputs: inputs.files)
        let missing = part.missing(in: inputs.streams, inputs.name)
        var exporter = BookExporter(sink, options)
        var faults = RecordedExport.Faults(isPartial: inputs.isPartial)
        for (path, streams) in inputs.recordings where !StopSignals.isRaised && !exporter.hasFailed {
            exporter.beginStream()
            let own = try RecordedExport.run(streams, path, part, &exporter)
            faults.isDamaged = faults.isDamaged || own.isDamaged
            faults.isPartial = faults.isPartial || own.isPartial
        }
        try finish(sink, exporter, faults, lacksSymbols: !missing.isEmpty)
    }

    /// - Parameter lacksSymbols: whether a symbol that was asked for is not there.
    private func finish(
        _ sink: (any BookSink)?, _ exporter: BookExporter?, _ faults: RecordedExport.Faults,
        lacksSymbols: Bool
    ) throws {
        guard let sink, var exporter else { return }
        exporter.finish()
        if exporter.disordered > 0 {
            printError("lob: \(exporter.disordered) samples are not in the order of time: too many waited")
        }
        try sink.finish()
        if let note = sink.note { printError("lob: \(note)") }
        printError(
            "\(out): \(byteText(sink.file.length)); books begun \(exporter.beginnings), changes "
                + "\(exporter.updates), breaks \(exporter.breaks)")
        if StopSignals.isRaised { throw ExitCode(130) }
        if exporter.beginnings == 0 { printError("lob: nothing of it is proven, so nothing was written") }
        if faults.isPartial { throw ExitCode(1) }
        if faults.isDamaged || exporter.beginnings == 0 { throw ExitCode(2) }
        if lacksSymbols { throw ExitCode(1) }
    }
}
