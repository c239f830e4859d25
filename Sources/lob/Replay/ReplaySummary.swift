// The results of a replay.

import BookEngine
import DepthBook
import MarketData

/// One symbol at the end of a replay.
struct ReplayedSymbol {
    var status: SymbolStatus
    var bids: [PriceLevel]
    var asks: [PriceLevel]
    var digest: UInt64
    /// The first mismatch of each cross-check.
    var mismatches: [VenueMismatch]
    /// The results of its bodies.
    var bodies: SymbolBodies
    /// Why it last became stale, or stayed so.
    var incident: String?
    /// Sides that were cut to fewer levels, and why.
    var isCut = false
    /// Number of frames of a raw partial depth stream that may belong to it, and their number of levels.
    var topOnly: (count: Int, levels: Int) = (0, 0)

    /// Sides whose best level is not proven to be the best.
    var unprovenSides: [Side] {
        Side.allCases.filter { side in
            let range = side == .bid ? status.provenBids : status.provenAsks
            guard let best = (side == .bid ? bids : asks).first else { return range != .unbounded }
            return !range.reaches(best.price, on: side)
        }
    }

    /// Whether anything is wrong with it.
    var isFaulty: Bool {
        let c = status.counters
        return status.state != .live || c.tickersAgreed != c.tickersCompared
            || c.partialsAgreed != c.partialsCompared || c.checksumsAgreed != c.checksumsCompared
            || bodies.mismatches > 0 || !unprovenSides.isEmpty
            || c.snapshotsRefuted > 0
    }
}

/// A whole replay.
struct ReplaySummary {
    var lines = 0
    var frames = 0
    var elapsedNs: Int64 = 0
    /// Time spent reading and unpacking the captures, which is not part of `elapsedNs`.
    var readingNs: Int64 = 0
    var engine = EngineCounters()
    var symbols: [ReplayedSymbol] = []
    /// Ids missing between the updates.
    var holes = CaptureHoles()
    /// Why a file could not be read to its end.
    var damage: String?
    /// Whether a signal ended it before the capture did.
    var isInterrupted = false
    var clock = Stopwatch()
    /// Number of lines that could not be used.
    var malformedCount = 0
    /// Notes besides the results.
    var notes: [String] = []

    /// Whether anything disagreed, was malformed or incomplete.
    var isFaulty: Bool { damage != nil || malformedCount > 0 || symbols.contains { $0.isFaulty } }
}

extension Replay {
    /// Ends the replay and returns its results.
    ///
    /// - Parameter depth: maximum number of levels shown per side.
    consuming func finish(depth: Int) throws -> ReplaySummary {
        try finishRecording()
        summary.elapsedNs = max(summary.clock.elapsedNs - summary.readingNs, 0)
        summary.engine = engine.counters
        summary.notes = notes.lines
        summary.malformedCount = notes.faultCount
        for file in survey.files {
            for line in file.foreignLines.entries {
                summary.notes.append(line.sentence(file.files.name))
                if line.kind.isFault { summary.malformedCount += line.count }
            }
        }
        for name in engine.symbols.sorted() {
            guard let status = engine.status(name) else { continue }
            summary.symbols.append(result(name, status, depth))
        }
        return summary
    }

    private func result(_ name: SymbolName, _ status: SymbolStatus, _ depth: Int) -> ReplayedSymbol {
        var status = status
        let book = books[name]
        var sides: (bids: [PriceLevel], asks: [PriceLevel]) = ([], [])
        engine.withBook(name) { sides = (bids: $0.levels(.bid), asks: $0.levels(.ask)) }
        var isCut = book?.isCutAtLoad ?? false
        if let loaded = book?.loaded, let old = loaded.scales, let new = status.scales {
            let bids = loaded.bids.scaled(from: old, to: new)
            let asks = loaded.asks.scaled(from: old, to: new)
            isCut =
                isCut || bids.map { reachesFurther($0, status.provenBids, .bid) } ?? false
                || asks.map { reachesFurther($0, status.provenAsks, .ask) } ?? false
        }
        if let deeper = book?.bodies.deeper, status.state == .live,
            deeper.book.lastUpdateID == status.lastUpdateID, deeper.book.scales == status.scales
        {
            if reachesFurther(deeper.book.provenBids, status.provenBids, .bid) {
                sides.bids = deeper.book.levels(.bid)
                status.provenBids = deeper.book.provenBids
            }
            if reachesFurther(deeper.book.provenAsks, status.provenAsks, .ask) {
                sides.asks = deeper.book.levels(.ask)
                status.provenAsks = deeper.book.provenAsks
            }
        }
        if max(sides.bids.count, sides.asks.count) > depth { isCut = true }
        status.provenBids = cut(&sides.bids, depth, status.provenBids)
        status.provenAsks = cut(&sides.asks, depth, status.provenAsks)
        var symbol = ReplayedSymbol(
            status: status, bids: sides.bids, asks: sides.asks,
            digest: BookDigest.digest(bids: sides.bids, asks: sides.asks),
            mismatches: engine.mismatches(of: name), bodies: book?.bodies ?? SymbolBodies(),
            incident: book?.watch.incident, isCut: isCut)
        for (index, file) in survey.files.enumerated() where survey.owner(inFile: index) == name {
            symbol.topOnly.count += file.topOnly.count
            symbol.topOnly.levels = max(symbol.topOnly.levels, file.topOnly.levels)
        }
        return symbol
    }

    /// Reduces a side to `depth` levels, and returns how far it is proven then.
    private func cut(_ levels: inout [PriceLevel], _ depth: Int, _ range: ProvenRange) -> ProvenRange {
        if levels.count <= depth { return range }
        levels.removeLast(levels.count - depth)
        guard let worst = levels.last?.price else { return range }
        switch range {
        case .nothing: return .nothing
        case .unbounded: return .to(worst)
        // Of the two ends of the range, the first one counts.
        case .to(let price):
            let isBid = levels[0].price > worst
            return .to(isBid ? max(price, worst) : min(price, worst))
        }
    }
}
