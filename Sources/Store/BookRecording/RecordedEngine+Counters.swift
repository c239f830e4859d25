// Counters and findings of a replay.

import BookEngine
import MarketData

extension RecordedEngine {
    /// Something in the recording that differs from what its frames make.
    package struct Mismatch: Hashable, Sendable {
        /// Symbol concerned.
        package var symbol: SymbolName
        /// When, in nanoseconds since 1970.
        package var atNs: Int64
        /// What is wrong, for display.
        package var what: String
    }

    /// Counters of a replay.
    package struct Counters: Hashable, Sendable {
        /// Frames of the feed.
        package var frames = 0
        /// Frames of kinds unknown to this build; they are skipped.
        package var unknownFrames = 0
        /// Frames of the recorder with impossible content.
        package var unreadableRecords = 0
        /// Copies of books, and those that matched the frames' result.
        package var booksCompared = 0
        /// See `booksCompared`.
        package var booksAgreed = 0
        /// Copies that were left out: frames alone had made the book, and the replay is no verification.
        package var booksLeftOut = 0
        /// Copies from which a book continued.
        package var booksAdopted = 0
        /// Digests, and those that matched the frames' result.
        package var digestsCompared = 0
        /// See `digestsCompared`.
        package var digestsAgreed = 0
        /// Digests of books that cannot be known here.
        package var digestsUnknown = 0
        /// Digests that were not compared, to save time.
        package var digestsLeftOut = 0
        /// Snapshots at the id of a book, after a gap, that were not applied, and those that agreed.
        package var snapshotsCompared = 0
        /// See `snapshotsCompared`.
        package var snapshotsAgreed = 0
        /// Missing or damaged blocks that no gap lists.
        package var unlistedBlocks = 0
    }
}

extension SymbolCounters {
    /// Adds the counters relevant to verification.
    mutating func add(_ other: SymbolCounters) {
        let paths: [WritableKeyPath<SymbolCounters, Int>] = [
            \.applied, \.gaps, \.resyncs, \.snapshots, \.tickersCompared, \.tickersAgreed, \.partialsCompared,
            \.partialsAgreed, \.checksumsCompared, \.checksumsAgreed, \.auditsCompared, \.auditsAgreed,
            \.crossings, \.unreadable, \.dropped,
        ]
        for path in paths { self[keyPath: path] += other[keyPath: path] }
    }
}
