// A flag that is raised once.

import Synchronization

/// A flag that any thread may raise and none can lower.
package final class StopFlag: Sendable {
    private let raised = Atomic<Bool>(false)

    /// A flag that is not raised.
    package init() {}

    /// Raises it. Earlier writes are visible to any thread that sees it raised.
    package func raise() { raised.store(true, ordering: .releasing) }

    /// Whether it is raised.
    package var isRaised: Bool { raised.load(ordering: .acquiring) }
}
