// The entries of a store: one row each.

import BookEngine
import DepthBook
import MarketData

/// A period in which a book was not live.
package struct StoredGap: Hashable, Sendable {
    /// Its number within the run.
    package var number: Int
    /// Its symbol.
    package var symbol: SymbolName
    /// When it was found, in nanoseconds since 1970.
    package var fromNs: Int64
    /// When the book was live again; nil while it is not.
    package var toNs: Int64?
    /// Why: a stale book's reason, `syncing` before the first snapshot, `mended` for one that was over before
    /// any look, and `notRunning` for the time between two runs.
    package var reason: String
    /// Last update id of the live book before it; nil if there was none.
    package var idBefore: UpdateID?
    /// First update id of the live book after it; nil while there is none.
    package var idAfter: UpdateID?
}

/// A comparison of a book with a snapshot of the venue at the same update id.
package struct StoredAudit: Hashable, Sendable {
    /// Its symbol.
    package var symbol: SymbolName
    /// When it was noticed, in nanoseconds since 1970.
    package var atNs: Int64
    /// Its outcome.
    package var outcome: AuditOutcome
    /// The difference as text; nil if there was none.
    package var difference: String?
    /// Both books if they differ: ours and the venue's.
    package var sides: [StoredBook] = []
}

/// A contradiction between a book and the venue's best levels.
package struct StoredMismatch: Hashable, Sendable {
    /// Its symbol.
    package var symbol: SymbolName
    /// When it was noticed, in nanoseconds since 1970.
    package var atNs: Int64
    /// `ticker` or `partialDepth`.
    package var check: String
    /// How many there were since the last look.
    package var count: Int
    /// Update id of both sides; nil if not recorded.
    package var updateID: UpdateID?
    /// Ours, as `bid × quantity | ask × quantity`; nil if not recorded.
    package var book: String?
    /// The venue's in the same form.
    package var venue: String?
}

/// A connection event.
package struct StoredConnection: Hashable, Sendable {
    /// When, in nanoseconds since 1970.
    package var atNs: Int64
    /// Number of its shard.
    package var shard: Int
    /// Number of the connection within the shard.
    package var source: UInt16
    /// `connected`, `disconnected`, `retired` or `dropped`.
    package var event: String
}

/// Rows that could not be stored.
package struct StoredLoss: Hashable, Sendable {
    /// When the first was lost, in nanoseconds since 1970.
    package var fromNs: Int64
    /// When the last was lost.
    package var toNs: Int64
    /// Books among them.
    package var books: Int
    /// All other rows.
    package var facts: Int
}

/// One row of a store.
package enum StoreEntry: Hashable, Sendable {
    /// A full snapshot.
    case book(StoredBook)
    /// An audit.
    case audit(StoredAudit)
    /// A contradiction of a cross-check.
    case mismatch(StoredMismatch)
    /// The beginning or end of a gap; the later one replaces the former.
    case gap(StoredGap)
    /// A connection event.
    case connection(StoredConnection)
    /// A book's day so far; the later one replaces the former.
    case report(StoredReport)

    /// Bytes it occupies while waiting for the disk.
    var waitingBytes: Int {
        switch self {
        case .book(let book): book.waitingBytes
        case .audit(let audit): audit.sides.reduce(256) { $0 + $1.waitingBytes }
        case .mismatch, .gap, .connection: 256
        case .report: 2048
        }
    }
}
