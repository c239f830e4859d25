// What the server asks of a store, and what it is told. The server knows no database: whoever starts it hands
// in what reads one.

/// Rows of a store that are wanted.
package struct HistoryQuery: Hashable, Sendable {
    /// A list that a store keeps of its symbols.
    package enum List: String, CaseIterable, Sendable {
        /// Full snapshots, without their levels.
        case snapshots
        /// Comparisons with the venue.
        case audits
        /// Contradictions of tickers and partial depths.
        case mismatches
        /// Times in which books were not live.
        case gaps
    }

    /// Which list.
    package var list: List
    /// Only of this symbol; nil: of all.
    package var symbol: String?
    /// Only of this day (`2026-11-29`, UTC); nil: of any.
    package var day: String?
    /// At most so many rows, the newest.
    package var countMax = 100

    static let countsMax = 1...1_000
}

/// What a store answers.
package enum HistoryAnswer: Hashable, Sendable {
    /// Rows as JSON objects, oldest first.
    case rows([String])
    /// No month has such a day.
    case noSuchDay
    /// It cannot be read, or not in time.
    case failed
}

/// Reads a store. Called on the server's thread, so it must return at once; the answer may come on any
/// thread, once. False if the question is not taken, and there will be no answer.
package typealias HistoryProvider =
    @Sendable (HistoryQuery, @escaping @Sendable (HistoryAnswer) -> Void) -> Bool
