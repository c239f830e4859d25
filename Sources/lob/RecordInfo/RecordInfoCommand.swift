// `lob record-info`: what a recording contains, from its indexes alone.

import ArgumentParser
import BookRecording
import LobRecording

struct RecordInfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record-info",
        abstract: "Show the contents of recordings: segments, symbols, times, gaps.",
        discussion: """
            Reads the indexes, and the blocks of segments that were not closed; nothing is replayed: that \
            is what lob verify does. In the timeline # is time with a book, . a gap of the symbol, : time \
            in which nothing was written, - a run without the symbol, and ? unknown: segments or blocks are \
            missing, or a segment was not closed. Missing segments are named as far as the numbers of the \
            others tell: those removed before the first or after the last one leave no trace.

            Exit status: 0; 1 it cannot be read, or a file of a folder was left out.
            """)

    @Argument(help: ArgumentHelp("Segments, or folders of them.", valueName: "recording"))
    var recordings: [String]

    @Flag(help: "One JSON object per shard on standard output.")
    var json = false

    @Option(help: ArgumentHelp("Also plot the coverage in this file.", valueName: "file.svg"))
    var svg: String?

    func validate() throws {
        if recordings.isEmpty { throw ValidationError("Give at least one recording.") }
    }

    func run() throws {
        var (charts, isPartial) = ([CoverageChart](), false)
        for path in recordings {
            do throws(SegmentError) {
                let opened = try RecordingInputs.streams(at: path)
                isPartial = isPartial || opened.isPartial
                for stream in opened.streams {
                    let chart = CoverageChart(stream, path: path)
                    for error in chart.leftOut { RecordingInputs.complain(ofLeftOut: error) }
                    isPartial = isPartial || !chart.leftOut.isEmpty
                    charts.append(chart)
                    Output.write(json ? chart.json : chart.text)
                }
            } catch {
                printError("lob: \(error)")
                throw ExitCode(1)
            }
        }
        if let svg {
            let picture = CoveragePicture(charts).text
            do {
                try picture.write(toFile: svg, atomically: true, encoding: .utf8)
            } catch {
                printError("lob: \(svg): cannot be written")
                throw ExitCode(1)
            }
        }
        if isPartial { throw ExitCode(1) }
    }
}
