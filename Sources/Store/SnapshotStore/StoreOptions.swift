// Options and events of a store.

/// Where to store what, and for how long.
package struct StoreOptions: Sendable {
    /// The file; created if it does not exist.
    package var path: String
    /// How often a full snapshot of each book is saved, the books staggered; 0: only on demand and at the
    /// end.
    package var snapshotEveryNs: Int64 = 60_000_000_000
    /// How often a daily report is updated.
    package var reportEveryNs: Int64 = 60_000_000_000
    /// Rows are committed together this often.
    package var batchNs: Int64 = 250_000_000
    /// Most bytes of rows waiting for the disk; further rows are lost, and the loss is stored.
    package var waitingBytesMax = 64 << 20
    /// Older rows are removed, except the newest snapshot of each symbol; nil: never.
    package var keptNsMax: Int64?
    /// The oldest rows are removed while the file uses more bytes than this, except the newest snapshot of
    /// each symbol; nil: never. Removed rows make room for new ones and shorten the file step by step.
    package var keptBytesMax: Int?
    /// Interval of retention.
    package var retentionEveryNs: Int64 = 30_000_000_000
    /// After a refusal the disk is retried this often.
    package var retryEveryNs: Int64 = 1_000_000_000
    /// How long a disk that commits nothing is waited for at the end.
    package var stopNsMax: Int64 = 30_000_000_000
    /// Size of the ring between each feed and the store in bytes, a power of two; frames beyond it are
    /// missed, and the replica requests its books again.
    package var ringBytes = 1 << 23
    /// Added to the system's clock. For tests of midnight.
    package var laterNs: Int64 = 0
    /// Statements run before each batch that make the disk refuse. For tests.
    package var fault: (@Sendable () -> String?)?

    /// The defaults.
    ///
    /// - Parameter path: the file.
    package init(path: String) { self.path = path }
}

/// Loggable events.
package enum StoreEvent: Sendable, Hashable, CustomStringConvertible {
    /// Rows are stored from now on.
    case began(path: String)
    /// An older store was migrated.
    case migrated(path: String)
    /// The disk refuses; it is retried every second, and rows wait as long as there is room.
    case refused(reason: String)
    /// It accepts rows again.
    case resumed
    /// The file was removed or replaced; a new one is started.
    case removed(path: String)
    /// Rows could not be stored; their total number.
    case lost(rows: Int)
    /// At the end the disk was unresponsive with this many rows still waiting.
    case hung(rows: Int, afterNs: Int64)

    /// One line for display.
    package var description: String {
        switch self {
        case .began(let path): "keeping snapshots in \(path)"
        case .migrated(let path): "\(path) was of an older version and has been brought up to date"
        case .refused(let reason): "not keeping snapshots: \(reason); the books go on, and it is tried again"
        case .resumed: "keeping snapshots again"
        case .removed(let path): "\(path) was removed; a new file is begun"
        case .lost(let rows): "\(rows) rows could not be stored so far; the loss is stored"
        case .hung(let rows, let ns):
            "the disk of the store answers no more: not waited for after \(ns / 1_000_000) ms, and "
                + "\(rows) rows could not be stored"
        }
    }

    /// Whether something is wrong.
    package var isTrouble: Bool {
        switch self {
        case .refused, .removed, .lost, .hung: true
        case .began, .migrated, .resumed: false
        }
    }
}

/// Result of a store.
package struct StoreEnd: Hashable, Sendable {
    /// Rows that could not be stored.
    package var lostRows: Int
    /// Whether the disk was unresponsive; the run is then not marked as ended.
    package var isHung: Bool
}

/// Why a store cannot be opened.
package enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No such file.
    case missing(path: String)
    /// It is not a store.
    case notAStore(path: String)
    /// It was written by a later version of this program.
    case newer(path: String)
    /// The file system refuses.
    case refused(path: String, reason: String)
    /// A ring cannot be allocated.
    case ring
    /// The system refused another thread.
    case noThread(errno: Int32)

    /// One line for display.
    package var description: String {
        switch self {
        case .missing(let path): "\(path): no such file, or nothing in it yet"
        case .notAStore(let path): "\(path): is no store of lob run, and was left as it is"
        case .newer(let path):
            "\(path): was written by a later version of lob, whose schema this one does not know; it was "
                + "left as it is"
        case .refused(let path, let reason): "\(path): \(reason)"
        case .ring: "no memory for the ring of a store"
        case .noThread(let errno): "no thread for a store (\(errno))"
        }
    }
}
