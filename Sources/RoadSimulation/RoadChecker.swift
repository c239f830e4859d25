// The invariants, looked at after every frame.
//
// * A level inside the proven range of a live book equals the true book at that id, exactly, and none is
//   missing.
// * A live book is never behind an event that its connection handed to it: it moved the book or cost its
//   trust.
// * The venue's tickers, partial depths, snapshots and audits never contradict a live book: there are no
//   false alarms.
// * Buffers and the ring stay inside their bounds.
// * The venue never had to refuse a request for its weight, never got too many messages or dials, and never
//   had more than two connections to serve.
// * A book is called behind only if it is.
// * When the faults have ended, every symbol is live and up to date within the stated time.

import BinanceDepth
import BookEngine
import DepthBook
import Handoff
import MarketData
import SimulatedExchange

/// What the checker remembers between frames.
struct RoadChecker {
    /// Update id at which each symbol's live book was compared last.
    var comparedAt: [UpdateID?] = []
    /// How often each symbol's book was called behind.
    var behind: [Int] = []
    /// The last id that each symbol's connection has handed to its live book.
    var handed: [(source: UInt16, last: UpdateID)?] = []

    init(symbolCount: Int) {
        comparedAt = Array(repeating: nil, count: symbolCount)
        behind = Array(repeating: 0, count: symbolCount)
        handed = Array(repeating: nil, count: symbolCount)
    }
}

extension Road {
    /// The engine took a depth event.
    func noteEvent(from source: UInt16) {
        let event = engine.lastEvent
        guard let index = symbols.firstIndex(of: event.symbol), engine.source(of: event.symbol) == source
        else { return }
        let before = checker.handed[index].flatMap { $0.source == source ? $0.last : nil }
        checker.handed[index] = (source, max(event.last, before ?? event.last))
    }

    /// Looks at every symbol whose book moved.
    func check(_ kind: FrameKind) {
        for index in symbols.indices {
            guard let status = engine.status(symbols[index]) else { continue }
            checkCounters(status)
            if status.counters.behind != checker.behind[index] {
                checker.behind[index] = status.counters.behind
                let shown = venue.shownID(of: symbols[index]) ?? UpdateID(0)
                if shown <= status.lastUpdateID { violated(symbols[index], "called behind, and is not") }
            }
            if status.state != .live {
                checker.comparedAt[index] = nil
                checker.handed[index] = nil
                continue
            }
            if let handed = checker.handed[index], handed.last > status.lastUpdateID {
                violated(symbols[index], "live at \(status.lastUpdateID), behind event \(handed.last)")
            }
            let isKnown = checker.comparedAt[index] == status.lastUpdateID
            if !isKnown { follow(UInt64(bitPattern: status.lastUpdateID.value)) }
            if isKnown && kind == .message { continue }
            checker.comparedAt[index] = status.lastUpdateID
            compare(symbols[index], status, isKnown: isKnown)
        }
        let used = venue.budget.usedWeight
        if used > venue.budget.weightMax || venue.counters.limitedCount > 0 || venue.counters.bannedCount > 0
        {
            violated(
                SymbolName(), "the venue counted \(used) of \(venue.budget.weightMax) weight and refused")
        }
    }

    private func checkCounters(_ status: SymbolStatus) {
        let c = status.counters
        if c.tickersAgreed != c.tickersCompared { violated(status.symbol, "a ticker contradicts the book") }
        if c.partialsAgreed != c.partialsCompared {
            violated(status.symbol, "a partial depth contradicts the book")
        }
        if c.auditsAgreed != c.auditsCompared {
            violated(
                status.symbol, "an audit found \(status.lastDifference.map { "\($0)" } ?? "a difference")")
        }
        if c.crossings > 0 { violated(status.symbol, "the book crossed") }
        if c.snapshotsRefuted > 0 { violated(status.symbol, "a true snapshot was refuted") }
        if status.bufferedBytes > 2 * engine.configuration.bufferBytesMax {
            violated(status.symbol, "\(status.bufferedBytes) bytes buffered")
        }
    }

    /// Compares all proven levels of a live book with the true book at its id.
    ///
    /// - Parameter isKnown: whether it was compared at this id before; then the venue may have forgotten it.
    private func compare(_ symbol: SymbolName, _ status: SymbolStatus, isKnown: Bool) {
        let checked: String?? = venue.withTruth(of: symbol, at: status.lastUpdateID) { truth in
            engine.withBook(symbol) { book -> String? in
                guard let scales = book.scales else { return "live without a level" }
                if book.proven(.bid) == .nothing || book.proven(.ask) == .nothing {
                    return "live without a proof"
                }
                var comparison = TruthComparison(truth, scales)
                for side in Side.allCases {
                    comparison.compare(side, proven: book.proven(side)) { body in
                        book.forEachLevel(side, body)
                    }
                }
                outcome.comparedLevels += comparison.levelCount
                return comparison.difference
            } ?? "no book"
        }
        guard let checked else {
            if isKnown { return }
            let oldest = venue.oldestKnownID(of: symbol)
            violated(
                symbol,
                "live at \(status.lastUpdateID), unknown to the venue, whose oldest is \(oldest?.value ?? 0)"
            )
            return
        }
        outcome.comparisons += 1
        if let found = checked { violated(symbol, "live at \(status.lastUpdateID): \(found)") }
    }

    private func follow(_ number: UInt64) {
        outcome.trail = (outcome.trail ^ number) &* 0x9E37_79B9_7F4A_7C15
    }

    func violated(_ symbol: SymbolName, _ what: String) {
        if outcome.violation != nil { return }
        let second = Double((venue.nowUs - venue.configuration.startUs) / 1000) / 1000
        outcome.violation = Violation(second: second, symbol: symbol, what: what)
    }

    /// Whether every symbol is live and stands where the venue's stream stands.
    func isRecovered() -> Bool {
        symbols.allSatisfy { symbol in
            guard let status = engine.status(symbol), status.state == .live else { return false }
            return status.lastUpdateID == venue.shownID(of: symbol)
        }
    }

    func reportNotRecovered() {
        for symbol in symbols {
            guard let status = engine.status(symbol) else { continue }
            if status.state != .live || status.lastUpdateID != venue.shownID(of: symbol) {
                let shown = venue.shownID(of: symbol)?.value ?? 0
                violated(
                    symbol,
                    "\(plan.recoverySeconds) s after the last fault it is \(status.state), \(status.reason), "
                        + "at \(status.lastUpdateID); the venue is at \(shown)")
                return
            }
        }
    }

    /// Adds up the run.
    func finish() {
        for symbol in symbols {
            guard let status = engine.status(symbol) else { continue }
            outcome.applied += status.counters.applied
            outcome.resyncs += status.counters.resyncs
            outcome.audits += status.counters.auditsCompared
            outcome.behind += status.counters.behind
            engine.withBook(symbol) { follow($0.digest()) }
        }
        outcome.faults = Fault.allCases.reduce(0) { $0 + venue.counters[$1] }
        outcome.overflows = outbox.droppedMessages
        if gauges.highWaterBytes > gauges.capacityBytes {
            violated(SymbolName(), "the ring holds more than it can")
        }
    }
}
