// One symbol: the book that is served, what is believed of it, and the one that may be built in its shadow.
//
// `main` is served from the first snapshot on. When it loses its trust its synchronizer collects messages
// again; the old levels stay readable, flagged, until the next snapshot replaces them in place. `shadow`
// exists only for a deepening or an audit: it is fed the same events, and when both stand at the same id they
// are compared, and the shadow, whose proof is fresher, becomes the main book.
//
// Invariants
// * `state == .live` exactly while `main.sync.isLive`.
// * There is a shadow only while the main book is live.
// * A symbol has one source at a time; events of others count only to take over (see `takesOver`).

import BinanceDepth
import DepthBook
import Handoff
import MarketData

/// The slot of one symbol in an engine.
final class SymbolBook {
    let name: SymbolName
    let configuration: EngineConfiguration
    let rule: SequenceRule
    var main: BookTrack
    var shadow: BookTrack?
    var shadowPurpose = SnapshotPriority.audit
    var state = BookState.syncing
    var reason = StaleReason.none
    var source: UInt16?
    /// Highest id that an event of another connection reached and was not used.
    var aheadID = UpdateID(0)
    var counters = SymbolCounters()
    var tickers: TickerMemory
    var lastEventAtNs: Int64 = 0
    var usualIntervalNs: Int64 = 0
    var silence = SilenceWatch()
    var auditedAtNs: Int64 = 0
    /// Books in a row that were given up before they were live.
    var fruitless = 0
    /// Shadows in a row that came to nothing.
    var shadowFailures = 0
    /// Since when all events have been behind the book or the buffer, and how many had not been before that.
    var behindSinceNs: Int64 = 0
    var progressWhenBehind = -1
    var lastDifference: AuditDifference?
    /// The first of each oracle.
    var disagreements: [OracleDisagreement] = []
    var view = BookView()
    var viewIsDue = true
    var viewIsQueued = false
    var writer: LatestValueWriter<BookView>
    let reader: LatestValueReader<BookView>
    var statusWriter: LatestValueWriter<SymbolStatus>
    let statusReader: LatestValueReader<SymbolStatus>

    let defect: EngineDefect

    init(_ name: SymbolName, _ configuration: EngineConfiguration, _ defect: EngineDefect) {
        self.name = name
        self.configuration = configuration
        self.defect = defect
        rule = defect.rule ?? SequenceRule.of(configuration.market)
        main = BookTrack(configuration, defect)
        tickers = TickerMemory(capacity: configuration.tickerCountMax)
        view.symbol = name
        let mailbox = LatestValue(view)
        reader = mailbox.reader
        writer = mailbox.writer
        let statusMailbox = LatestValue(SymbolStatus(name))
        statusReader = statusMailbox.reader
        statusWriter = statusMailbox.writer
    }

    /// Hands the present state to readers.
    func publish() {
        viewIsDue = false
        viewIsQueued = false
        main.book.publish(into: &view)
        view.state = state
        view.reason = reason
        view.receivedAtNs = lastEventAtNs
        writer.publish(view)
    }
}

/// What an audit found.
public struct AuditDifference: Hashable, Sendable, BitwiseCopyable {
    /// Update id at which both books stood.
    public var at: UpdateID
    /// Side of the difference.
    public var side: Side
    /// The first level that differs; `own` is the served book's.
    public var level: LevelDifference
}
