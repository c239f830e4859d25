// What a run amounted to.

import MarketData

/// The first invariant that a run violated.
package struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
    /// Virtual second of the run.
    package var second: Double
    /// Symbol it concerns, empty if none.
    package var symbol: SymbolName
    /// Which invariant.
    package var invariant: Invariant
    /// What was violated.
    package var what: String

    /// One line for people.
    package var description: String {
        "second \(second): \(symbol.isEmpty ? "" : "\(symbol): ")\(what) [\(invariant)]"
    }
}

/// What a run amounted to.
package struct PipelineOutcome: Sendable {
    /// Virtual seconds that passed.
    package var seconds: Double = 0
    /// Frames the engine stepped.
    package var frames = 0
    /// Depth updates applied to served books.
    package var applied = 0
    /// Times a live book was compared with the true one, all its proven levels.
    package var comparisons = 0
    /// Levels compared.
    package var comparedLevels = 0
    /// Times a book lost its trust.
    package var resyncs = 0
    /// Audits that were finished.
    package var audits = 0
    /// Snapshot requests sent.
    package var requests = 0
    /// Faults that struck.
    package var faults = 0
    /// Frames lost in the full ring.
    package var overflows = 0
    /// Connections dialled.
    package var dials = 0
    /// Connections replaced beside a serving one.
    package var replacements = 0
    /// Requests to resubscribe a symbol.
    package var resubscriptions = 0
    /// Times a snapshot proved a served book to be behind.
    package var behind = 0
    /// Times that the replica's live book was held against the true one.
    package var replicaComparisons = 0
    /// Times that replica and primary were live at the same id and their digests compared.
    package var digestsCompared = 0
    /// Messages that found no room in the replica's tap.
    package var replicaDrops = 0
    /// Copies of the primary's books that the replica used.
    package var replicaSnapshots = 0
    /// Times a book of the replica lost its trust.
    package var replicaResyncs = 0
    /// Times a book came to be believed, its first time included, that took a snapshot.
    package var doubts = 0
    /// Of these, how many by the first snapshot that was not too old, within two updates of its arrival.
    package var promptDoubts = 0
    /// Of these again, how many when a second snapshot confirmed the first before an update did.
    package var confirmedDoubts = 0
    /// Times a book came to be believed without a snapshot.
    package var freeDoubts = 0
    /// Most bytes in the buffers of an engine together.
    package var bufferedBytesMost = 0
    /// When the trouble of the plan began to mislead, was noticed, and was over, in virtual seconds of it.
    package var notice: Notice?
    /// Seconds after the end of the faults until every symbol was live and up to date.
    package var recoverySeconds: Double = 0
    /// A hash of every id at which a book was live, in order, and of the books at the end.
    package var trail: UInt64 = 0
    /// What went wrong, nil if nothing did.
    package var violation: Violation?

    /// An outcome of nothing.
    package init() {}
}

extension PipelineOutcome {
    /// Adds another run's numbers to these; the trail depends on the order.
    package mutating func add(_ other: PipelineOutcome) {
        seconds += other.seconds
        frames += other.frames
        applied += other.applied
        comparisons += other.comparisons
        comparedLevels += other.comparedLevels
        resyncs += other.resyncs
        audits += other.audits
        requests += other.requests
        faults += other.faults
        overflows += other.overflows
        dials += other.dials
        replacements += other.replacements
        resubscriptions += other.resubscriptions
        behind += other.behind
        replicaComparisons += other.replicaComparisons
        digestsCompared += other.digestsCompared
        replicaDrops += other.replicaDrops
        replicaSnapshots += other.replicaSnapshots
        replicaResyncs += other.replicaResyncs
        doubts += other.doubts
        promptDoubts += other.promptDoubts
        confirmedDoubts += other.confirmedDoubts
        freeDoubts += other.freeDoubts
        bufferedBytesMost = max(bufferedBytesMost, other.bufferedBytesMost)
        trail = (trail ^ other.trail) &* 0x9E37_79B9_7F4A_7C15
    }
}
