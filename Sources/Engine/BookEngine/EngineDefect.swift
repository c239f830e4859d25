// Deliberate mistakes, so that the simulation can show that its checkers bite. Visible inside this package
// only; an engine made by the public initialiser has none of them.

/// Mistakes to build into an engine.
package struct EngineDefect: Sendable {
    /// A buffer that makes room by dropping its oldest message, and says nothing.
    package var dropsOldestBuffered = false
    /// A book that evicts levels without moving its proven range.
    package var keepsProvenRangeOnEviction = false
    /// A message that cannot be read costs no book its trust.
    package var ignoresUnreadable = false
    /// A book is live though its best price is not proven.
    package var believesUnprovenBest = false
    /// Tickers and partial depths ahead of the book prove nothing.
    package var ignoresEvidenceAhead = false
    /// What becomes the served book is not checked.
    package var promotesUnchecked = false
    /// A planned renewal hands over books of which the new connection has shown nothing.
    package var handsOverUnseen = false
    /// A book of before a reconnect is joined by its id alone.
    package var joinsByIdsAlone = false
    /// A snapshot at the very id of the book is not compared.
    package var skipsEqualIDAudit = false
    /// A message lost before the ring costs no book its trust.
    package var ignoresDropped = false
    /// However late updates come, the book is live.
    package var ignoresLag = false
    /// A busy connection that falls silent costs no book its trust.
    package var ignoresSilentConnection = false
    /// A ticker or partial depth that contradicts the book at its id is only counted.
    package var ignoresContradiction = false
    /// Any jump of the last id is believed.
    package var believesAbsurdIDs = false
    /// A copy of a book claims to be complete, whatever is proven.
    package var copiesClaimAll = false

    /// A book whose stream is subscribed again is believed meanwhile.
    package var believesResubscribed = false

    package init() {}
}
