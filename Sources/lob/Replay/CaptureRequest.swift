// Captures that run through an engine, for whatever is made from its books.

import ArgumentParser
import BinanceVenue
import BookEngine
import BookExports
import Captures
import LobRecording
import MarketData

/// What to replay.
struct CaptureRequest {
    var captures: [String]
    /// The market that was named.
    var market: Market?
    /// Snapshots given besides the captures.
    var snapshots: [String] = []
    /// Maximum number of levels per side of a book.
    var depth = 10_000
    var speed = ReplaySpeed.max
    /// Path of a recording to write meanwhile.
    var record: String?

    /// Runs the captures through an engine.
    ///
    /// - Throws: `ExitCode` 1 if they cannot be used, with the reason on standard error; 130 if it was
    ///   interrupted while a pipe was read.
    func replay() throws -> (summary: ReplaySummary, market: Market) {
        let (summary, market, _) = try run { _, _, _ in nil }
        return (summary, market)
    }

    /// The same, with an exporter that follows the books.
    ///
    /// - Parameter make: makes the exporter, given the market and symbols of the captures and the files that
    ///   are read.
    func export(
        _ make: (Market, [SymbolName], [String]) throws -> BookExporter?
    ) throws -> (summary: ReplaySummary, exporter: BookExporter?) {
        let (summary, _, exporter) = try run(make)
        return (summary, exporter)
    }

    private func run(
        _ make: (Market, [SymbolName], [String]) throws -> BookExporter?
    ) throws -> (ReplaySummary, Market, BookExporter?) {
        do {
            let files = try captures.map { try CaptureFiles(path: $0, isStopped: { StopSignals.isRaised }) }
            let survey = try lob.survey(files)
            if let why = refusal(survey) { throw CaptureRefusal.nothing(why) }
            let market = try captureMarket(self.market, survey)
            let bodies = try GivenBody.all(snapshots, survey)
            var inputs = bodies.map(\.path)
            for file in files {
                inputs.append(file.events)
                if let times = file.times { inputs.append(times) }
                inputs += file.snapshots.map(\.path)
            }
            let exporter = try make(market, survey.symbols, inputs)
            var replay = try Replay(
                CaptureRequest.configuration(market, depth: depth), market, survey, speed: speed,
                recordTo: record,
                bodyCount: bodies.count)
            replay.exporter = exporter
            try replay.run(bodies)
            let last = replay.exporter.take()
            return (try replay.finish(depth: depth), market, last)
        } catch let error as CaptureRefusal {
            throw failure(error)
        } catch let error as SnapshotRefusal {
            throw failure(error)
        } catch ReadingError.interrupted {
            throw ExitCode(130)
        } catch let error as ReadingError {
            throw failure(error)
        } catch let error as WritingError {
            throw failure(error)
        }
    }

    /// How books are made of captures.
    static func configuration(_ market: Market, depth: Int) -> EngineConfiguration {
        var configuration = EngineConfiguration(rules: market.rules)
        configuration.addsUnknownSymbols = true
        configuration.symbolCountMax = CaptureSurvey.symbolCountMax
        configuration.mismatchPolicy = .count
        configuration.publication = .conflated
        // A capture is always late.
        configuration.lagNsMax = 0
        // A book that exceeds its limit drops a sixteenth of its levels: this leaves as many as are shown.
        configuration.levelCountMax = depth + depth / 8 + 32
        return configuration
    }

    private func failure(_ error: some CustomStringConvertible) -> ExitCode {
        printError("lob: \(error)")
        return ExitCode(1)
    }
}
