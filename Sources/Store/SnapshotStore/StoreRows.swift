// The rows of a store as SQL statements for each entry.

import DepthBook
import Foundation
import GRDB
import MarketData

/// Writes the entries of one run. Used by the writer's thread, inside a transaction.
struct StoreRows {
    private let market: String
    private let blob: LevelsBlob
    /// Row id of the run.
    private(set) var run: Int64 = 0
    private var startedAtNs: Int64 = 0
    private var symbols: [SymbolName: Int64] = [:]

    /// Rows for a market.
    init(market: String, blob: LevelsBlob) { (self.market, self.blob) = (market, blob) }

    /// Starts a run, to which everything following belongs. Gaps left open by the market's earlier runs end
    /// where those were last heard of: the time after is the time without a run.
    mutating func begin(_ db: Database, atNs: Int64) throws {
        try db.execute(
            sql: """
                UPDATE gap SET toNs = max(fromNs, (SELECT lastAtNs FROM run WHERE run.id = gap.run))
                WHERE toNs IS NULL AND run IN (SELECT id FROM run WHERE market = ?)
                """, arguments: [market])
        try db.execute(
            sql: "INSERT INTO run (market, startedAtNs, lastAtNs) VALUES (?, ?, ?)",
            arguments: [market, atNs, atNs])
        run = db.lastInsertedRowID
        startedAtNs = atNs
        symbols = [:]
    }

    /// Whether the run that was started is in this file.
    mutating func goOn(_ db: Database) throws -> Bool {
        symbols = [:]
        let found = try Int.fetchOne(
            db, sql: "SELECT 1 FROM run WHERE id = ? AND startedAtNs = ?", arguments: [run, startedAtNs])
        return found != nil
    }

    /// Records how far the run has come, and at its end that it is over.
    func note(_ db: Database, atNs: Int64, isEnd: Bool = false) throws {
        try db.execute(
            sql: "UPDATE run SET lastAtNs = ?, endedAtNs = ? WHERE id = ?",
            arguments: [atNs, isEnd ? atNs : nil, run])
    }

    /// Writes one entry.
    mutating func write(_ entry: StoreEntry, _ db: Database) throws {
        switch entry {
        case .book(let book): try write(book, db)
        case .audit(let audit): try write(audit, db)
        case .mismatch(let mismatch): try write(mismatch, db)
        case .gap(let gap): try write(gap, db)
        case .report(let report): try write(report, db)
        case .connection(let connection):
            try db.cachedStatement(
                sql: "INSERT INTO connection (run, atNs, shard, source, event) VALUES (?, ?, ?, ?, ?)"
            ).execute(arguments: [
                run, connection.atNs, connection.shard, Int(connection.source), connection.event,
            ])
        }
    }

    /// Records that rows were lost.
    func write(_ loss: StoredLoss, _ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO loss (run, fromNs, toNs, books, facts) VALUES (?, ?, ?, ?, ?)",
            arguments: [run, loss.fromNs, loss.toNs, loss.books, loss.facts])
    }

    @discardableResult
    private mutating func write(_ stored: StoredBook, _ db: Database) throws -> Int64 {
        let book = stored.book
        guard let packed = blob.pack(bids: book.bids, asks: book.asks) else {
            throw DatabaseError(resultCode: .SQLITE_NOMEM, message: "levels cannot be packed")
        }
        let symbol = try number(stored.symbol, db)
        let (bids, asks) = (StoreRows.columns(book.provenBids), StoreRows.columns(book.provenAsks))
        try db.cachedStatement(
            sql: """
                INSERT INTO snapshot (id, run, symbol, atNs, cause, state, reason, updateID, eventTimeUs,
                    priceDecimals, quantityDecimals, bidCount, askCount, bidsProven, bidsProvenTo,
                    asksProven, asksProvenTo, checksum, digest, levelBytes, levels)
                VALUES ((SELECT last + 1 FROM snapshotNumber),
                    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            run, symbol, stored.atNs, stored.cause.rawValue, "\(stored.state)",
            stored.reason == .none ? nil : "\(stored.reason)", book.lastUpdateID.value,
            book.eventTimeUs == 0 ? nil : book.eventTimeUs, book.scales.map { Int($0.priceDecimals) },
            book.scales.map { Int($0.quantityDecimals) }, book.bids.count, book.asks.count, bids.kind,
            bids.price, asks.kind, asks.price, Int64(stored.checksum), Int64(bitPattern: book.digest),
            packed.length, Data(packed.bytes),
        ])
        return db.lastInsertedRowID
    }

    private mutating func write(_ audit: StoredAudit, _ db: Database) throws {
        var sides: [StoredBook.Cause: Int64] = [:]
        for side in audit.sides { sides[side.cause] = try write(side, db) }
        let outcome = audit.outcome
        try db.cachedStatement(
            sql: """
                INSERT INTO audit (run, symbol, atNs, updateID, snapshotID, isEqual, levelCount, checksum,
                    venueChecksum, difference, own, venue)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            run, try number(audit.symbol, db), audit.atNs, outcome.at.value, outcome.snapshotID.value,
            outcome.isEqual, outcome.levelCount, Int64(outcome.checksum), Int64(outcome.venueChecksum),
            audit.difference, sides[.audited], sides[.venue],
        ])
    }

    private mutating func write(_ mismatch: StoredMismatch, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO mismatch (run, symbol, atNs, kind, count, updateID, book, venue)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            run, try number(mismatch.symbol, db), mismatch.atNs, mismatch.check, mismatch.count,
            mismatch.updateID?.value, mismatch.book, mismatch.venue,
        ])
    }

    private mutating func write(_ gap: StoredGap, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO gap (run, number, symbol, fromNs, toNs, reason, idBefore, idAfter)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            run, gap.number, try number(gap.symbol, db), gap.fromNs, gap.toNs, gap.reason,
            gap.idBefore?.value, gap.idAfter?.value,
        ])
    }

    private mutating func write(_ report: StoredReport, _ db: Database) throws {
        let (tally, counts) = (report.tally, report.tally.counts)
        try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO report (run, day, symbol, fromNs, toNs, liveNs, syncingNs, staleNs,
                    updates, gaps, resyncs, audits, auditsAgreed, tickers, tickersAgreed, partials,
                    partialsAgreed, longestSilenceNs, lag)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            run, report.day, try number(report.symbol, db), tally.fromNs, tally.toNs, tally.liveNs,
            tally.syncingNs, StoreRows.text(tally.staleNs), counts.updates, counts.gaps, counts.resyncs,
            counts.audits, counts.auditsAgreed, counts.tickers, counts.tickersAgreed, counts.partials,
            counts.partialsAgreed, tally.longestSilenceNs, Data(tally.lag.bytes),
        ])
    }

    /// `gap 1200000000 silent 5`: reasons and nanoseconds, by name.
    private static func text(_ staleNs: [String: Int64]) -> String {
        staleNs.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: " ")
    }

    /// The row id of a symbol, created on first use.
    private mutating func number(_ symbol: SymbolName, _ db: Database) throws -> Int64 {
        if let known = symbols[symbol] { return known }
        let name = "\(symbol)"
        try db.execute(
            sql: "INSERT OR IGNORE INTO symbol (market, name) VALUES (?, ?)", arguments: [market, name])
        let isNew = db.changesCount > 0
        let found = try Int64.fetchOne(
            db, sql: "SELECT id FROM symbol WHERE market = ? AND name = ?", arguments: [market, name])
        guard let found else { throw DatabaseError(resultCode: .SQLITE_ERROR, message: "no row for \(name)") }
        symbols[symbol] = found
        if !isNew { try noteAbsence(of: found, db) }
        return found
    }

    /// Records as a gap of this run that the symbol was not followed since the last run that did. Its number
    /// is negative: positive ones are the follower's.
    private func noteAbsence(of symbol: Int64, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO gap (run, number, symbol, fromNs, toNs, reason)
                SELECT ?, ?, ?, lastAtNs, ?, 'notRunning' FROM (
                    SELECT r.lastAtNs FROM run r WHERE r.market = ? AND r.id < ? AND (
                        EXISTS (SELECT 1 FROM report WHERE run = r.id AND symbol = ?)
                        OR EXISTS (SELECT 1 FROM gap WHERE run = r.id AND symbol = ?))
                    ORDER BY r.id DESC LIMIT 1)
                WHERE lastAtNs < ?
                """,
            arguments: [run, -symbol, symbol, startedAtNs, market, run, symbol, symbol, startedAtNs])
    }

    private static func columns(_ range: ProvenRange) -> (kind: String, price: Int64?) {
        switch range {
        case .nothing: ("nothing", nil)
        case .to(let worst): ("to", worst.mantissa)
        case .unbounded: ("all", nil)
        }
    }
}
