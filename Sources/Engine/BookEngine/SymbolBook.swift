// One symbol: the book that is served, what is believed of it, and the candidate that may be built beside it.
//
// `main` is served from the first snapshot on. When it is lost, its synchronizer collects updates again; the
// old levels stay readable, flagged, until the next snapshot replaces them in place. What is believed of it
// is not a state that somebody sets but a verdict over what is known, made anew whenever that changes:
//
// ```
// what is known                                                   verdict
// no snapshot was ever joined                                     syncing
// the synchronizer waits for a snapshot or for the first update   stale, for the reason of the loss
// kept across a reconnect and not proven since                    stale (disconnected)
// a message that may have been an update of it was lost           stale (unreadable, dropped, gap)
// its stream left something out and has shown nothing since       stale (behind)
// the best price of a side lies outside what is proven            stale (shallow)
// the last update came too late                                   stale (lagging)
// the connection was busy and has fallen silent                   stale (silent)
// none of these                                                   live
// ```
//
// Invariants
// * `state` and `reason` are the verdict, after every input.
// * There is a candidate only while `main` stands at an id.
// * A symbol has one source at a time; updates of others count only to take over (see `takesOver`).

import BinanceVenue
import DepthBook
import LobHandoff
import MarketData

/// The slot of one symbol in an engine.
final class SymbolBook {
    /// What another connection than the own one has shown of the symbol.
    struct OtherConnection {
        var source: UInt16?
        /// Highest id that an update of it reached.
        var lastID = UpdateID(0)
    }

    /// A message that may have been an update was lost.
    struct Hole {
        var reason = StaleReason.none
        var sinceNs: Int64 = 0

        var isOpen: Bool { reason != .none }
    }

    /// Updates that were behind the book, with none in between that was not.
    struct BehindRun {
        var sinceNs: Int64 = 0
        var count = 0
        /// Whether another snapshot was asked for meanwhile.
        var isChecked = false
    }

    let name: SymbolName
    let shared: EngineShared
    var main: SyncedBook { didSet { provenCounts = ProvenCounts() } }
    var candidate: Candidate?
    private(set) var state = BookState.syncing
    private(set) var reason = StaleReason.none
    /// Whether `main` was ever joined to its stream.
    var hasJoined = false

    // What speaks against the served book.
    var loss = StaleReason.none
    /// Which of the engine's losses was the last of this book; 0 if it was never given up.
    var lossNumber = 0
    var needsProof = false
    /// Updates that the kept book had taken in since its snapshot: what tells it from that of another time.
    var keptUpdates = 0
    var appliedAtLoad = 0
    /// The trial that it has been in doubt since.
    var doubtedInTrial = 0
    var isBelievedUnproven = false
    /// The trial in which it asked for a proof last.
    var askedInTrial = 0
    var hole = Hole()
    /// Since when the stream is known to have left something out, on the engine's clock; nil if it is not.
    var streamDoubtedNs: Int64?
    var connectionIsSilent = false
    var lagNs: Int64 = 0
    /// When that was found, by an update or by a snapshot that showed that there was none to come.
    var lagNotedNs: Int64 = 0
    var ahead = AheadEvidence()
    var behind = BehindRun()
    /// Last id of the updates that came before the request for a snapshot was sent: an older one is of no
    /// use.
    var passedID = UpdateID(0)
    var implausibleRun = 0

    var source: UInt16?
    var other = OtherConnection()
    /// Whether an update of the source came since another connection came up.
    var isHeardBesideNewest = false
    var counters = SymbolCounters()
    var tickers: PendingTickers
    var partials = PendingPartials()

    // Times: `…AtNs` are receive times, for readers; `…Ns` alone is the engine's clock.
    var appliedAtNs: Int64 = 0
    var heardAtNs: Int64 = 0
    var heardNs: Int64 = 0
    var lastEventTimeUs: Int64 = 0
    var usualIntervalNs: Int64 = 0
    var silence = SilenceWatch()
    var statusNs: Int64 = 0
    var joinedNs: Int64 = 0
    var joinChecks = 0
    var provenNs: Int64 = 0
    var auditCount: UInt64 = 0

    /// Whether what is asked for was cancelled since: an answer on its way is of before a doubt.
    var answersAreVoid = false
    /// Books in a row that were given up before they were live.
    var fruitless = 0
    /// What somebody waits for is not held up by failures of what may wait.
    var urgentRetry = CandidateRetry.urgent
    var optionalRetry = CandidateRetry.optional
    var lastDifference: AuditDifference?
    /// The first of each kind of cross-check.
    var mismatches: [VenueMismatch] = []
    var provenCounts = ProvenCounts()

    var view = BookView()
    var viewIsDue = true
    var viewIsQueued = false
    /// When to look at it again at the latest, on the engine's clock.
    var wakeNs: Int64 = 0
    var writer: LatestValueWriter<BookView>
    let reader: LatestValueReader<BookView>
    var topWriter: LatestValueWriter<TopOfBook>
    let topReader: LatestValueReader<TopOfBook>
    var statusWriter: LatestValueWriter<SymbolStatus>
    let statusReader: LatestValueReader<SymbolStatus>

    var configuration: EngineConfiguration { shared.configuration }

    init(_ name: SymbolName, _ shared: EngineShared) {
        self.name = name
        self.shared = shared
        main = SyncedBook(shared)
        tickers = PendingTickers(capacity: shared.configuration.tickerCountMax)
        view.symbol = name
        let mailbox = LatestValue(view)
        reader = mailbox.reader
        writer = mailbox.writer
        let topMailbox = LatestValue(TopOfBook())
        topReader = topMailbox.reader
        topWriter = topMailbox.writer
        let statusMailbox = LatestValue(SymbolStatus(name))
        statusReader = statusMailbox.reader
        statusWriter = statusMailbox.writer
    }

    /// Whether its view is to be published and nobody knows yet; from now on somebody does.
    func queueView() -> Bool {
        if !viewIsDue || viewIsQueued { return false }
        viewIsQueued = true
        return true
    }

    /// Hands the present state to readers.
    func publish() {
        viewIsDue = false
        viewIsQueued = false
        main.book.publish(into: &view)
        view.state = state
        view.reason = reason
        view.receivedAtNs = appliedAtNs
        view.checkedAtNs = heardAtNs
        view.lagNs = lagNs
        writer.publish(view)
        topWriter.publish(TopOfBook(view))
    }

    /// Makes the verdict anew.
    @inline(__always)
    func judge() {
        let (newState, newReason) = verdict
        if newState == state && newReason == reason { return }
        (state, reason) = (newState, newReason)
        viewIsDue = true
    }

    private var verdict: (BookState, StaleReason) {
        if !main.sync.isLive { return hasJoined ? (.stale, loss == .none ? .gap : loss) : (.syncing, .none) }
        if needsProof { return (.stale, .disconnected) }
        if hole.isOpen { return (.stale, hole.reason) }
        if streamDoubtedNs != nil { return (.stale, .behind) }
        if !(main.book.hasProvenBest(.bid) && main.book.hasProvenBest(.ask))
            && !shared.defect.believesUnprovenBest
        {
            return (.stale, .shallow)
        }
        if isLagging { return (.stale, .lagging) }
        if connectionIsSilent { return (.stale, .silent) }
        return (.live, .none)
    }

    /// Whether its stream is late, or was when it was heard last: a late stream keeps the news of quiet
    /// symbols back as well.
    var isLagging: Bool {
        shared.connections.hasLate && streamLagNs > configuration.lagNsMax && !shared.defect.ignoresLag
    }

    /// How late its stream is: as its own last update, or as another symbol's that came since.
    var streamLagNs: Int64 { shared.connections.lagNs(source, sinceNs: lagNotedNs) ?? lagNs }

    /// Three usual intervals of the stream, within the bounds of the configuration: for so long something may
    /// be ahead of the book, or updates behind it.
    var aheadLimitNs: Int64 {
        let usualNs = usualIntervalNs == 0 ? Int64.max : usualIntervalNs
        return max(configuration.aheadNsMin, min(usualNs, configuration.aheadNsMax / 3) * 3)
    }

    /// Wants to be looked at no later than this.
    func wake(atNs: Int64) { wakeNs = min(wakeNs, atNs) }
}
