// What a store records of one symbol, from what readers see: the view, twenty times a second, and the status,
// once a second. Nothing here asks the book thread unless something is wrong.

import BookEngine
import BookService
import DepthBook
import LobHandoff
import MarketData

/// The looks at one symbol.
struct SymbolTrail {
    /// Findings of a look.
    struct Findings {
        var gaps: [StoredGap] = []
        /// An audit that ended since the last look.
        var audit: StoredAudit?
        /// Contradictions since the last look: of tickers, of partial depths.
        var tickers = 0
        var partials = 0
        /// State of the book up to this look.
        var former = (state: BookState.syncing, reason: StaleReason.none)
        /// Counters before and now, if new ones have arrived.
        var counters: (old: SymbolCounters, new: SymbolCounters)?
        /// Lag of its last update, if one has arrived.
        var lagNs: Int64?
    }

    let symbol: SymbolName
    private let readers: SymbolReaders
    private(set) var view = BookView()
    private(set) var status: SymbolStatus
    private var version: UInt64 = 0
    private var gaps: GapTrail
    private var auditNumber = 0

    /// A trail that starts now: until it is live, the book is in a gap.
    init(_ symbol: SymbolName, _ readers: SymbolReaders) {
        (self.symbol, self.readers) = (symbol, readers)
        (status, gaps) = (SymbolStatus(symbol), GapTrail(symbol))
    }

    /// Looks.
    ///
    /// - Parameters:
    ///   - atNs: the current time since 1970.
    ///   - monotonicNs: the current monotonic time.
    ///   - number: returns the number of the next gap.
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

    /// Takes the last status after the book has ended.
    ///
    /// - Parameters:
    ///   - final: the service's final status of the symbol.
    ///   - atNs: the current time since 1970.
    /// - Returns: findings since the last look; no gaps, which the end itself would cause.
    mutating func end(_ final: SymbolStatus, atNs: Int64) -> Findings {
        var findings = Findings()
        let before = status.counters
        status = final
        compare(before, atNs, &findings)
        return findings
    }

    /// What the current status adds to former counters.
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
