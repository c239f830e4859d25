// What of one symbol goes into a store, out of what readers see of it: the views, twenty times a second, and
// the status, once a second. Nothing here asks the book thread, unless something is wrong.

import BookEngine
import BookService
import DepthBook
import LobHandoff
import MarketData

/// The looks at one symbol.
struct SymbolTrail {
    /// What a look has found.
    struct Findings {
        var gaps: [StoredGap] = []
        /// An audit that ended since the last look.
        var audit: StoredAudit?
        /// Contradictions since the last look: of tickers, of partial depths.
        var tickers = 0
        var partials = 0
        /// What the book was until this look.
        var former = (state: BookState.syncing, reason: StaleReason.none)
        /// Counters before and now, if there are new ones.
        var counters: (old: SymbolCounters, new: SymbolCounters)?
        /// How late its last update was, if one has come.
        var lagNs: Int64?
    }

    let symbol: SymbolName
    private let readers: SymbolReaders
    private(set) var view = BookView()
    private(set) var status: SymbolStatus
    private var version: UInt64 = 0
    private var gaps: GapTrail
    private var auditNumber = 0

    /// A trail that begins now: until it is live, the book is in a gap.
    init(_ symbol: SymbolName, _ readers: SymbolReaders) {
        (self.symbol, self.readers) = (symbol, readers)
        (status, gaps) = (SymbolStatus(symbol), GapTrail(symbol))
    }

    /// Looks.
    ///
    /// - Parameters:
    ///   - atNs: the time now, since 1970.
    ///   - monotonicNs: the same on a clock that is never set.
    ///   - number: gives the next gap its number.
    mutating func look(atNs: Int64, monotonicNs: Int64, number: () -> Int) -> Findings {
        var findings = Findings()
        findings.former = (view.state, view.reason)
        let formerID = view.lastUpdateID
        _ = readers.views.read(into: &view)
        let before = status
        var isNew = false
        if case .new(let version) = readers.statuses.read(into: &status, ifNewerThan: version) {
            (self.version, isNew) = (version, true)
        }
        findings.gaps = gaps.look(
            view, isNew ? status : nil, atNs: atNs, monotonicNs: monotonicNs, number: number)
        if view.state != .syncing && view.lastUpdateID != formerID { findings.lagNs = view.lagNs }
        if isNew { compare(before.counters, atNs, &findings) }
        return findings
    }

    /// Takes the last status, when the book has ended.
    ///
    /// - Parameters:
    ///   - final: what the service had of the symbol at its end.
    ///   - atNs: the time now, since 1970.
    /// - Returns: what has come since the last look; no gaps, which the end itself would make.
    mutating func end(_ final: SymbolStatus, atNs: Int64) -> Findings {
        var findings = Findings()
        let before = status.counters
        status = final
        compare(before, atNs, &findings)
        return findings
    }

    /// What the present status has beyond former counters.
    private mutating func compare(_ old: SymbolCounters, _ atNs: Int64, _ findings: inout Findings) {
        let new = status.counters
        findings.counters = (old, new)
        findings.tickers = differing(new).tickers - differing(old).tickers
        findings.partials = differing(new).partials - differing(old).partials
        guard let outcome = status.lastAudit, outcome.number > auditNumber else { return }
        auditNumber = outcome.number
        findings.audit = StoredAudit(
            symbol: symbol, atNs: atNs, outcome: outcome,
            difference: outcome.isEqual ? nil : status.lastDifference?.text)
    }

    private func differing(_ counters: SymbolCounters) -> (tickers: Int, partials: Int) {
        (
            counters.tickersCompared - counters.tickersAgreed,
            counters.partialsCompared - counters.partialsAgreed
        )
    }
}
