// What the books of one engine share: the clock, the connections, the requests, the buffer budget, and
// conclusions from one book that concern the others.

import DepthBook
import MarketData

/// The shared part of an engine. Used only by the engine's thread.
final class EngineShared {
    let configuration: EngineConfiguration
    let defect: EngineDefect
    let buffers: BufferBudget
    var clock = EngineClock()
    var connections: Connections
    var lag = LagMeter()
    var trial = ReconnectTrial()
    /// The connection whose loss put books on trial last; nil if the last one lost put none.
    private var trialSource: UInt16?
    private var oldestDoubt: Int?
    /// Whether `trial` has changed its verdict, so that every book must be told.
    private var trialIsDecided = false
    /// Scratch space for views before they are published.
    var view = BookView()
    /// Pending requests, oldest first.
    var requests = PendingRequests()
    /// Number of times a served book was given up, over all symbols.
    var lossCount = 0
    /// Number of times a served book was replaced by an equal, deeper one, over all symbols.
    var deepeningCount = 0
    /// Number of times a served book was restarted or replaced, over all symbols.
    var replacementCount = 0

    /// Both sides of failed audits, the latest per symbol, oldest first. Whole books: beyond this many
    /// symbols the oldest are dropped, since in one bad hour a venue may contradict all books.
    private(set) var auditSides: [(symbol: SymbolName, sides: AuditSides)] = []
    static let auditSidesMax = 16

    init(_ configuration: EngineConfiguration, _ defect: EngineDefect) {
        self.configuration = configuration
        self.defect = defect
        connections = Connections(lagNsMax: configuration.lagNsMax)
        buffers = BufferBudget(bytesMax: configuration.bufferSumBytesMax)
    }

    var nowNs: Int64 { clock.nowNs }

    /// Keeps both sides of a failed audit.
    func keep(_ sides: AuditSides, of symbol: SymbolName) {
        auditSides.removeAll { $0.symbol == symbol }
        if auditSides.count == EngineShared.auditSidesMax { auditSides.removeFirst() }
        auditSides.append((symbol, sides))
    }

    /// A frame other than a tick advances the clock, and may show that a connection delivers. True if that
    /// one counts as silent.
    func advance(receivedAtNs: Int64, hearing source: UInt16?) -> Bool {
        clock.advance(receivedAtNs: receivedAtNs)
        lag.isExact = clock.isExact
        guard let source else { return false }
        return connections.hear(source, receivedAtNs: receivedAtNs, nowNs: clock.nowNs)
    }

    /// Time has passed; returns the connections that have gone silent.
    func tick(receivedAtNs: Int64, monotonicNs: Int64?) -> [UInt16] {
        clock.tick(receivedAtNs: receivedAtNs, monotonicNs: monotonicNs)
        (lag.isSteady, lag.isExact) = (clock.isSteady, true)
        return connections.newlySilent(nowNs: clock.nowNs)
    }

    func connected(_ source: UInt16, receivedAtNs: Int64) {
        connections.add(source, receivedAtNs: receivedAtNs, nowNs: clock.nowNs)
    }

    /// A connection is gone.
    /// - Parameter oldestDoubt: the first trial since which a book is still in doubt, nil if none is.
    func lost(_ source: UInt16, oldestDoubt: Int?) {
        connections.remove(source)
        trialSource = nil
        self.oldestDoubt = oldestDoubt
    }

    /// Side slots a tick may still walk to count levels: some 10 µs of cold memory.
    static let slotsPerTick = 4096
    var countableSlots = EngineShared.slotsPerTick

    /// A book is kept from a connection that is lost, or taken for lost. All such books are on trial
    /// together.
    func beginTrial(for gone: UInt16) {
        if trialSource == gone { return }
        trialSource = gone
        trial.begin(oldestDoubt: oldestDoubt, nowNs: clock.nowNs)
        // More of them may begin before another connection is lost.
        oldestDoubt = min(oldestDoubt ?? trial.number, trial.number)
    }

    /// Whether every book must be told the verdict; true once.
    func takeVerdict() -> Bool {
        if !trialIsDecided { return false }
        trialIsDecided = false
        return true
    }

    /// A kept book agreed with the venue.
    func proved(isTelling: Bool) {
        if trial.proved(isTelling: isTelling) { trialIsDecided = true }
    }

    /// A kept book was contradicted, or its ids went back.
    func refuted() {
        if trial.refute() { trialIsDecided = true }
    }
}
