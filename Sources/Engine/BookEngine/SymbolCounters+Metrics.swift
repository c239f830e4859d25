// Metrics of a book's counters.

import LobMetrics

extension SymbolCounters: Measured {
    /// One set per symbol.
    public static let instanceLabel: String? = "symbol"

    /// Counters and gauges of a symbol.
    package static let metrics: [Metric<SymbolCounters>] = [
        .counter(
            "lob_book_updates_applied_total", \.applied, key: "events.applied",
            help: "Depth updates applied to the served book."),
        .counter(
            "lob_book_updates_discarded_total", \.discarded, key: "events.discarded",
            help: "Depth updates that the book already had or did not need."),
        .counter(
            "lob_book_updates_buffered_total", \.buffered, key: "events.buffered",
            help: "Depth updates kept for a book under construction."),
        .counter(
            "lob_book_gaps_total", \.gaps, key: "events.gaps",
            help: "Times an update was found missing."),
        .counter(
            "lob_book_resyncs_total", \.resyncs, key: "resyncs",
            help: "Times the served book became untrusted, for any reason."),
        .counter(
            "lob_book_snapshots_total", \.snapshots, key: "snapshots",
            help: "Snapshots used."),
        .counter(
            "lob_book_snapshots_too_old_total", \.snapshotsTooOld, key: "unusedSnapshots.tooOld",
            help: "Snapshots older than the first update kept."),
        .counter(
            "lob_book_snapshots_failed_total", \.snapshotsFailed, key: "unusedSnapshots.failed",
            help: "Snapshot requests that failed or whose body was unusable."),
        .counter(
            "lob_book_snapshots_refuted_total", \.snapshotsRefuted, key: "unusedSnapshots.refuted",
            help: "Snapshots that contradict the updates received before them."),
        .counter(
            "lob_book_buffer_overflows_total", \.bufferOverflows, key: "bufferOverflows",
            help: "Buffer overflows of candidates."),
        .counter(
            "lob_book_rescales_total", \.rescales, key: "rescales",
            help: "Messages whose decimals differed from the book's."),
        .counter(
            "lob_book_crossings_total", \.crossings, key: "crossings",
            help: "Times the book was crossed after a message."),
        .counter(
            "lob_book_tickers_compared_total", \.tickersCompared, key: "bookTicker.compared",
            title: "tickers",
            help: "Tickers compared with the book at the same id."),
        .counter(
            "lob_book_tickers_agreed_total", \.tickersAgreed, key: "bookTicker.agreed",
            help: "Tickers that agreed with the book."),
        .counter(
            "lob_book_tickers_evicted_total", \.tickersEvicted, key: "bookTicker.evicted",
            help: "Tickers evicted because too many preceded their update."),
        .counter(
            "lob_book_partials_compared_total", \.partialsCompared, key: "partialDepth.compared",
            title: "partial depths",
            help: "Partial depths compared with the book at the same id."),
        .counter(
            "lob_book_partials_agreed_total", \.partialsAgreed, key: "partialDepth.agreed",
            help: "Partial depths that agreed with the book."),
        .counter(
            "lob_book_audits_compared_total", \.auditsCompared, key: "audits.compared", title: "audits",
            help: "Audits finished."),
        .counter(
            "lob_book_audits_agreed_total", \.auditsAgreed, key: "audits.agreed",
            help: "Audits that found no difference."),
        .counter(
            "lob_book_checksums_compared_total", \.checksumsCompared, key: "checksums.compared",
            title: "checksums",
            help: "Venue checksums compared with the book's."),
        .counter(
            "lob_book_checksums_agreed_total", \.checksumsAgreed, key: "checksums.agreed",
            help: "Venue checksums equal to the book's."),
        .counter(
            "lob_book_unreadable_messages_total", \.unreadable, key: "unreadable",
            help: "Unreadable messages that were, or may have been, of the symbol."),
        .counter(
            "lob_book_dropped_messages_total", \.dropped, key: "dropped",
            help: "Messages dropped before the engine that were, or may have been, of the symbol."),
        .counter(
            "lob_book_implausible_messages_total", \.implausible, key: "implausible",
            help: "Updates, tickers and partial depths with ids no stream can have reached."),
        .counter(
            "lob_book_doubts_total", \.doubts, key: "doubts.arisen",
            help: "Doubts about a good book."),
        .counter(
            "lob_book_doubts_settled_total", \.doubtsSettled, key: "doubts.settled",
            help: "Doubts that ended without a new book."),
        .counter(
            "lob_book_quiet_checks_total", \.quietChecks, key: "quietChecks",
            help: "Silent streams found to be merely quiet."),
        .counter(
            "lob_book_deepenings_total", \.deepenings, key: "deepenings",
            help: "Books that were rebuilt for more depth."),
        .counter(
            "lob_book_resubscriptions_total", \.resubscriptions, key: "resubscriptions",
            help: "Resubscriptions requested."),
        .counter(
            "lob_book_behind_total", \.behind, key: "behind",
            help: "Times a ticker, a partial depth or a snapshot proved the served book to be behind."),
    ]
}
