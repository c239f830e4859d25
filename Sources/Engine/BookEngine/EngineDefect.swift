// Deliberate bugs, so that the simulation can show that its checkers catch them. Visible only inside this
// package; an engine created by the public initialiser has none.

/// Bugs to plant in an engine.
package struct EngineDefect: Sendable {
    /// A buffer silently makes room by dropping its oldest message.
    package var dropsOldestBuffered = false
    /// A book evicts levels without moving its proven range.
    package var keepsProvenRangeOnEviction = false
    /// An unreadable message leaves every book trusted.
    package var ignoresUnreadable = false
    /// A message whose wrapper names another symbol belongs to the symbol that it names itself.
    package var believesMisnamed = false
    /// A book is live although its best price is not proven.
    package var believesUnprovenBest = false
    /// Tickers and partial depths ahead of the book prove nothing.
    package var ignoresEvidenceAhead = false
    /// Where ids advance without the symbol, tickers that differ from the book prove nothing.
    package var ignoresContrary = false
    /// A book that is given up does not remember how far the venue has come.
    package var forgetsPassed = false
    /// A stream that the venue refused is taken for a quiet one.
    package var believesRefused = false
    /// What becomes the served book is not checked.
    package var promotesUnchecked = false
    /// A planned renewal hands over books that the new connection has not shown.
    package var handsOverUnseen = false
    /// A book from before a reconnect is joined by its id alone.
    package var joinsByIdsAlone = false
    /// A snapshot at the book's very id is not compared.
    package var skipsEqualIDAudit = false
    /// A message lost before the ring leaves every book trusted.
    package var ignoresDropped = false
    /// A book is live however late its updates arrive.
    package var ignoresLag = false
    /// A busy connection that goes silent leaves its books trusted.
    package var ignoresSilentConnection = false
    /// A ticker or partial depth that contradicts the book at its id is only counted.
    package var ignoresContradiction = false
    /// Any jump of the last id is believed.
    package var believesAbsurdIDs = false
    /// A copy of a book claims to be complete, whatever is proven.
    package var copiesClaimAll = false
    /// A book is trusted while its stream is being resubscribed.
    package var believesResubscribed = false
    /// A loss of trust is published only with the next update or look.
    package var publishesLate = false
    /// What an audit finds has no effect.
    package var ignoresAudits = false
    /// Updates on an older connection beside the book's prove nothing.
    package var ignoresOlderConnection = false

    package init() {}
}
