// What the server asks a store, and what the store answers. The server knows no database: its caller provides
// the function that reads one.

/// A query for rows of a store.
package struct HistoryQuery: Hashable, Sendable {
    /// A list that a store keeps for its symbols.
    package enum List: String, CaseIterable, Sendable {
        /// Full snapshots, without their levels.
        case snapshots
        /// Comparisons with the venue.
        case audits
        /// Contradictions of tickers and partial depths.
        case mismatches
        /// Periods in which books were not live.
        case gaps
    }

    /// The list.
    package var list: List
    /// Only rows of this symbol; nil: of all symbols.
    package var symbol: String?
    /// Only rows of this day (`2026-11-29`, UTC); nil: of all days.
    package var day: String?
    /// Maximum number of rows; the newest ones are returned.
    package var countMax = 100

    static let countsMax = 1...1_000
}

/// The answer of a store.
package enum HistoryAnswer: Hashable, Sendable {
    /// Rows as JSON objects, oldest first.
    case rows([String])
    /// There is no such day.
    case noSuchDay
    /// The store cannot be read, or not in time.
    case failed
}

/// Reads a store. Called on the server's thread, so it must return at once; the answer may come on any
/// thread, once. Returns false if the query is refused; there is no answer then.
package typealias HistoryProvider =
    @Sendable (HistoryQuery, @escaping @Sendable (HistoryAnswer) -> Void) -> Bool
