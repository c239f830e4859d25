import BookEngine
import DepthBook
import LobRecording
import MarketData

@testable import BookRecording

/// A whole replay, with the books after every update.
struct Replayed {
    var counters = RecordedEngine.Counters()
    var mismatches: [RecordedEngine.Mismatch] = []
    var standings: [Standing] = []
    var gaps: [RecordedGap] = []
    var finals: [SymbolName: UInt64] = [:]

    init(_ folder: String, fromNs: Int64 = .min) throws {
        let stream = try RecordedStream.all(at: folder)[0]
        var walk = RecordingWalk(stream, fromNs: fromNs)
        var engine = RecordedEngine(isExact: walk.beginsAtRun)
        var pending: SymbolName?
        var collected: [Standing] = []
        var updates = 0
        try walk.forEach { item in
            if case .frame(let frame) = item, frame.frame != nil {
                Replayed.note(&pending, engine, &collected)
                engine.take(item)
                let count = engine.engineCounters.depthUpdates
                if count != updates { pending = engine.lastSymbol }
                updates = count
            } else {
                if case .newRun = item { Replayed.note(&pending, engine, &collected) }
                engine.take(item)
            }
            return true
        }
        Replayed.note(&pending, engine, &collected)
        engine.finish()
        (counters, mismatches, gaps) = (engine.counters, engine.mismatches, engine.gaps.gaps)
        standings = collected
        for symbol in Traffic.symbols { finals[symbol] = engine.withBook(symbol) { $0.digest() } }
    }

    /// After the copies that follow an update, if any do.
    private static func note(
        _ pending: inout SymbolName?, _ engine: borrowing RecordedEngine, _ standings: inout [Standing]
    ) {
        guard let symbol = pending else { return }
        pending = nil
        guard engine.isTrusted(symbol),
            let standing = engine.withBook(
                symbol,
                {
                    Standing(symbol: symbol, id: $0.lastUpdateID, digest: $0.digest())
                })
        else { return }
        standings.append(standing)
    }
}
