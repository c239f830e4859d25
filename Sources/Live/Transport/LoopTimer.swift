// Identification of a timer.

/// Identifies a timer of one loop.
package struct LoopTimer: Hashable, Sendable {
    package let number: UInt64

    package init(number: UInt64) { self.number = number }
}
