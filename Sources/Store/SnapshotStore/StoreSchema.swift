// The tables of a store, version by version. A released migration is never changed; a later version adds one.
//
// Every table is STRICT. Times are nanoseconds since 1970, ids are the venue's, prices and quantities
// mantissas in the symbol's decimals. The documentation of the format lists what each column means.

import GRDB

/// Tables and migrations.
enum StoreSchema {
    /// The number by which SQLite recognises our files: "LOBS".
    static let applicationID: Int32 = 0x4C4F_4253

    /// All migrations, oldest first. Those of existing stores do not check the whole file for rows without
    /// their run or symbol: another program can leave such rows, and no version changes what refers to what.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: version1)
        }
        for (name, sql) in [("2", version2), ("3", version3), ("4", version4)] {
            migrator.registerMigration(name, foreignKeyChecks: .immediate) { try $0.execute(sql: sql) }
        }
        return migrator
    }

    private static let version1 = """
        CREATE TABLE run (
            id INTEGER PRIMARY KEY,
            market TEXT NOT NULL,
            startedAtNs INTEGER NOT NULL,
            lastAtNs INTEGER NOT NULL,
            endedAtNs INTEGER
        ) STRICT;
        CREATE TABLE symbol (
            id INTEGER PRIMARY KEY,
            market TEXT NOT NULL,
            name TEXT NOT NULL,
            UNIQUE (market, name)
        ) STRICT;
        CREATE TABLE snapshot (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
            symbol INTEGER NOT NULL REFERENCES symbol (id),
            atNs INTEGER NOT NULL,
            cause TEXT NOT NULL,
            state TEXT NOT NULL,
            reason TEXT,
            updateID INTEGER NOT NULL,
            eventTimeUs INTEGER,
            priceDecimals INTEGER,
            quantityDecimals INTEGER,
            bidCount INTEGER NOT NULL,
            askCount INTEGER NOT NULL,
            bidsProven TEXT NOT NULL,
            bidsProvenTo INTEGER,
            asksProven TEXT NOT NULL,
            asksProvenTo INTEGER,
            checksum INTEGER NOT NULL,
            digest INTEGER NOT NULL,
            levelBytes INTEGER NOT NULL,
            levels BLOB NOT NULL
        ) STRICT;
        CREATE INDEX snapshotOfSymbol ON snapshot (symbol, atNs);
        CREATE INDEX snapshotAt ON snapshot (atNs);
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
            symbol INTEGER NOT NULL REFERENCES symbol (id),
            atNs INTEGER NOT NULL,
            updateID INTEGER NOT NULL,
            snapshotID INTEGER NOT NULL,
            isEqual INTEGER NOT NULL,
            levelCount INTEGER NOT NULL,
            checksum INTEGER NOT NULL,
            venueChecksum INTEGER NOT NULL,
            difference TEXT,
            own INTEGER REFERENCES snapshot (id) ON DELETE SET NULL,
            venue INTEGER REFERENCES snapshot (id) ON DELETE SET NULL
        ) STRICT;
        CREATE INDEX auditAt ON audit (atNs);
        CREATE INDEX auditOwn ON audit (own);
        CREATE INDEX auditVenue ON audit (venue);
        CREATE TABLE mismatch (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
            symbol INTEGER NOT NULL REFERENCES symbol (id),
            atNs INTEGER NOT NULL,
            kind TEXT NOT NULL,
            count INTEGER NOT NULL,
            updateID INTEGER,
            book TEXT,
            venue TEXT
        ) STRICT;
        CREATE INDEX mismatchAt ON mismatch (atNs);
        CREATE TABLE gap (
            run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            symbol INTEGER NOT NULL REFERENCES symbol (id),
            fromNs INTEGER NOT NULL,
            toNs INTEGER,
            reason TEXT NOT NULL,
            idBefore INTEGER,
            idAfter INTEGER,
            PRIMARY KEY (run, number)
        ) STRICT;
        CREATE INDEX gapFrom ON gap (fromNs);
        CREATE TABLE connection (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
            atNs INTEGER NOT NULL,
            shard INTEGER NOT NULL,
            source INTEGER NOT NULL,
            event TEXT NOT NULL
        ) STRICT;
        CREATE INDEX connectionAt ON connection (atNs);
        CREATE TABLE loss (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
            fromNs INTEGER NOT NULL,
            toNs INTEGER NOT NULL,
            books INTEGER NOT NULL,
            facts INTEGER NOT NULL
        ) STRICT;
        """

    /// Daily reports.
    private static let version2 = """
        CREATE TABLE report (
            run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
            day TEXT NOT NULL,
            symbol INTEGER NOT NULL REFERENCES symbol (id),
            fromNs INTEGER NOT NULL,
            toNs INTEGER NOT NULL,
            liveNs INTEGER NOT NULL,
            syncingNs INTEGER NOT NULL,
            staleNs TEXT NOT NULL,
            updates INTEGER NOT NULL,
            gaps INTEGER NOT NULL,
            resyncs INTEGER NOT NULL,
            audits INTEGER NOT NULL,
            auditsAgreed INTEGER NOT NULL,
            tickers INTEGER NOT NULL,
            tickersAgreed INTEGER NOT NULL,
            partials INTEGER NOT NULL,
            partialsAgreed INTEGER NOT NULL,
            longestSilenceNs INTEGER NOT NULL,
            lag BLOB NOT NULL,
            PRIMARY KEY (run, day, symbol)
        ) STRICT;
        CREATE INDEX reportTo ON report (toNs);
        """

    /// The highest number a snapshot ever had: a removed snapshot's number is never reused.
    private static let version3 = """
        CREATE TABLE snapshotNumber (last INTEGER NOT NULL) STRICT;
        INSERT INTO snapshotNumber SELECT coalesce(max(id), 0) FROM snapshot;
        CREATE TRIGGER snapshotNumbered AFTER INSERT ON snapshot BEGIN
            UPDATE snapshotNumber SET last = NEW.id WHERE last < NEW.id;
        END;
        CREATE INDEX gapTo ON gap (toNs);
        """

    /// The list of runs counts the snapshots of each.
    private static let version4 = """
        CREATE INDEX snapshotOfRun ON snapshot (run);
        """
}
