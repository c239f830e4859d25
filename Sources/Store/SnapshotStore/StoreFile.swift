// The file of a store: opened for writing or reading after checking that it is ours. A file that is not, or
// was written by a later version, is left as it is.
//
// SAFETY: paths and local variables live during the calls that get them.

import Foundation
import GRDB

/// Opens stores.
enum StoreFile {
    /// What exists at a path.
    private enum Found {
        case nothing, ours, older
    }

    /// A store to write to, with the current tables.
    ///
    /// - Parameter path: created if it does not exist.
    /// - Returns: the database, and whether an older one was migrated.
    static func openToWrite(_ path: String) throws(StoreError) -> (queue: DatabaseQueue, isMigrated: Bool) {
        let found = try look(path)
        var configuration = configuration
        configuration.journalMode = .wal
        configuration.prepareDatabase { db in
            // Effective only in a new file: removed rows can then shorten it.
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = NORMAL")
        }
        return try refusing(path) {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try StoreSchema.migrator.migrate(queue)
            return (queue, found == .older)
        }
    }

    /// A store to read, even while another process writes it.
    ///
    /// - Parameter path: the store.
    static func openToRead(_ path: String) throws(StoreError) -> DatabaseQueue {
        if try look(path) == .nothing { throw .missing(path: path) }
        return try refusing(path) { try openAsItIs(path) }
    }

    /// A database that is only read. In a read-only folder SQLite cannot create its auxiliary files; a
    /// database with an empty log is complete in itself, and is read as an immutable file.
    private static func openAsItIs(_ path: String) throws -> DatabaseQueue {
        do {
            let queue = try DatabaseQueue(path: path, configuration: readOnly)
            _ = try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_master") }
            return queue
        } catch let error as DatabaseError where isOfFolder(error) {
            // A reader leaves an empty one behind.
            let log = try? FileManager.default.attributesOfItem(atPath: path + "-wal")
            if let log, (log[.size] as? NSNumber)?.intValue != 0 { throw error }
            return try DatabaseQueue(path: unchanging(path), configuration: readOnly)
        }
    }

    private static func isOfFolder(_ error: DatabaseError) -> Bool {
        error.resultCode == .SQLITE_CANTOPEN || error.resultCode == .SQLITE_READONLY
    }

    /// Tells SQLite that a file is immutable.
    static func unchanging(_ path: String) -> String {
        "file:\(path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path)?immutable=1"
    }

    /// The inode number of the file a path leads to, nil if there is none: tells whether it is still the
    /// same.
    static func number(_ path: String) -> Int? {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 ? Int(truncatingIfNeeded: facts.st_ino) : nil
    }

    /// Nanoseconds since 1970.
    static var nowNs: Int64 { Int64(Date().timeIntervalSince1970 * 1e9) }

    /// Monotonic time in nanoseconds.
    static var monotonicNs: Int64 { Int64(clamping: DispatchTime.now().uptimeNanoseconds) }

    /// A SQLite error in plain words.
    static func reason(_ error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "\(error)" }
        switch error.resultCode {
        case .SQLITE_FULL: return "the disk is full"
        case .SQLITE_READONLY: return "it may only be read"
        case .SQLITE_CANTOPEN: return "cannot be opened or made"
        case .SQLITE_NOTADB: return "is no database"
        case .SQLITE_CORRUPT: return "is damaged: \(error.message ?? "")"
        case .SQLITE_IOERR: return "the disk fails: \(error.message ?? "")"
        case .SQLITE_BUSY, .SQLITE_LOCKED: return "another process keeps it locked"
        case .SQLITE_PERM, .SQLITE_AUTH: return "access is refused"
        default: return error.message ?? "error \(error.resultCode.rawValue)"
        }
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        return configuration
    }

    private static var readOnly: Configuration {
        var configuration = configuration
        configuration.readonly = true
        return configuration
    }

    private static func look(_ path: String) throws(StoreError) -> Found {
        var facts = stat()
        if unsafe stat(path, &facts) != 0 { return .nothing }
        // Not even opened: a pipe would be waited for, also behind a link.
        if facts.st_mode & S_IFMT != S_IFREG { throw .notAStore(path: path) }
        // An empty file becomes a store.
        if facts.st_size == 0 { return .nothing }
        return try refusing(path) {
            let queue = try openAsItIs(path)
            return try queue.read { db in
                let number = try Int32.fetchOne(db, sql: "PRAGMA application_id")
                if number != StoreSchema.applicationID {
                    // Killed between its creation and its first table.
                    let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master")
                    if number == 0 && tables == 0 { return .nothing }
                    throw StoreError.notAStore(path: path)
                }
                if try StoreSchema.migrator.hasBeenSuperseded(db) { throw StoreError.newer(path: path) }
                return try StoreSchema.migrator.hasCompletedMigrations(db) ? .ours : .older
            }
        }
    }

    /// Runs a database operation, translating its errors.
    private static func refusing<R>(_ path: String, _ body: () throws -> R) throws(StoreError) -> R {
        do {
            return try body()
        } catch let error as StoreError {
            throw error
        } catch let error as DatabaseError where error.resultCode == .SQLITE_NOTADB {
            throw .notAStore(path: path)
        } catch {
            throw .refused(path: path, reason: reason(error))
        }
    }
}
