// `lob replay` of a recording made by `lob run --record`: runs the frames of each shard through an engine, at
// any speed.

import ArgumentParser
import BinanceVenue
import BookEngine
import BookRecording
import DepthBook
import LobRecording
import MarketData

extension ReplayCommand {
    /// Replays recordings.
    func replay(recordings paths: [String]) throws {
        if record != nil || !snapshot.isEmpty {
            throw ValidationError("--record and --snapshot are for captures, not for recordings of lob run.")
        }
        var (isFaulty, lacksSymbols) = (false, false)
        for path in paths {
            do throws(SegmentError) {
                let (streams, isPartial) = try RecordingInputs.streams(at: path)
                isFaulty = isFaulty || isPartial
                let missing = part.missing(in: streams, path)
                lacksSymbols = lacksSymbols || !missing.isEmpty
                if missing == part.symbols { continue }
                var isEmpty = true
                for stream in streams {
                    let result = try replay(stream, path)
                    for error in result.leftOut { RecordingInputs.complain(ofLeftOut: error) }
                    isFaulty = isFaulty || result.isFaulty
                    isEmpty = isEmpty && (result.isEmpty || result.symbols.isEmpty)
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

    private func replay(
        _ stream: RecordedStream, _ path: String
    ) throws(SegmentError) -> RecordingVerification {
        var pacer = ReplayPacer()
        var progress = ProgressLine()
        let clock = Stopwatch()
        let span = stream.roughSpanNs
        let beginNs = part.from?.ns ?? .min
        let result = try RecordingVerification(
            stream, fromNs: beginNs, toNs: part.to?.ns ?? .max, only: part.symbols, keepsLevels: true,
            levelsPerFrame: RecordingVerification.levelsPerFrameOfReplay
        ) { atNs in
            // Frames between the snapshot copies and the requested time are not paced.
            if case .times(let factor) = speed, atNs >= beginNs { pacer.wait(until: atNs, factor: factor) }
            progress.show(path, Double(atNs - span.fromNs) / Double(max(span.toNs - span.fromNs, 1)))
            return !StopSignals.isRaised
        }
        progress.clear()
        let terms = RecordedTable(result, path: path, shard: Int(stream.shard), elapsedNs: clock.elapsedNs)
        let report = ReplayReport(
            market: result.market ?? .spot, printsBook: book, malformed: 0, depth: depth,
            isPaced: speed != .max)
        let symbols = result.symbols.map { $0.replayed(depth: depth) }
        if json {
            for symbol in symbols { Output.write(report.json(symbol)) }
            printError(terms.text)
        } else {
            Output.write(terms.text)
            if book { for symbol in symbols { Output.write(report.ladder(symbol)) } }
        }
        return result
    }
}

extension VerifiedSymbol {
    /// The same in the form of a capture's results.
    fileprivate func replayed(depth: Int) -> ReplayedSymbol {
        var status = status
        status.counters = totals
        return ReplayedSymbol(
            status: status, bids: Array(bids.prefix(depth)), asks: Array(asks.prefix(depth)), digest: digest,
            mismatches: [], bodies: SymbolBodies(), incident: nil,
            isCut: max(bids.count, asks.count) > depth)
    }
}

/// The results of a replayed recording as a table.
private struct RecordedTable {
    let result: RecordingVerification
    let path: String
    let shard: Int
    let elapsedNs: Int64

    init(_ result: RecordingVerification, path: String, shard: Int, elapsedNs: Int64) {
        (self.result, self.path, self.shard, self.elapsedNs) = (result, path, shard, elapsedNs)
    }

    private var leftOut: String {
        let count = result.counters.digestsLeftOut
        return count == 0 ? "" : ", \(count) left out (lob verify compares all)"
    }

    var text: String {
        var rows = [
            [
                "symbol", "state", "applied", "gaps", "bids", "asks", "best bid", "best ask", "tickers",
                "digest",
            ]
        ]
        for symbol in result.symbols {
            let (status, c) = (symbol.status, symbol.totals)
            let state = status.state == .stale ? "stale (\(status.reason))" : "\(status.state)"
            func price(_ level: PriceLevel?) -> String {
                guard let level, let scales = status.scales else { return "-" }
                return scales.text(level.price)
            }
            rows.append([
                "\(status.symbol)", state, "\(c.applied)", "\(symbol.gapCount)", "\(symbol.bids.count)",
                "\(symbol.asks.count)", price(symbol.bids.first), price(symbol.asks.first),
                "\(c.tickersAgreed)/\(c.tickersCompared)", hexadecimal(symbol.digest),
            ])
        }
        let counters = result.counters
        let seconds = max(Double(elapsedNs) / 1e9, 1e-9)
        return renderTable(rows, leftAligned: [0, 1])
            + "\n\(path), shard \(shard): \(counted(counters.frames, "frame")), digests "
            + "\(counters.digestsAgreed)/\(counters.digestsCompared)\(leftOut); \(fixed(seconds, 3)) s "
            + "with reading and unpacking: \(rounded(Double(counters.frames) / seconds)) frames/s"
    }
}
