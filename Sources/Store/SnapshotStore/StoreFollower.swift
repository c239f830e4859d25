// The thread that follows a service for a store: replicas of its shards for full snapshots, the readers of
// its books for everything else.
//
// Cost to others: a feed writes each frame into one more ring, and a book thread copies a book for the
// replica when that starts or has lost frames. Snapshots themselves cost a book nothing.
//
// Bounds: the rings, one replica of each book, and the queue. Worst case of a turn: `booksPerTurn` books
// copied, and a look at every symbol.

import BookEngine
import BookService
import DepthBook
import Foundation
import LobHandoff
import LobRecording
import MarketData

/// Follows a service until it is stopped. All but `stop` and `save` is for its own thread.
final class StoreFollower: @unchecked Sendable {
    private let service: BookService
    private let options: StoreOptions
    private let queue: StoreQueue
    private let stopping = StopFlag()
    private let asked = CommandQueue<SymbolName>(capacity: 4096)
    // From here on owned by the follower's thread.
    private var shards: [StoredShard] = []
    private var places: [Place] = []
    private var gapCount = 0
    /// When everything was last looked at, in monotonic time.
    private var lookedAtNs: Int64
    /// When the reports were last updated.
    private var reportedAtNs: Int64
    private var day: String
    private var finished = FinishedDays()
    /// Where to continue looking for books that are due.
    private var nextPlace = 0

    /// One symbol.
    private struct Place {
        let shard: Int
        let slot: Int
        var trail: SymbolTrail
        /// When its next snapshot is due, in monotonic time; nil: never.
        var dueNs: Int64?
        /// A snapshot was requested.
        var isAsked = false
        /// Its day so far.
        var tally: DayTally
    }

    private static let sleepUs: UInt32 = 5_000
    private static let lookEveryNs: Int64 = 50_000_000
    private static let framesPerTurn = 4_096
    private static let booksPerTurn = 8
    /// How long to wait for a due book that is not live before saving it as it is.
    private static let waitNsMax: Int64 = 5_000_000_000
    /// Most turns at the end for remaining frames.
    private static let turnsAtEnd = 200

    init(_ service: BookService, _ options: StoreOptions, _ queue: StoreQueue) throws(StoreError) {
        (self.service, self.options, self.queue) = (service, options, queue)
        let nowNs = StoreFile.monotonicNs
        (lookedAtNs, reportedAtNs) = (nowNs, nowNs)
        day = UTCStamp(ns: StoreFile.nowNs + options.laterNs).day
        for number in 0..<service.shardCount {
            let shard: StoredShard
            do throws(FrameRingError) {
                shard = try StoredShard(number, of: service, ringBytes: options.ringBytes)
            } catch {
                throw .ring
            }
            shards.append(shard)
            for (slot, symbol) in shard.symbols.enumerated() {
                guard let readers = service.readers(of: symbol) else { continue }
                places.append(
                    Place(
                        shard: number, slot: slot, trail: SymbolTrail(symbol, readers),
                        tally: DayTally(fromNs: StoreFile.nowNs + options.laterNs)))
            }
        }
        if options.snapshotEveryNs <= 0 { return }
        // Staggered, so that they are not all due at once; the first within one period.
        for index in places.indices {
            places[index].dueNs =
                nowNs + options.snapshotEveryNs / Int64(places.count) * Int64(index + 1)
        }
    }

    /// Tells the thread to save a last snapshot of every live book, and to end.
    func stop() { stopping.raise() }

    /// Saves a snapshot of a book as soon as it is live; false if too many are requested.
    func save(_ symbol: SymbolName) -> Bool { asked.post(symbol) }

    /// Follows until it is stopped.
    func run() {
        look(StoreFile.nowNs + options.laterNs, StoreFile.monotonicNs)
        while !stopping.isRaised {
            turn()
            usleep(StoreFollower.sleepUs)
        }
        finish()
    }

    private func turn() {
        takeFrames()
        let (nowNs, monotonicNs) = (StoreFile.nowNs + options.laterNs, StoreFile.monotonicNs)
        if monotonicNs - lookedAtNs < StoreFollower.lookEveryNs { return }
        look(nowNs, monotonicNs)
        for symbol in asked.take() {
            if let index = places.firstIndex(where: { $0.trail.symbol == symbol }) {
                places[index].isAsked = true
            }
        }
        keepDue(nowNs, monotonicNs)
    }

    private func takeFrames() {
        for shard in shards {
            _ = shard.poll(service, limit: StoreFollower.framesPerTurn)
            for event in shard.takeEvents() { queue.add(.connection(event), atNs: event.atNs) }
        }
    }

    private func look(_ nowNs: Int64, _ monotonicNs: Int64) {
        let passedNs = max(monotonicNs - lookedAtNs, 0)
        lookedAtNs = monotonicNs
        for index in places.indices {
            let findings = places[index].trail.look(atNs: nowNs, monotonicNs: monotonicNs) {
                gapCount += 1
                return gapCount
            }
            for gap in findings.gaps { queue.add(.gap(gap), atNs: nowNs) }
            let symbol = places[index].trail.symbol
            if let audit = findings.audit { note(audit) }
            if findings.tickers > 0 { note(.ticker, findings.tickers, symbol, nowNs) }
            if findings.partials > 0 { note(.partialDepth, findings.partials, symbol, nowNs) }
            tally(index, findings, passedNs, nowNs)
        }
        let today = UTCStamp(ns: nowNs).day
        if today != day || monotonicNs - reportedAtNs >= options.reportEveryNs {
            writeReports(nowNs)
            reportedAtNs = monotonicNs
        }
        if today == day { return }
        let begun = finished.turn(from: day, places.map { $0.tally }, to: today)
        day = today
        for index in places.indices { places[index].tally = begun?[index] ?? DayTally(fromNs: nowNs) }
    }

    /// Adds a look to the symbol's day.
    private func tally(
        _ index: Int, _ findings: SymbolTrail.Findings, _ passedNs: Int64, _ nowNs: Int64
    ) {
        let (shard, slot, former) = (shards[places[index].shard], places[index].slot, findings.former)
        places[index].tally.passed(passedNs, former.state, former.reason, atNs: nowNs)
        if let (old, new) = findings.counters { places[index].tally.grew(from: old, to: new) }
        if let lagNs = findings.lagNs { places[index].tally.lag.add(ns: lagNs) }
        let flow = shard.takeFlow(of: slot)
        // The current silence counts too, by the frames' clock.
        let silentNs = flow.lastAtNs == 0 ? 0 : nowNs - flow.lastAtNs
        let (longestNs, fromNs) = (places[index].tally.longestSilenceNs, places[index].tally.fromNs)
        places[index].tally.longestSilenceNs = max(longestNs, flow.longestNs, min(silentNs, nowNs - fromNs))
    }

    private func writeReports(_ nowNs: Int64) {
        for place in places {
            let report = StoredReport(symbol: place.trail.symbol, day: day, tally: place.tally)
            queue.add(.report(report), atNs: nowNs)
        }
    }

    /// An audit; if it found a difference, with both sides once the book thread has delivered them.
    private func note(_ audit: StoredAudit) {
        if audit.outcome.isEqual {
            queue.add(.audit(audit), atNs: audit.atNs)
            return
        }
        let isAsked = service.auditSides(of: audit.symbol) { [queue] sides in
            var whole = audit
            if let sides, sides.number == audit.outcome.number {
                whole.sides = [
                    StoredBook(
                        audit.symbol, atNs: audit.atNs, cause: .audited, state: .stale, reason: .audit,
                        book: sides.own),
                    StoredBook(
                        audit.symbol, atNs: audit.atNs, cause: .venue, state: .live, reason: .none,
                        book: sides.venue),
                ]
            }
            queue.add(.audit(whole), atNs: audit.atNs)
        }
        if !isAsked { queue.add(.audit(audit), atNs: audit.atNs) }
    }

    /// A contradiction; the engine keeps both values of the first of each kind.
    private func note(_ check: VenueMismatch.Check, _ count: Int, _ symbol: SymbolName, _ nowNs: Int64) {
        let kind = check == .ticker ? "ticker" : "partialDepth"
        let mismatch = StoredMismatch(symbol: symbol, atNs: nowNs, check: kind, count: count)
        let isAsked = service.mismatches(of: symbol) { [queue] found in
            var whole = mismatch
            if let first = found.first(where: { $0.check == check }) {
                whole.updateID = first.at
                whole.book = StoreFollower.text(first.book, first.scales)
                whole.venue = StoreFollower.text(first.venue, first.scales)
            }
            queue.add(.mismatch(whole), atNs: nowNs)
        }
        if !isAsked { queue.add(.mismatch(mismatch), atNs: nowNs) }
    }

    private static func text(_ quote: VenueMismatch.Quote, _ scales: SymbolScales) -> String {
        func text(_ level: PriceLevel?) -> String {
            level.map { "\(scales.text($0.price)) x \(scales.text($0.quantity))" } ?? "-"
        }
        return "\(text(quote.bid)) | \(text(quote.ask))"
    }

    /// Saves snapshots of books that are due.
    private func keepDue(_ nowNs: Int64, _ monotonicNs: Int64) {
        var left = StoreFollower.booksPerTurn
        for _ in places.indices where left > 0 {
            nextPlace = nextPlace + 1 < places.count ? nextPlace + 1 : 0
            let (dueNs, isAsked) = (places[nextPlace].dueNs, places[nextPlace].isAsked)
            let isDue = dueNs.map { $0 <= monotonicNs } ?? false
            if !isDue && !isAsked { continue }
            let (shard, slot) = (shards[places[nextPlace].shard], places[nextPlace].slot)
            let waitedNs = monotonicNs - (dueNs ?? monotonicNs)
            let isLive = shard.mark(of: slot).state == .live
            if !isLive && (!isDue || waitedNs < StoreFollower.waitNsMax) { continue }
            left -= 1
            if let book = shard.book(of: slot, atNs: nowNs, cause: isAsked ? .asked : .period) {
                queue.add(.book(book), atNs: nowNs)
            }
            places[nextPlace].isAsked = false
            guard isDue, let dueNs else { continue }
            let periods = max((monotonicNs - dueNs) / options.snapshotEveryNs, 0) + 1
            places[nextPlace].dueNs = dueNs + periods * options.snapshotEveryNs
        }
    }

    /// Adds the books' final state: a status arrives only once a second. For the caller of `stop`, once the
    /// thread has ended.
    ///
    /// - Parameter books: the service's final books; others are unaffected.
    func add(_ books: [FinalBook]) {
        if books.isEmpty { return }
        let nowNs = StoreFile.nowNs + options.laterNs
        let finals = Dictionary(books.map { ($0.status.symbol, $0.status) }, uniquingKeysWith: { $1 })
        for index in places.indices {
            let symbol = places[index].trail.symbol
            guard let status = finals[symbol] else { continue }
            let findings = places[index].trail.end(status, atNs: nowNs)
            if let (old, new) = findings.counters { places[index].tally.grew(from: old, to: new) }
            if let audit = findings.audit { queue.add(.audit(audit), atNs: nowNs) }
            for (check, count) in [("ticker", findings.tickers), ("partialDepth", findings.partials)]
            where count > 0 {
                let mismatch = StoredMismatch(symbol: symbol, atNs: nowNs, check: check, count: count)
                queue.add(.mismatch(mismatch), atNs: nowNs)
            }
        }
        writeReports(nowNs)
    }

    /// The last frames, the last look, and every live book once more.
    private func finish() {
        takeFrames()
        let nowNs = StoreFile.nowNs + options.laterNs
        look(nowNs, StoreFile.monotonicNs)
        writeReports(nowNs)
        for place in places where shards[place.shard].mark(of: place.slot).state == .live {
            if let book = shards[place.shard].book(of: place.slot, atNs: nowNs, cause: .end) {
                queue.add(.book(book), atNs: nowNs)
            }
        }
        for _ in 0..<StoreFollower.turnsAtEnd {
            let hasLeft = shards.map { $0.leave(service) }
            if !hasLeft.contains(false) { return }
            usleep(StoreFollower.sleepUs)
        }
    }
}
