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

    package init() {}
}
