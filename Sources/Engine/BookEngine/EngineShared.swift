// What the books of one engine have in common: the clock, the connections, the requests, the budget of their
// buffers, and what one book's experience means for the others.

import MarketData

/// The common part of an engine. Used by the engine's thread only.
final class EngineShared {
    let configuration: EngineConfiguration
    let defect: EngineDefect
    let buffers: BufferBudget
    var clock = EngineClock()
    var connections: Connections
    var lag = LagMeter()
    var trial = ReconnectTrial()
    /// Whether the connection that was lost last has put a book on trial.
    private var trialIsBegun = false
    private var oldestDoubt: Int?
    /// Whether `trial` has changed its verdict, so that every book is to be told.
    private var trialIsDecided = false
    /// What is wanted, oldest first. At most a few for each symbol between two calls of `takeRequests`.
    var requests: [EngineRequest] = []
    /// Times that a served book was given up, over all symbols.
    var lossCount = 0
    /// Times that a served book was replaced by one that says the same and more, over all symbols.
    var deepeningCount = 0
    /// Times that a served book began anew or was replaced, over all symbols.
    var replacementCount = 0

    /// Both sides of audits that found a difference, the latest of each symbol, oldest first. Whole books: of
    /// more symbols than this the oldest are forgotten, since one bad hour of a venue may contradict all.
    private(set) var auditSides: [(symbol: SymbolName, sides: AuditSides)] = []
    static let auditSidesMax = 16

    init(_ configuration: EngineConfiguration, _ defect: EngineDefect) {
        self.configuration = configuration
        self.defect = defect
        connections = Connections(lagNsMax: configuration.lagNsMax)
        buffers = BufferBudget(bytesMax: configuration.bufferSumBytesMax)
    }

    var nowNs: Int64 { clock.nowNs }

    /// Keeps both sides of an audit that found a difference.
    func keep(_ sides: AuditSides, of symbol: SymbolName) {
        auditSides.removeAll { $0.symbol == symbol }
        if auditSides.count == EngineShared.auditSidesMax { auditSides.removeFirst() }
        auditSides.append((symbol, sides))
    }

    /// A frame that is no tick moves the clock, and may show that a connection delivers. True if that one had
    /// been called silent.
    func advance(receivedAtNs: Int64, hearing source: UInt16?) -> Bool {
        clock.advance(receivedAtNs: receivedAtNs)
        lag.isExact = clock.isExact
        guard let source else { return false }
        return connections.hear(source, receivedAtNs: receivedAtNs, nowNs: clock.nowNs)
    }

    /// Time passed; the connections that have fallen silent.
    func tick(receivedAtNs: Int64, monotonicNs: Int64?) -> [UInt16] {
        clock.tick(receivedAtNs: receivedAtNs, monotonicNs: monotonicNs)
        (lag.isSteady, lag.isExact) = (clock.isSteady, true)
        return connections.newlySilent(nowNs: clock.nowNs)
    }

    func connected(_ source: UInt16, receivedAtNs: Int64) {
        connections.add(source, receivedAtNs: receivedAtNs, nowNs: clock.nowNs)
    }

    /// A connection is gone.
    /// - Parameter oldestDoubt: the first trial that a book is still in doubt since, nil if none is.
    func lost(_ source: UInt16, oldestDoubt: Int?) {
        connections.remove(source)
        trialIsBegun = false
        self.oldestDoubt = oldestDoubt
    }

    /// Slots of sides that a tick may still go through to count levels: some 10 µs of cold memory.
    static let slotsPerTick = 4096
    var countableSlots = EngineShared.slotsPerTick

    /// A book is kept of the connection that was lost last. All such are on trial together.
    func beginTrial() {
        if trialIsBegun { return }
        trialIsBegun = true
        trial.begin(oldestDoubt: oldestDoubt, nowNs: clock.nowNs)
    }

    /// Whether every book is to be told the verdict; once.
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
