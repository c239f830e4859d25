// The thread that writes a store.
//
// ```
// state      input                    next      action
// open       time for a batch         open      one transaction with everything waiting
// open       the disk refuses         refused   the rows keep waiting; reported once
// refused    a second has passed      open      reopened if need be, and the same rows once more
// open       the file was replaced    open      a new file, a new run
// any        a row cannot be stored   –         its batch is lost and counted, since it would never go in
// any        stop                     ended     a last batch, the mark that the run has ended, a merged log
// any        stop, and no answer      –         after `stopNsMax` nobody waits for the thread any more
// ```
//
// Invariants
// * What is committed stays: write-ahead log, `synchronous` NORMAL. A crash of the process loses what was not
//   committed, at most a batch; a power failure may lose the last transactions but never the file.
// * Waiting rows are bounded, see `StoreQueue`.

import Foundation
import GRDB
import LobHandoff
import Synchronization

/// Writes the contents of a queue. All but `stop` and `waitUntilEnded` is for its own thread.
final class StoreWriter: @unchecked Sendable {
    private let options: StoreOptions
    private let queue: StoreQueue
    private let report: @Sendable (StoreEvent) -> Void
    private let stopping = StopFlag()
    private let hasEnded = StopFlag()
    private let ending = Signal()
    /// Grows with everything the disk has accepted.
    private let commits = Atomic<Int>(0)
    // From here on owned by the writer's thread.
    private var database: DatabaseQueue?
    private var fileNumber: Int?
    private var rows: StoreRows
    private var batch = StoreQueue.Batch()
    private var refusal: String?
    private var retentionAtNs: Int64 = 0
    private var toldLost = 0
    private var notedAtNs: Int64 = 0

    /// How often a run without rows records that it is alive.
    private static let noteEveryNs: Int64 = 5_000_000_000

    /// Further attempts at a refusing disk after stop is called.
    private static let lastTries = 3

    /// Opens the store, so that faults are known before anything starts.
    init(
        _ options: StoreOptions, market: String, _ queue: StoreQueue,
        report: @escaping @Sendable (StoreEvent) -> Void
    ) throws(StoreError) {
        guard let blob = LevelsBlob() else { throw .refused(path: options.path, reason: "no memory") }
        (self.options, self.queue, self.report) = (options, queue, report)
        rows = StoreRows(market: market, blob: blob)
        do {
            try open()
        } catch let error as StoreError {
            throw error
        } catch {
            throw .refused(path: options.path, reason: StoreFile.reason(error))
        }
    }

    /// Tells the thread to write what is waiting and to end.
    func stop() {
        stopping.raise()
        queue.news.notify()
    }

    /// Waits until the thread has ended, as long as the disk responds. For the caller of `stop`, after it.
    ///
    /// - Returns: how long the disk has been unresponsive, in nanoseconds; nil if the thread has ended.
    func waitUntilEnded() -> Int64? {
        var (progress, sinceNs) = (commits.load(ordering: .relaxed), StoreFile.monotonicNs)
        while !hasEnded.isRaised {
            let ticket = ending.ticket
            if hasEnded.isRaised { break }
            ending.wait(since: ticket, timeoutNs: min(100_000_000, options.stopNsMax))
            let (present, nowNs) = (commits.load(ordering: .relaxed), StoreFile.monotonicNs)
            if present != progress { (progress, sinceNs) = (present, nowNs) }
            if nowNs - sinceNs >= options.stopNsMax && !hasEnded.isRaised { return nowNs - sinceNs }
        }
        return nil
    }

    /// Writes until it is stopped.
    func run() {
        while !stopping.isRaised {
            let ticket = queue.news.ticket
            if !stopping.isRaised {
                let waitNs = refusal == nil ? options.batchNs : options.retryEveryNs
                queue.news.wait(since: ticket, timeoutNs: waitNs)
            }
            turn()
        }
        for _ in 0..<StoreWriter.lastTries {
            turn()
            if batch.isEmpty && queue.isEmpty { break }
            if refusal != nil { usleep(UInt32(clamping: options.retryEveryNs / 1000)) }
        }
        if !batch.isEmpty { drop() }
        batch = queue.take()
        if !batch.isEmpty { drop() }
        end()
        hasEnded.raise()
        ending.notify()
    }

    /// One batch, if anything is waiting, and other due work.
    private func turn() {
        if batch.isEmpty { batch = queue.take() }
        let nowNs = StoreFile.nowNs
        do {
            if refusal == nil { try followFile() }
            if database == nil { try open() }
            guard let database else { return }
            if let sql = options.fault?() {
                try database.writeWithoutTransaction { try $0.execute(sql: sql) }
            }
            if !batch.isEmpty || refusal != nil || nowNs - notedAtNs >= StoreWriter.noteEveryNs {
                try write(database, nowNs)
            }
            if refusal != nil { report(.resumed) }
            refusal = nil
            let isDue = nowNs - retentionAtNs >= options.retentionEveryNs || nowNs < retentionAtNs
            // At the end nobody should have to wait for it.
            if isDue && !stopping.isRaised {
                retentionAtNs = nowNs
                try StoreRetention(options).apply(database, nowNs: nowNs)
            }
        } catch {
            refused(error)
        }
        let lost = queue.lostCount
        if lost != toldLost {
            toldLost = lost
            report(.lost(rows: lost))
        }
    }

    private func write(_ database: DatabaseQueue, _ nowNs: Int64) throws {
        // Copies, so that a failed transaction leaves nothing behind.
        let writing = batch
        var rows = rows
        try database.write { db in
            for entry in writing.entries { try rows.write(entry, db) }
            if let loss = writing.loss { try rows.write(loss, db) }
            try rows.note(db, atNs: nowNs)
        }
        self.rows = rows
        batch = StoreQueue.Batch()
        queue.committed()
        commits.add(1, ordering: .relaxed)
        notedAtNs = nowNs
    }

    private func refused(_ error: any Error) {
        if let error = error as? DatabaseError {
            if StoreWriter.isOfRows(error) { drop() }
            if StoreWriter.isOfFile(error) {
                try? database?.close()
                database = nil
            }
        }
        let reason = (error as? StoreError)?.description ?? "\(options.path): \(StoreFile.reason(error))"
        if reason != refusal { report(.refused(reason: reason)) }
        refusal = reason
    }

    /// Whether the rows are at fault and not the disk.
    private static func isOfRows(_ error: DatabaseError) -> Bool {
        switch error.resultCode {
        case .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG, .SQLITE_RANGE, .SQLITE_ERROR: true
        default: false
        }
    }

    /// Whether the file must be reopened.
    private static func isOfFile(_ error: DatabaseError) -> Bool {
        switch error.resultCode {
        case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_CORRUPT, .SQLITE_NOTADB: true
        default: false
        }
    }

    private func drop() {
        queue.lost(batch, atNs: StoreFile.nowNs)
        batch = StoreQueue.Batch()
    }

    private func open() throws {
        let opened = try StoreFile.openToWrite(options.path)
        let nowNs = StoreFile.nowNs
        var rows = rows
        try opened.queue.write { db in
            // Reopened after a refusal, the run continues.
            if try !rows.goOn(db) { try rows.begin(db, atNs: nowNs) }
        }
        (database, self.rows) = (opened.queue, rows)
        fileNumber = StoreFile.number(options.path)
        if opened.isMigrated { report(.migrated(path: options.path)) }
        report(.began(path: options.path))
    }

    /// A file no longer at its path would accept rows that nobody finds.
    private func followFile() throws {
        guard database != nil, StoreFile.number(options.path) != fileNumber else { return }
        try? database?.close()
        database = nil
        report(.removed(path: options.path))
    }

    private func end() {
        guard let database else { return }
        let (rows, nowNs) = (rows, StoreFile.nowNs)
        try? database.write { try rows.note($0, atNs: nowNs, isEnd: true) }
        _ = try? database.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        try? database.close()
        self.database = nil
    }
}
