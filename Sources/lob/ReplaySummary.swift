// What came of a replay.

import BookEngine
import DepthBook
import MarketData

/// One symbol at the end of a replay.
struct ReplayedSymbol {
    var status: SymbolStatus
    var bids: [PriceLevel]
    var asks: [PriceLevel]
    var digest: UInt64
    /// The first disagreement of each oracle.
    var disagreements: [OracleDisagreement]

    /// Whether something is wrong with it.
    var isFaulty: Bool {
        let c = status.counters
        return status.state != .live || c.tickersAgreed != c.tickersCompared
            || c.partialsAgreed != c.partialsCompared
            || c.snapshotsRefuted > 0
    }
}

/// A whole replay.
struct ReplaySummary {
    var lines = 0
    var frames = 0
    var elapsedNs: Int64 = 0
    var engine = EngineCounters()
    var symbols: [ReplayedSymbol] = []
    /// Why a file could not be read to its end.
    var damage: String?
    /// Whether a signal ended it before the capture did.
    var isInterrupted = false
    let clock = Stopwatch()
    private var reported = 0

    /// Whether something disagreed, was malformed or incomplete.
    var isFaulty: Bool {
        damage != nil || engine.malformed > 0 || reported > 0 || symbols.contains { $0.isFaulty }
    }

    /// Reports a line that could not be used; after ten only the count goes on.
    mutating func malformed(_ origin: String, _ why: String) {
        reported += 1
        if reported <= 10 { printError("\(origin): \(why)") }
        if reported == 11 { printError("further malformed lines are only counted") }
    }

    /// Lines that could not be used.
    var malformedCount: Int { reported }
}
