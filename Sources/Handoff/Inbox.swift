// Work for one thread out of any others, in the order in which it came.
//
// For what is rare: a command, a question, an answer. A lock and an array are the whole of it, because the
// thread that works looks at one counter and nothing else while there is nothing; that look is all that a
// hot loop pays.
//
// Bounds: `capacity` pieces; what comes beyond is refused, and the caller told.

import Synchronization

/// A bounded queue into one thread. Any number of threads may post.
public final class Inbox<Element: Sendable>: Sendable {
    private let count = Atomic<Int>(0)
    private let waiting = Mutex<[Element]>([])
    private let capacity: Int

    /// An empty inbox for at most `capacity` pieces.
    public init(capacity: Int) { self.capacity = capacity }

    /// Adds a piece behind the others.
    ///
    /// - Returns: false if the inbox is full; the piece was not taken.
    public func post(_ element: Element) -> Bool {
        waiting.withLock { waiting in
            if waiting.count >= capacity { return false }
            waiting.append(element)
            count.store(waiting.count, ordering: .releasing)
            return true
        }
    }

    /// Takes everything out, oldest first. Without a lock, and without an allocation, if there is nothing.
    public func take() -> [Element] {
        if count.load(ordering: .acquiring) == 0 { return [] }
        return waiting.withLock { waiting in
            let taken = waiting
            waiting = []
            count.store(0, ordering: .relaxed)
            return taken
        }
    }
}

/// A flag that any thread may raise and none may lower.
public final class Latch: Sendable {
    private let raised = Atomic<Bool>(false)

    /// A flag that is down.
    public init() {}

    /// Raises it. What was written before is seen by whoever sees it raised.
    public func raise() { raised.store(true, ordering: .releasing) }

    /// Whether it is up.
    public var isRaised: Bool { raised.load(ordering: .acquiring) }
}
