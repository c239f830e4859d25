// The name of a timer.

/// Names a timer of one loop.
public struct LoopTimer: Hashable, Sendable {
    let number: UInt64
}
