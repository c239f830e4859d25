// What a run keeps in a store, and for how long.

import ArgumentParser
import BookService
import Logging
import SnapshotStore

/// Arguments for the store.
struct StoreArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Store snapshots, audits, mismatches, gaps and daily reports in this file.", valueName: "file"))
    var store: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Seconds between two snapshots of a book (60); 0: only on SIGUSR1 and at the end.", valueName: "s"
        ))
    var storeEvery: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Keep this many days of the file.", valueName: "days"))
    var storeDays: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Keep the newest rows, up to this many GiB.", valueName: "GiB"))
    var storeKeep: Double?

    func validate() throws {
        if store == nil && (storeEvery != nil || storeDays != nil || storeKeep != nil) {
            throw ValidationError("--store-every, --store-days and --store-keep need --store.")
        }
        if let store, store.isEmpty { throw ValidationError("--store needs the name of a file.") }
        if let storeEvery, storeEvery != 0 && !(storeEvery >= 0.1 && storeEvery <= 1_000_000_000) {
            throw ValidationError("--store-every must be 0, or 0.1 … 1000000000 s.")
        }
        try KeptLimits.validate("store", gib: storeKeep, days: storeDays)
    }

    /// The same as store options; nil if nothing is kept.
    var options: StoreOptions? {
        guard let store else { return nil }
        var options = StoreOptions(path: store)
        if let storeEvery { options.snapshotEveryNs = Int64(storeEvery * 1e9) }
        options.keptNsMax = KeptLimits.ns(days: storeDays)
        options.keptBytesMax = KeptLimits.bytes(gib: storeKeep)
        return options
    }
}

extension BookStore {
    /// Starts storing what happens to a service, and logs it.
    static func start(
        _ service: BookService, _ options: StoreOptions, _ logger: Logger
    ) throws(StoreError) -> BookStore {
        try BookStore(service, options) { event in
            logger.log(level: event.isTrouble ? .error : .info, "\(event)")
        }
    }
}

extension StoreEnd {
    /// What went wrong, in words; nil if everything is in the store.
    var trouble: String? {
        let rows = "\(counted(lostRows, "row")) of the store could not be stored"
        if isHung { return rows + ", and its disk answers no more" }
        return lostRows > 0 ? rows : nil
    }
}
