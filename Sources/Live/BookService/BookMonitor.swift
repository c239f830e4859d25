// Turns periodic samples of a book's view and counters into an ordered stream of events, each reported once.
//
// A look sees the current view and, once a second, the counters. A stale period seen in a view appears in the
// counters up to a second later, when it may be over; one shorter than the time between two looks appears
// only in the counters. The former is reported from the views, and not again from its count; the latter is
// reported as already over.

import BookEngine
import DepthBook
import MarketData

/// What the looks at one book have shown. Times are of any one clock.
package struct BookMonitor: Sendable {
    /// A book that could not be repaired for this long is lost.
    package static var mendingNsMax: Int64 { 30_000_000_000 }

    private static let unchainedGapsMin = 10

    private var state = BookState.syncing
    private var reason = StaleReason.none
    private var wasLive = false
    private var notLiveSinceNs: Int64 = 0
    /// Whether the gaps in the next counters have already been reported.
    private var isLossTold = false
    private var isUnchainedTold = false
    private var counters = SymbolCounters()
    private var stateOfCounters = BookState.syncing

    /// A monitor that has seen nothing yet.
    package init() {}

    /// Processes a look.
    ///
    /// - Parameters:
    ///   - view: the current view.
    ///   - status: nil if there is none newer than at the previous look.
    ///   - atNs: the time of the look.
    /// - Returns: what to report.
    package mutating func look(_ view: BookView, _ status: SymbolStatus?, atNs: Int64) -> [BookEvent] {
        var news: [BookEvent] = []
        lookAtState(view, atNs, &news)
        if let status {
            lookAtGaps(status, &news)
            lookAtFindings(status, &news)
            counters = status.counters
            stateOfCounters = status.state
        }
        return news
    }

    /// The outcome if `end` is the book's final state.
    package func outcome(_ end: BookState, atNs: Int64) -> BookOutcome {
        if end == .live { return .live }
        if !wasLive { return .neverLive }
        let ns = state == .live ? 0 : atNs - notLiveSinceNs
        return ns < BookMonitor.mendingNsMax
            ? .mending(forMs: ns / 1_000_000) : .lost(forMs: ns / 1_000_000)
    }

    private mutating func lookAtState(_ view: BookView, _ atNs: Int64, _ news: inout [BookEvent]) {
        if view.state == state && view.reason == reason { return }
        if state == .live { notLiveSinceNs = atNs }
        (state, reason) = (view.state, view.reason)
        switch view.state {
        case .syncing: break
        case .live:
            news.append(
                wasLive
                    ? .liveAgain(view.lastUpdateID, afterMs: (atNs - notLiveSinceNs) / 1_000_000)
                    : .live(view.lastUpdateID))
            wasLive = true
        case .stale:
            if !wasLive {
                // It was live between two looks.
                wasLive = true
                notLiveSinceNs = atNs
            }
            isLossTold = true
            news.append(.stale(view.reason))
        }
    }

    private mutating func lookAtGaps(_ status: SymbolStatus, _ news: inout [BookEvent]) {
        let new = status.counters
        let gaps = new.gaps - counters.gaps
        if state == .live {
            let wasLiveThroughout = status.state == .live && stateOfCounters == .live
            if gaps > 0 && !isLossTold && wasLiveThroughout { news.append(.mended(gaps: gaps)) }
            isLossTold = false
        }
        if !isUnchainedTold && new.applied == 0 && new.gaps >= BookMonitor.unchainedGapsMin
            && new.gaps * 2 > new.buffered
        {
            isUnchainedTold = true
            news.append(.unchained)
        }
    }

    private func lookAtFindings(_ status: SymbolStatus, _ news: inout [BookEvent]) {
        let (old, new) = (counters, status.counters)
        func differing(_ c: SymbolCounters) -> (audits: Int, tickers: Int, partials: Int) {
            (
                c.auditsCompared - c.auditsAgreed, c.tickersCompared - c.tickersAgreed,
                c.partialsCompared - c.partialsAgreed
            )
        }
        if differing(new).audits > differing(old).audits {
            news.append(.auditDiffered(status.lastDifference))
        } else if new.auditsCompared > old.auditsCompared {
            news.append(.auditAgreed)
        }
        if differing(new).tickers > differing(old).tickers { news.append(.tickerContradicted) }
        if differing(new).partials > differing(old).partials { news.append(.partialContradicted) }
        if new.crossings > old.crossings { news.append(.crossed) }
        if new.behind > old.behind { news.append(.behind) }
        if new.rescales > old.rescales { news.append(.rescaled) }
        if new.bufferOverflows > old.bufferOverflows { news.append(.bufferOverflowed) }
    }
}
