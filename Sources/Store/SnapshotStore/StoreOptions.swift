// What a store is told, and what it tells.

/// Where to keep what, and for how long.
package struct StoreOptions: Sendable {
    /// The file; made if it is not there.
    package var path: String
    /// A full snapshot of each book is kept this often, the books in turn; 0: only on demand and at the end.
    package var snapshotEveryNs: Int64 = 60_000_000_000
    /// A daily report is brought up to date this often.
    package var reportEveryNs: Int64 = 60_000_000_000
    /// Rows are committed together this often.
    package var batchNs: Int64 = 250_000_000
    /// Most bytes of rows that wait for the disk; further rows are lost, and the loss is stored.
    package var waitingBytesMax = 64 << 20
    /// Rows older than this are removed, the newest snapshot of each symbol excepted; nil: never.
    package var keptNsMax: Int64?
    /// Oldest rows are removed while the file has more bytes in use, the newest snapshot of each symbol
    /// excepted; nil: never. What is removed makes room for new rows and shortens the file step by step.
    package var keptBytesMax: Int?
    /// Retention looks this often.
    package var retentionEveryNs: Int64 = 30_000_000_000
    /// After a refusal the disk is tried again so often.
    package var retryEveryNs: Int64 = 1_000_000_000
    /// At the end a disk that commits nothing is waited for so long.
    package var stopNsMax: Int64 = 30_000_000_000
    /// Bytes of the ring between each feed and the store, a power of two; frames beyond are missed, and the
    /// replica asks for its books again.
    package var ringBytes = 1 << 23
    /// How much later it is taken to be than the system's clock says. For tests of midnight.
    package var laterNs: Int64 = 0
    /// Statements run before each batch, which make the disk refuse. For tests.
    package var fault: (@Sendable () -> String?)?

    /// The defaults.
    ///
    /// - Parameter path: the file.
    package init(path: String) { self.path = path }
}

/// What is worth a line in a log.
package enum StoreEvent: Sendable, Hashable, CustomStringConvertible {
    /// Rows are kept from now on.
    case began(path: String)
    /// An older store was brought up to date.
    case migrated(path: String)
    /// The disk refuses; it is tried again every second, and rows wait as long as there is room.
    case refused(reason: String)
    /// It takes rows again.
    case resumed
    /// The file was removed or replaced; a new one is begun.
    case removed(path: String)
    /// Rows could not be stored, so many in all.
    case lost(rows: Int)
    /// At the end the disk answered no more, and so many rows still waited.
    case hung(rows: Int, afterNs: Int64)

    /// One line for people.
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

/// What a store has come to.
package struct StoreEnd: Hashable, Sendable {
    /// Rows that could not be stored.
    package var lostRows: Int
    /// Whether the disk answered no more; the run is not marked as ended then.
    package var isHung: Bool
}

/// Why a store cannot be opened.
package enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no such file.
    case missing(path: String)
    /// It is no store.
    case notAStore(path: String)
    /// A later version of this program wrote it.
    case newer(path: String)
    /// The disk refuses.
    case refused(path: String, reason: String)
    /// A ring cannot be made.
    case ring
    /// The system gives no further thread.
    case noThread(errno: Int32)

    /// One line for people.
    package var description: String {
        switch self {
        case .missing(let path): "\(path): no such file"
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
