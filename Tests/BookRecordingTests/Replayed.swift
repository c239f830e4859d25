import BookEngine
import DepthBook
import LobRecording
import MarketData

@testable import BookRecording

extension RecordedEngine {
    /// Depth updates so far, and the symbol of the last.
    fileprivate var updates: (count: Int, last: SymbolName?) {
        switch engine {
        case .some(let engine): (engine.counters.depthUpdates, engine.lastUpdate.symbol)
        case nil: (0, nil)
        }
    }
}

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
                let (count, last) = engine.updates
                if count != updates { pending = last }
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
