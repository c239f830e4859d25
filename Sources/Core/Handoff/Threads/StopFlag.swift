// A flag that is raised once.

import Synchronization

/// A flag that any thread may raise and none can lower.
public final class StopFlag: Sendable {
    private let raised = Atomic<Bool>(false)

    /// A flag that is not raised.
    public init() {}

    /// Raises it. What was written before is visible to any thread that sees it raised.
    public func raise() { raised.store(true, ordering: .releasing) }

    /// Whether it is raised.
    public var isRaised: Bool { raised.load(ordering: .acquiring) }
}
