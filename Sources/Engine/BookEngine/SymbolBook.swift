// One symbol: the served book, how far it is trusted, and the candidate that may be built beside it.
//
// `served` is what readers see from the first snapshot on. When it is lost, its synchronizer collects updates
// again; the old levels stay readable, flagged, until the next snapshot replaces them in place. Trust is not
// a state that is set but a verdict on what is known, renewed whenever that changes. Everything with its own
// clock or counter is a small machine with its own table, named in brackets:
//
// ```
// what is known                                                                  verdict
// no snapshot was ever joined (BookLoss)                                         syncing
// the synchronizer waits for a snapshot or for the first update (SyncedBook)     stale, as BookLoss says
// kept across a reconnect and not proven since (ReconnectDoubt), or proven by a
//   snapshot that may predate the connection, and not confirmed in time
//   (SymbolSource)                                                               stale (disconnected)
// a message that may have been an update of it was lost (SuspectedGap)           stale (as it says)
// its stream omitted something or is being resubscribed, and has shown nothing
//   since (SymbolSource)                                                         stale (behind)
// the best price of a side lies outside what is proven (OrderBook)               stale (shallow)
// the last update arrived too late (SymbolLag, Connections)                      stale (lagging)
// the connection was busy and has gone silent (SymbolSource)                     stale (silent)
// none of these                                                                  live
// ```
//
// Invariants
// * `state` and `reason` equal the verdict after every input.
// * There is a candidate only while `served` stands at an id.
// * A symbol has one source at a time; updates from other connections only matter for taking over (see
//   `takesOver`).

import DepthBook
import LobHandoff
import MarketData

/// The slot of one symbol in an engine.
final class SymbolBook {
    // First what every update touches, so that it lies in few cache lines (see `HotLines`).
    let shared: EngineShared
    /// The book that readers see.
    var served: SyncedBook {
        didSet {
            provenCounts = ProvenCounts()
            replaced()
        }
    }
    private(set) var state = BookState.syncing
    private(set) var reason = StaleReason.none
    /// When it must be looked at next, on the engine's clock.
    private(set) var wakeNs: Int64 = 0
    /// The same without what is ahead of the book.
    private var routineNs: Int64 = 0
    /// When the last update was applied, and when the symbol was last heard: receive times, for readers.
    var appliedAtNs: Int64 = 0
    var heardAtNs: Int64 = 0
    // Source and timing of its updates.
    var source = SymbolSource()
    var silence = SilenceWatch()
    var lag = SymbolLag()
    var plausibleIDs: PlausibleIDs
    // Evidence against the served book.
    var gap = SuspectedGap()
    var behind = BehindRun()
    var loss = BookLoss()
    var doubt = ReconnectDoubt()
    var ahead = AheadEvidence()
    var contrary = ContraryEvidence()
    var crossChecks: CrossChecks
    var mailboxes: BookMailboxes
    var counters = SymbolCounters()
    let name: SymbolName
    /// The book being built beside it, if any.
    var candidate: Candidate?

    // The rest is touched rarely.
    /// Number of times the served book was restarted or replaced.
    private(set) var replacementCount = 0
    /// `counters.applied` when the served book was loaded.
    var appliedAtLoad = 0
    /// The engine-wide number of the last time the served book was replaced by an equal, deeper one; 0 if it
    /// never was.
    var deepeningNumber = 0

    // Snapshots and proofs.
    var awaited = AwaitedSnapshot()
    var retries = CandidateRetries()
    var joins = JoinWatch()
    var audits: AuditSchedule
    var lastDifference: AuditDifference?
    var lastAudit: AuditOutcome?
    private var provenCounts = ProvenCounts()

    init(_ name: SymbolName, _ shared: EngineShared) {
        self.name = name
        self.shared = shared
        served = SyncedBook(shared)
        plausibleIDs = PlausibleIDs(perSecondMax: shared.configuration.idsPerSecondMax)
        audits = AuditSchedule(name)
        crossChecks = CrossChecks(tickerCountMax: shared.configuration.tickerCountMax)
        mailboxes = BookMailboxes(name)
    }

    /// The served book is no longer purely the result of updates.
    func replaced() {
        replacementCount &+= 1
        shared.replacementCount &+= 1
    }

    /// Publishes the current state to readers.
    func publish() {
        mailboxes.publish(served.book, in: &shared.view) { view in
            view.symbol = name
            view.state = state
            view.reason = reason
            view.receivedAtNs = appliedAtNs
            view.checkedAtNs = heardAtNs
            view.lagNs = lag.lagNs
        }
    }

    /// Renews the verdict.
    @inline(__always)
    func judge() {
        let (newState, newReason) = verdict
        if newState == state && newReason == reason { return }
        turned(to: newState)
        (state, reason) = (newState, newReason)
        if !shared.defect.publishesLate { mailboxes.changed() }
    }

    private func turned(to newState: BookState) {
        if newState == .live { return awaited.becameLive(nowNs: shared.nowNs) }
        if state == .live && awaited.hasLasted(shared.nowNs) { silence.lasted(nowNs: shared.nowNs) }
        // Whatever it was, also something about another symbol: what settles it must be requested.
        wake(atNs: shared.nowNs &+ shared.configuration.doubtNsMin)
    }

    private var verdict: (BookState, StaleReason) {
        let served = served
        if !served.isLive {
            return loss.hasJoined ? (.stale, loss.reason(or: .gap)) : (.syncing, .none)
        }
        if doubt.needsProof { return (.stale, .disconnected) }
        if gap.isOpen { return (.stale, gap.reason) }
        if source.leftOutNs != nil { return (.stale, .behind) }
        if source.isUnconfirmed { return (.stale, .disconnected) }
        if !served.hasProvenBests && !shared.defect.believesUnprovenBest { return (.stale, .shallow) }
        if isLagging { return (.stale, .lagging) }
        if source.isSilent { return (.stale, .silent) }
        return (.live, .none)
    }

    /// Whether it is live, and not only until a confirmation is overdue.
    var isLastingly: Bool { state == .live && source.confirmNs == nil }

    /// Whether its stream is late, or was when last heard: a late stream also delays news of quiet symbols.
    var isLagging: Bool {
        shared.connections.hasLate && streamLagNs > shared.configuration.lagNsMax && !shared.defect.ignoresLag
    }

    /// How late its stream is, by its own last update or by another symbol's since then.
    var streamLagNs: Int64 { shared.connections.lagNs(source.connection, sinceNs: lag.notedNs) ?? lag.lagNs }

    /// Three usual intervals of the stream, within the configured bounds: how long something may be ahead of
    /// the book, or updates behind it.
    var aheadLimitNs: Int64 {
        let usualNs = silence.usualIntervalNs == 0 ? Int64.max : silence.usualIntervalNs
        return max(shared.configuration.aheadNsMin, min(usualNs, shared.configuration.aheadNsMax / 3) * 3)
    }

    /// How long updates may be behind the book: late updates are, for as long as they are late.
    var behindLimitNs: Int64 { aheadLimitNs &+ lag.lagNs }

    /// Requests a look no later than this.
    func wake(atNs: Int64) {
        routineNs = min(routineNs, atNs)
        wakeNs = min(wakeNs, atNs)
    }

    /// Requests a look no later than this because of what is ahead of the book.
    func wakeForEvidence(atNs: Int64) { wakeNs = min(wakeNs, atNs) }

    /// It is being looked at, and will request its next look.
    func woken() { (wakeNs, routineNs) = (.max, .max) }

    /// Whether nothing needs doing after all: what was ahead of the book has been reached. True for nearly
    /// every look at a busy book with tickers, and cheap.
    func sleepsOn(nowNs: Int64) -> Bool {
        if routineNs <= nowNs { return false }
        if let dueNs = evidenceDueNs, dueNs < nowNs { return false }
        wakeNs = routineNs
        wakeForEvidence()
        return true
    }

    // MARK: - Proven levels

    /// Proven levels of both sides, recounted only if the book has moved. O(slots / 8).
    func countProven() -> ProvenCounts {
        if !provenCounts.isCurrent(counters) { count() }
        return provenCounts
    }

    /// The same while the tick has time for it; otherwise the previous counts.
    func countProvenInTick() -> ProvenCounts {
        if provenCounts.isCurrent(counters) { return provenCounts }
        if !provenCounts.isKnown || shared.countableSlots > 0 { count() }
        return provenCounts
    }

    private func count() {
        provenCounts.count(served.book, counters)
        shared.countableSlots -= served.book.slotCount
    }
}
