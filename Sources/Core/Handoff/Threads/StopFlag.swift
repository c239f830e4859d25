// A flag that is raised once.

import Synchronization

/// A flag that any thread may raise and none may lower.
public final class StopFlag: Sendable {
    private let raised = Atomic<Bool>(false)

    /// A flag that is down.
    public init() {}

    /// Raises it. What was written before is seen by whoever sees it raised.
    public func raise() { raised.store(true, ordering: .releasing) }

    /// Whether it is up.
    public var isRaised: Bool { raised.load(ordering: .acquiring) }
}
