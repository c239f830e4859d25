// What a replay counts, and what it finds.

import BookEngine
import MarketData

extension RecordedEngine {
    /// Something in the recording that is not what its frames make.
    package struct Mismatch: Hashable, Sendable {
        /// Whose.
        package var symbol: SymbolName
        /// When, in nanoseconds since 1970.
        package var atNs: Int64
        /// What is wrong, for people.
        package var what: String
    }

    /// Counters of a replay.
    package struct Counters: Hashable, Sendable {
        /// Frames of the feed.
        package var frames = 0
        /// Frames of kinds that this build does not know; they are skipped.
        package var unknownFrames = 0
        /// Frames of the recorder that say nothing that can be.
        package var unreadableRecords = 0
        /// Copies of books, and those that are what the frames had made.
        package var booksCompared = 0
        /// See `booksCompared`.
        package var booksAgreed = 0
        /// Copies from which a book went on.
        package var booksAdopted = 0
        /// Digests, and those that are what the frames made.
        package var digestsCompared = 0
        /// See `digestsCompared`.
        package var digestsAgreed = 0
        /// Digests of books that cannot be known here.
        package var digestsUnknown = 0
        /// Snapshots at the id of a book that the frames did not get, behind a hole, and those that agreed.
        package var snapshotsCompared = 0
        /// See `snapshotsCompared`.
        package var snapshotsAgreed = 0
        /// Blocks that are missing or damaged and that no gap lists.
        package var unlistedBlocks = 0
    }
}

extension SymbolCounters {
    /// Adds what a verification looks at.
    mutating func add(_ other: SymbolCounters) {
        let paths: [WritableKeyPath<SymbolCounters, Int>] = [
            \.applied, \.gaps, \.resyncs, \.snapshots, \.tickersCompared, \.tickersAgreed, \.partialsCompared,
            \.partialsAgreed, \.checksumsCompared, \.checksumsAgreed, \.auditsCompared, \.auditsAgreed,
            \.crossings, \.unreadable, \.dropped,
        ]
        for path in paths { self[keyPath: path] += other[keyPath: path] }
    }
}
