// What is examined after every frame, and what is remembered between frames. `Invariant` says what must hold;
// here is the loop: a frame that names a symbol touches only that one, a tick and everything else touch all
// of them. The comparison with the true book is in Pipeline+Truth.swift, time limits are in
// Pipeline+Bounds.swift, and the end of doubts is in Pipeline+Doubts.swift.

import BinanceVenue
import BookEngine
import DepthBook
import DepthFeed
import LobHandoff
import MarketData
import SimulatedExchange

/// A frame that the engine has just taken.
struct SteppedFrame {
    var kind: FrameKind
    var source: UInt16
    var facts: FrameFacts
    /// Whether the engine reported that it cannot read it.
    var isRefused: Bool
    /// When it was received, in the venue's time.
    var atUs: Int64
}

/// What the checker remembers of one symbol.
struct SymbolWatch {
    let reader: LatestValueReader<BookView>
    var view = BookView()
    var version: UInt64?
    var counters = SymbolCounters()
    /// Update id of the book after the previous frame.
    var lastID = UpdateID(0)
    /// Update id at which the live book was last compared.
    var comparedAt: UpdateID?
    /// The last id that its connection has handed to the live book.
    var handed: (source: UInt16, last: UpdateID)?
    /// Since when its connection has not carried its stream although it is live.
    var lackingSinceUs: Int64?
    /// The first ticker or partial depth that was and still is ahead of the book, and when it arrived.
    var ahead: (id: Int64, sinceUs: Int64)?
    /// The first update of another connection that was and still is ahead of the book, when it arrived and
    /// where.
    var aside: (id: Int64, sinceUs: Int64, source: UInt16)?
    /// The last update of its connection that was lost or could not be read, and when.
    var lost: (id: Int64, atUs: Int64, source: UInt16)?
    /// Id of the last ticker of its connection.
    var tickerID: Int64?
    /// When a false snapshot was last handed over, or when the venue last failed to answer since.
    var poisonedUs: Int64?
    /// When a snapshot of the past was last handed over.
    var pastUs: Int64 = .min
    /// Until when a contradiction does not count as a false alarm.
    var excusedUntilUs: Int64 = 0
    /// Since when updates on its connection have been arriving later than is allowed.
    var lateSinceUs: Int64?
    /// The connection they came from.
    var lateSource: UInt16?
    /// Updates on each connection since the last one opened.
    var delivered: [UInt16: Int] = [:]
    /// The doubt about it; nil while it is believed.
    var doubt: Doubt? = Doubt()
    /// Its connection, and how often it had been subscribed again, after the frame before.
    var source: UInt16?
    var resubscriptions = 0
    /// Whether it has been as far as the venue since the last fault, and live ever since.
    var hasRecovered = false

    init(reader: LatestValueReader<BookView>) { self.reader = reader }

    var isLive: Bool { view.state == .live }
}

/// What the checker remembers of one connection: when a message last arrived, and how many messages in a row
/// arrived within half a second of each other.
struct SourceWatch {
    var heardUs: Int64
    var steadyCount = 0
    /// Updates in a row that were faster than any believed so far by more than a second: as many as eight may
    /// be wrong about their times.
    var tooFastCount = 0
}

/// What the checker remembers between frames.
struct PipelineChecker {
    var symbols: [SymbolWatch] = []
    var sources: [UInt16: SourceWatch] = [:]
    /// The shortest time from an update to its arrival so far.
    var fastestUs = Int64.max

    /// How much later than the fastest an update of a connection came that took this long.
    mutating func lateUs(_ delayUs: Int64, on source: UInt16) -> Int64 {
        if fastestUs != .max && delayUs < fastestUs - 1_000_000 {
            sources[source]?.tooFastCount += 1
            if sources[source]?.tooFastCount ?? 0 < 8 { return 0 }
        }
        sources[source]?.tooFastCount = 0
        fastestUs = min(fastestUs, delayUs)
        return delayUs - fastestUs
    }

    mutating func excuse(untilUs: Int64) {
        for index in symbols.indices { symbols[index].excusedUntilUs = untilUs }
    }
}

extension Pipeline {
    /// The engine took a depth update.
    func noteUpdate(from source: UInt16) {
        let update = engine.lastUpdate
        guard let index = symbols.firstIndex(of: update.symbol), engine.source(of: update.symbol) == source
        else { return }
        // Ids of an earlier epoch, or that no stream can have, are no progress.
        if formerSources.contains(source) || update.last.value >= Pipeline.idMax { return }
        let before = checker.symbols[index].handed.flatMap { $0.source == source ? $0.last : nil }
        checker.symbols[index].handed = (source, max(update.last, before ?? update.last))
    }

    /// Examines what a frame can have touched.
    func check(_ frame: SteppedFrame) {
        noteTimes(frame)
        let named = [frame.facts.index, frame.facts.otherIndex].compactMap { $0 }
            .filter(symbols.indices.contains)
        if !named.isEmpty {
            for index in named { check(index, frame) }
        } else if frame.kind == .message && frame.facts.isNamed {
            // For a symbol that nobody asked for.
        } else if frame.kind != .message || frame.isRefused {
            for index in symbols.indices { check(index, frame) }
        }
        switch frame.kind {
        case .tick: checkBounds(atUs: frame.atUs)
        case .connected: noteConnected(frame)
        case .retired: checkHandover(frame)
        case .message, .disconnected, .depthSnapshot, .snapshotFailed, .dropped, .snapshotRequested,
            .resubscribed:
            break
        }
        checkTerms()
    }

    private func checkTerms() {
        let counters = venue.counters
        let used = venue.budget.usedWeight
        if used > venue.budget.weightMax || counters.limitedCount > 0 || counters.bannedCount > 0 {
            violated(
                .terms, SymbolName(), "the venue counted \(used) of \(venue.budget.weightMax) and refused")
        }
        if counters.defianceCount > 0 { violated(.terms, SymbolName(), "a request during a ban") }
    }

    private func check(_ index: Int, _ frame: SteppedFrame) {
        guard let status = engine.status(symbols[index]) else { return }
        let seen = checker.symbols[index].version
        if case .new(let version) = checker.symbols[index].reader.read(
            into: &checker.symbols[index].view, ifNewerThan: seen)
        {
            checker.symbols[index].version = version
        }
        checkCounters(index, status, frame)
        noteDoubt(index, status, frame)
        let view = checker.symbols[index].view
        if view.state != status.state || (view.state == .live && view.lastUpdateID != status.lastUpdateID) {
            violated(
                .shown, symbols[index],
                "the view says \(view.state) at \(view.lastUpdateID), the engine \(status.state) at "
                    + "\(status.lastUpdateID)")
        }
        if status.state != .live {
            checker.symbols[index].comparedAt = nil
            return
        }
        if let handed = checker.symbols[index].handed, handed.last > status.lastUpdateID {
            violated(
                .handed, symbols[index], "live at \(status.lastUpdateID), behind update \(handed.last)")
        }
        checkLost(index, status)
        checkAtOnce(index, frame)
        let isKnown = checker.symbols[index].comparedAt == status.lastUpdateID
        if !isKnown { follow(UInt64(bitPattern: status.lastUpdateID.value)) }
        // Four ticks per second change no book; one of them is examined nevertheless.
        let isIdleTick = frame.kind == .tick && frame.atUs % 1_000_000 >= Pipeline.tickUs
        if isKnown && (frame.kind == .message || isIdleTick) { return }
        checker.symbols[index].comparedAt = status.lastUpdateID
        compare(index, status, isKnown: isKnown, atUs: frame.atUs)
    }

    private func checkCounters(_ index: Int, _ status: SymbolStatus, _ frame: SteppedFrame) {
        let now = status.counters
        let before = checker.symbols[index].counters
        checker.symbols[index].counters = now
        if status.bufferedBytes > 2 * PipelinePlan.bufferBytesMax {
            violated(.buffers, status.symbol, "\(status.bufferedBytes) bytes buffered")
        }
        if now.behind != before.behind && frame.atUs >= (restartedUs ?? 0) + 120_000_000 {
            let shown = venue.shownID(of: status.symbol) ?? UpdateID(0)
            if shown <= checker.symbols[index].lastID {
                violated(.behind, status.symbol, "called behind, and is not")
            }
        }
        checker.symbols[index].lastID = status.lastUpdateID
        // What a false snapshot left behind may be found long after it, if nobody answered meanwhile.
        if frame.atUs < checker.symbols[index].excusedUntilUs || checker.symbols[index].poisonedUs != nil {
            return
        }
        func grew(_ counter: KeyPath<SymbolCounters, Int>) -> Int {
            now[keyPath: counter] - before[keyPath: counter]
        }
        let symbol = status.symbol
        if grew(\.tickersAgreed) != grew(\.tickersCompared) {
            violated(.alarms, symbol, "a ticker contradicts the book")
        }
        if grew(\.partialsAgreed) != grew(\.partialsCompared) {
            violated(.alarms, symbol, "a partial depth contradicts the book")
        }
        if grew(\.auditsAgreed) != grew(\.auditsCompared) {
            let found = status.lastDifference.map { "\($0)" } ?? "a difference"
            violated(.alarms, symbol, "an audit found \(found)")
        }
        if grew(\.crossings) > 0 { violated(.alarms, symbol, "the book crossed") }
        if grew(\.snapshotsRefuted) > 0 { violated(.alarms, symbol, "a true snapshot was refuted") }
    }

    func follow(_ number: UInt64) {
        outcome.trail = (outcome.trail ^ number) &* 0x9E37_79B9_7F4A_7C15
    }

    func violated(_ invariant: Invariant, _ symbol: SymbolName, _ what: String) {
        if outcome.violation != nil || !plan.invariants.contains(invariant) { return }
        let second = Double((venue.nowUs - venue.configuration.startUs) / 1000) / 1000
        outcome.violation = Violation(second: second, symbol: symbol, invariant: invariant, what: what)
    }

    /// Whether every symbol is live, and has been as far as the venue's stream since it last became so. Busy
    /// symbols are that far for moments only, and not all in the same one.
    func isRecovered() -> Bool {
        var count = 0
        for index in symbols.indices {
            let watch = checker.symbols[index]
            let isThere = watch.view.lastUpdateID == venue.shownID(of: symbols[index])
            checker.symbols[index].hasRecovered = watch.isLive && (watch.hasRecovered || isThere)
            if checker.symbols[index].hasRecovered { count += 1 }
        }
        return count == symbols.count
    }

    func reportNotRecovered() {
        for (index, symbol) in symbols.enumerated() where !checker.symbols[index].hasRecovered {
            guard let status = engine.status(symbol) else { continue }
            let shown = venue.shownID(of: symbol)?.value ?? 0
            return violated(
                .recovery, symbol,
                "\(plan.recoverySeconds) s after the last fault it is \(status.state), \(status.reason), "
                    + "at \(status.lastUpdateID); the venue is at \(shown)")
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
        outcome.overflows = feed.status.latest(FeedStatus()).droppedMessages
        if gauges.highWaterBytes > gauges.capacityBytes {
            violated(.buffers, SymbolName(), "the ring holds more than it can")
        }
    }
}
