// Recordings of `lob run` as the inputs of a command. A file that is left out is named; what remains is used.

import ArgumentParser
import BinanceVenue
import BookRecording
import LobRecording
import MarketData

/// Recordings that are read together.
struct RecordingInputs {
    /// Each with its shards.
    let recordings: [(path: String, streams: [RecordedStream])]
    /// Whether a file was left out.
    let isPartial: Bool
    private let terms: [RecordingTerms]

    init(_ paths: [String]) throws(SegmentError) {
        var (found, isPartial) = ([(path: String, streams: [RecordedStream])](), false)
        for path in paths {
            let opened = try RecordingInputs.streams(at: path)
            found.append((path, opened.streams))
            isPartial = isPartial || opened.isPartial
        }
        (recordings, self.isPartial) = (found, isPartial)
        terms = found.flatMap { $0.streams.flatMap(\.termsOfRuns) }
    }

    /// The shards of one recording, and whether a file of the folder was left out.
    static func streams(
        at path: String
    ) throws(SegmentError) -> (streams: [RecordedStream], isPartial: Bool) {
        var isPartial = false
        let streams = try RecordedStream.all(at: path) { error in
            complain(ofLeftOut: error)
            isPartial = true
        }
        if streams.isEmpty { throw .notASegment(path: path) }
        return (streams, isPartial)
    }

    /// Says which file was left out and why.
    static func complain(ofLeftOut error: SegmentError) { printError("lob: left out: \(error)") }

    /// All shards.
    var streams: [RecordedStream] { recordings.flatMap(\.streams) }

    /// All paths, for display.
    var name: String { recordings.map(\.path).joined(separator: ", ") }

    /// Every segment.
    var files: [String] { streams.flatMap { $0.segments.map(\.path) } }

    /// The symbols of all runs.
    var symbols: Set<SymbolName> { Set(terms.flatMap { $0.symbolNames ?? [] }) }

    /// The market of all runs.
    ///
    /// - Parameter doing: what cannot be done with several.
    func market(doing: String) throws -> Market {
        guard let market = terms.first?.knownMarket else {
            printError("lob: \(recordings.first?.path ?? ""): nothing in it says what it is of")
            throw ExitCode(1)
        }
        if terms.contains(where: { $0.knownMarket != market }) {
            throw ValidationError("These recordings are of several markets; \(doing) each by itself.")
        }
        return market
    }
}
