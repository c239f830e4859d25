// What the books of one engine have in common: the clock, the connections, the wishes, the budget of their
// buffers, and what one book's experience means for the others.

import BinanceDepth

/// The common part of an engine. Used by the engine's thread only.
final class EngineShared {
    let configuration: EngineConfiguration
    let defect: EngineDefect
    let rule: SequenceRule
    let buffers: BufferBudget
    var clock = EngineClock()
    var connections = Connections()
    var lag = LagMeter()
    var trial = ReconnectTrial()
    /// Whether `trial` has changed its verdict, so that every book is to be told.
    var trialIsDecided = false
    /// What is wanted, oldest first. At most a few for each symbol between two calls of `takeWishes`.
    var wishes: [EngineWish] = []

    init(_ configuration: EngineConfiguration, _ defect: EngineDefect) {
        self.configuration = configuration
        self.defect = defect
        rule = defect.rule ?? SequenceRule.of(configuration.market)
        buffers = BufferBudget(bytesMax: configuration.bufferSumBytesMax)
    }

    var nowNs: Int64 { clock.nowNs }

    /// A kept book agreed with the venue.
    func proved() {
        if trial.proved() { trialIsDecided = true }
    }

    /// A kept book was contradicted, or its ids went back.
    func refuted() {
        if trial.refute() { trialIsDecided = true }
    }
}
