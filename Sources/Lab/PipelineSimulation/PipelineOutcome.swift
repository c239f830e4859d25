// The result of a run.

import MarketData

/// The first invariant that a run violated.
package struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
    /// Virtual second of the run.
    package var second: Double
    /// The symbol concerned; empty if none.
    package var symbol: SymbolName
    /// Which invariant.
    package var invariant: Invariant
    /// What was violated.
    package var what: String

    /// One line of text.
    package var description: String {
        "second \(second): \(symbol.isEmpty ? "" : "\(symbol): ")\(what) [\(invariant)]"
    }
}

/// The result of a run.
package struct PipelineOutcome: Sendable {
    /// Virtual seconds that passed.
    package var seconds: Double = 0
    /// Frames the engine stepped.
    package var frames = 0
    /// Depth updates applied to served books.
    package var applied = 0
    /// Times a live book was compared with the true one, all its proven levels.
    package var comparisons = 0
    /// Number of levels compared.
    package var comparedLevels = 0
    /// Number of times a book became stale.
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
    /// Connections that replaced a serving one.
    package var replacements = 0
    /// Requests to resubscribe a symbol.
    package var resubscriptions = 0
    /// Number of times a snapshot proved a served book to be behind.
    package var behind = 0
    /// Number of times the replica's live book was compared with the true one.
    package var replicaComparisons = 0
    /// Number of times replica and primary were live at the same id and had their digests compared.
    package var digestsCompared = 0
    /// Messages that found no room in the replica's tap.
    package var replicaDrops = 0
    /// Copies of the primary's books that the replica used.
    package var replicaSnapshots = 0
    /// Number of times a book of the replica became stale.
    package var replicaResyncs = 0
    /// How doubts about books ended, including the first one of each symbol.
    package var doubts = DoubtCounts()
    /// Maximum number of bytes in the buffers of an engine together.
    package var bufferedBytesMost = 0
    /// When the fault of the plan began to mislead, was noticed, and was over, in virtual time.
    package var notice: Notice?
    /// Seconds after the end of the faults until every symbol was live and up to date.
    package var recoverySeconds: Double = 0
    /// A hash of every id at which a book was live, in order, and of the books at the end.
    package var trail: UInt64 = 0
    /// What went wrong, nil if nothing did.
    package var violation: Violation?

    /// An empty outcome.
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
        doubts.add(other.doubts)
        bufferedBytesMost = max(bufferedBytesMost, other.bufferedBytesMost)
        trail = (trail ^ other.trail) &* 0x9E37_79B9_7F4A_7C15
    }
}
