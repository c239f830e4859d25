// What is exported of books: everything between a proof and the next break, and nothing else.
//
// Invariants
// * A book starts over whenever anything but its next update has changed it: it is trusted again, was
//   replaced, or its proven range has changed.
// * Levels outside the proven range are never written, nor is anything of an unproven book.
//
// When sampling, changes are collected until the next multiple of the interval in receive time, and written
// as of that time: the last quantity of each price. A sample is held until the next update of its book shows
// that nothing was missed before it, and dropped if anything else happens: further samples due meanwhile are
// identical, so only two times and one copy of the book are held. The update may come after the requested
// time: frames are followed until nothing of it is held (`isOver`). With several symbols, rows wait for
// earlier ones of other books (`WaitingSamples`).
//
// Bounds: a few numbers per symbol, and when sampling the prices that changed in one interval and a copy of
// the levels its rows need.

import DepthBook
import MarketData

/// Follows books and writes them to a sink.
package struct BookExporter {
    /// One symbol.
    private struct Followed {
        var isProven = false
        /// Whether the next row must be the whole book.
        var isNew = true
        var ranges: (bids: ProvenRange, asks: ProvenRange) = (.nothing, .nothing)
        var scales: SymbolScales?
        var lastID = UpdateID(0)
        var replacements = 0
        var timeUs: Int64 = 0
        var bids: [Int64: Int64] = [:]
        var asks: [Int64: Int64] = [:]
        /// Times of the first and last held sample, of the book in `copy`.
        var held: (firstNs: Int64, lastNs: Int64)?
        let copy = HeldBook()
    }

    /// What to export, and how.
    package struct Options: Sendable {
        /// Nothing earlier is written.
        package var fromNs: Int64
        /// Nothing later is written.
        package var toNs: Int64
        /// The sampling interval; 0: every change is written.
        package var everyNs: Int64
        /// Added to receive times.
        package var shiftNs: Int64
        /// The symbols to write; nil for all.
        package var symbols: Set<SymbolName>?
        /// Asked before each sample; true ends the export.
        package var isStopped: @Sendable () -> Bool = { false }

        /// Options with these values.
        ///
        /// - Parameters:
        ///   - fromNs: nothing earlier is written.
        ///   - toNs: nothing later is written.
        ///   - everyNs: the sampling interval; 0: every change.
        ///   - shiftNs: added to receive times.
        ///   - symbols: the symbols to write; nil for all.
        package init(
            fromNs: Int64 = .min, toNs: Int64 = .max, everyNs: Int64 = 0, shiftNs: Int64 = 0,
            symbols: Set<SymbolName>? = nil
        ) {
            (self.fromNs, self.toNs, self.everyNs) = (fromNs, toNs, everyNs)
            (self.shiftNs, self.symbols) = (shiftNs, symbols)
        }
    }

    private let sink: any BookSink
    private let options: Options
    private var followed: [SymbolName: Followed] = [:]
    private var nextSampleNs: Int64?
    private var changes = ExportedChanges()
    /// Samples that wait for those of other books.
    private var waiting = WaitingSamples()
    /// Samples that did not wait for earlier ones of other books, since too many did.
    package var disordered: Int { waiting.disordered }
    /// Number of times a book began.
    package private(set) var beginnings = 0
    /// Number of times a proven book was lost.
    package private(set) var breaks = 0
    /// Updates written.
    package private(set) var updates = 0

    /// An exporter to a sink.
    ///
    /// - Parameters:
    ///   - sink: the destination.
    ///   - options: what to write.
    package init(_ sink: any BookSink, _ options: Options) { (self.sink, self.options) = (sink, options) }

    /// Whether the file accepts nothing more.
    package var hasFailed: Bool { sink.file.failure != nil }

    /// Whether books are sampled.
    package var isSampling: Bool { options.everyNs > 0 }

    /// Whether the requested time is over, and every sample of it is written or known to be unproven.
    package func isOver(atNs: Int64) -> Bool {
        atNs > options.toNs && !followed.values.contains { $0.held != nil }
    }

    /// Another stream of frames starts: its times are its own, and nothing in it continues the previous one.
    package mutating func beginStream() {
        followed = [:]
        nextSampleNs = nil
        finish()
    }

    /// The frames of a symbol have ended: nothing later is known of its book, and what has not been proven
    /// will not be. Others no longer wait for it.
    ///
    /// - Parameters:
    ///   - symbol: the symbol.
    ///   - isBreak: whether it is counted as a break if the book was proven.
    package mutating func end(_ symbol: SymbolName, isBreak: Bool) {
        if followed.removeValue(forKey: symbol)?.isProven == true && isBreak { breaks += 1 }
    }

    /// Nothing more comes.
    package mutating func finish() { waiting.release(before: .max) { sink.file.write($0) } }

    /// Time advances: samples that are due are taken before anything happens at this time.
    ///
    /// - Parameters:
    ///   - atNs: the time of the next frame.
    ///   - visit: calls its second argument with a symbol's book if it is trusted.
    package mutating func advance(
        atNs: Int64, _ visit: (SymbolName, (borrowing OrderBook) -> Void) -> Void
    ) {
        if options.everyNs <= 0 { return }
        let everyNs = options.everyNs
        guard let dueNs = nextSampleNs else {
            nextSampleNs = firstSampleNs(behind: atNs)
            return
        }
        let untilNs = min(atNs, options.toNs, .max - everyNs)
        if dueNs > untilNs { return }
        let lastNs = dueNs + (untilNs - dueNs) / everyNs * everyNs
        let proven = followed.filter { $0.value.isProven }.keys.sorted()
        for symbol in proven { hold(symbol, dueNs, lastNs, visit) }
        nextSampleNs = lastNs + everyNs
        release()
    }

    /// The first multiple of the interval after a time that is not earlier than requested.
    private func firstSampleNs(behind atNs: Int64) -> Int64 {
        let behindNs = max(atNs, options.fromNs == .min ? .min : options.fromNs - 1)
        let (dueNs, isBeyond) = (behindNs / options.everyNs + 1).multipliedReportingOverflow(
            by: options.everyNs)
        return isBeyond ? .max : dueNs
    }

    /// Writes the samples before which no other can come any more.
    private mutating func release() {
        if waiting.isEmpty { return }
        let nextNs = nextSampleNs ?? .max
        let firstNs = followed.values.lazy.compactMap { $0.held?.firstNs }.min() ?? nextNs
        waiting.release(before: min(firstNs, nextNs)) { sink.file.write($0) }
    }

    private mutating func hold(
        _ symbol: SymbolName, _ firstNs: Int64, _ lastNs: Int64,
        _ visit: (SymbolName, (borrowing OrderBook) -> Void) -> Void
    ) {
        guard var own = followed[symbol] else { return }
        if own.held != nil {
            own.held?.lastNs = lastNs
        } else {
            let (copy, count) = (own.copy, own.isNew ? Int.max : sink.levelsOfChange)
            var isThere = false
            visit(symbol) { book in
                copy.take(book, count)
                isThere = true
            }
            if !isThere { return }
            own.held = (firstNs, lastNs)
        }
        followed[symbol] = own
    }

    /// Nothing was missed since the held samples were due.
    private mutating func writeHeld(_ symbol: SymbolName, _ own: inout Followed) {
        guard let held = own.held else { return }
        own.held = nil
        let copy = own.copy
        var dueNs = held.firstNs
        // A silence of years has many samples.
        while dueNs <= held.lastNs && !hasFailed && !options.isStopped() {
            if followed.count > 1 || !waiting.isEmpty { sink.file.beginPiece() }
            sample(symbol, &own, copy.book, dueNs)
            waiting.add(sink.file.endPiece(), atNs: dueNs)
            if waiting.isFull { waiting.release(before: held.firstNs) { sink.file.write($0) } }
            dueNs += options.everyNs
        }
    }

    private mutating func sample(
        _ symbol: SymbolName, _ own: inout Followed, _ book: borrowing OrderBook, _ atNs: Int64
    ) {
        guard let moment = moment(symbol, own, book, atNs) else { return }
        if own.isNew {
            begin(&own, book, moment)
        } else {
            changes.bids = own.bids.map { PriceLevel($0.key, $0.value) }.sorted { $0.price > $1.price }
            changes.asks = own.asks.map { PriceLevel($0.key, $0.value) }.sorted { $0.price < $1.price }
            updates += 1
            sink.change(changes, book, moment, Span())
        }
        own.bids.removeAll(keepingCapacity: true)
        own.asks.removeAll(keepingCapacity: true)
    }

    private func moment(
        _ symbol: SymbolName, _ own: Followed, _ book: borrowing OrderBook, _ atNs: Int64
    ) -> ExportMoment? {
        guard let scales = book.scales else { return nil }
        let timeUs = own.timeUs > 0 ? own.timeUs : book.eventTimeUs > 0 ? book.eventTimeUs : atNs / 1000
        return ExportMoment(
            symbol: symbol, scales: scales, eventTimeUs: timeUs, receivedAtNs: atNs &+ options.shiftNs)
    }

    private mutating func begin(_ own: inout Followed, _ book: borrowing OrderBook, _ moment: ExportMoment) {
        own.isNew = false
        beginnings += 1
        sink.begin(book, moment)
    }

    /// A book may have changed.
    ///
    /// - Parameters:
    ///   - symbol: its symbol.
    ///   - isProven: whether it is trusted.
    ///   - book: the book.
    ///   - replacements: how often it was replaced.
    ///   - update: its symbol's last depth update; empty if the last frame was none.
    ///   - message: the bytes of the frame.
    ///   - atNs: the time of the frame.
    package mutating func look(
        _ symbol: SymbolName, isProven: Bool, _ book: borrowing OrderBook, replacements: Int,
        _ update: borrowing DepthUpdate, message: Span<UInt8>, atNs: Int64
    ) {
        if let symbols = options.symbols, !symbols.contains(symbol) { return }
        var own = followed[symbol] ?? Followed()
        defer { followed[symbol] = own }
        let isUpdate = update.symbol == symbol && update.last == book.lastUpdateID
        let hasMoved = book.lastUpdateID != own.lastID
        let isSame =
            own.isProven && replacements == own.replacements && book.scales == own.scales
            && own.ranges.bids == book.provenBids && own.ranges.asks == book.provenAsks
            && (!hasMoved || isUpdate && (update.scales == nil || update.scales == book.scales))
        if own.isProven && !isProven { breaks += 1 }
        if !isProven || !isSame {
            own.held = nil
        } else if hasMoved {
            writeHeld(symbol, &own)
        }
        if isUpdate {
            let timeUs = update.transactionTimeUs > 0 ? update.transactionTimeUs : update.eventTimeUs
            if timeUs > 0 { own.timeUs = timeUs }
        }
        (own.isProven, own.replacements, own.lastID) = (isProven, replacements, book.lastUpdateID)
        (own.ranges, own.scales) = ((book.provenBids, book.provenAsks), book.scales)
        if !isProven || !isSame {
            own.isNew = true
            own.bids.removeAll(keepingCapacity: true)
            own.asks.removeAll(keepingCapacity: true)
        }
        if !isProven || atNs < options.fromNs || atNs > options.toNs { return }
        if options.everyNs > 0 {
            if !own.isNew && hasMoved { collect(update, own.ranges, &own) }
            return
        }
        guard let moment = moment(symbol, own, book, atNs) else { return }
        if own.isNew {
            begin(&own, book, moment)
        } else if hasMoved {
            take(update, own.ranges)
            updates += 1
            sink.change(changes, book, moment, message)
        }
    }

    private mutating func take(
        _ update: borrowing DepthUpdate, _ ranges: (bids: ProvenRange, asks: ProvenRange)
    ) {
        changes.bids.removeAll(keepingCapacity: true)
        changes.asks.removeAll(keepingCapacity: true)
        for index in 0..<update.bids.count where ranges.bids.reaches(update.bids[index].price, on: .bid) {
            changes.bids.append(update.bids[index])
        }
        for index in 0..<update.asks.count where ranges.asks.reaches(update.asks[index].price, on: .ask) {
            changes.asks.append(update.asks[index])
        }
    }

    private mutating func collect(
        _ update: borrowing DepthUpdate, _ ranges: (bids: ProvenRange, asks: ProvenRange),
        _ own: inout Followed
    ) {
        take(update, ranges)
        for level in changes.bids { own.bids[level.price.mantissa] = level.quantity.mantissa }
        for level in changes.asks { own.asks[level.price.mantissa] = level.quantity.mantissa }
    }
}
