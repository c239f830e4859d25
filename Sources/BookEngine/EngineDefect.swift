// Deliberate mistakes, so that the simulation can show that its checkers bite. Visible inside this package
// only; an engine made by the public initialiser has none of them.

import BinanceDepth

/// Mistakes to build into an engine.
package struct EngineDefect: Sendable {
    /// A wrong sequence rule instead of the market's.
    package var rule: SequenceRule?
    /// A buffer that makes room by dropping its oldest message, and says nothing.
    package var dropsOldestBuffered = false
    /// A book that evicts levels without moving its proven range.
    package var keepsProvenRangeOnEviction = false
    /// A message that cannot be read costs no book its trust.
    package var ignoresUnreadable = false
    /// A message that was dropped before the engine costs no book its trust.
    package var ignoresDropped = false
    /// A book is live whatever is known of its best prices.
    package var believesUnprovenBest = false
    /// Tickers, partial depths and snapshots ahead of the book say nothing.
    package var ignoresEvidenceAhead = false
    /// What becomes the served book is not looked at.
    package var promotesUnchecked = false
    /// A planned renewal hands over to a connection that has delivered nothing.
    package var handsOverUnseen = false
    /// A book kept across a reconnect is believed as soon as its ids go on.
    package var joinsByIdsAlone = false
    /// A snapshot at the very id of the book is not compared before the next update.
    package var skipsEqualIDAudit = false
    /// Late updates are as good as others.
    package var ignoresLag = false
    /// A connection may be silent for as long as it likes.
    package var ignoresSilentConnection = false

    package init() {}
}
