// Infrequent messages to one thread from any others, in order of arrival.
//
// A locked array for commands, questions and answers. When it is empty, `take` costs one atomic load, so a
// hot loop can poll it every turn.
//
// Invariant: an accepted element comes out exactly once, and none is accepted after `close`. A thread that
// works until it closes the queue and then handles what `close` returned leaves nothing undone.
//
// Bounds: `capacity` elements; a further one is refused, and the caller is told.

import Synchronization

/// A bounded queue to one thread. Any number of threads may post.
package final class CommandQueue<Element: Sendable>: Sendable {
    private struct State: Sendable {
        var waiting: [Element] = []
        var isClosed = false
    }

    private let count = Atomic<Int>(0)
    private let state = Mutex(State())
    private let capacity: Int

    /// An empty queue of at most `capacity` elements.
    package init(capacity: Int) { self.capacity = capacity }

    /// Adds an element after the others.
    ///
    /// - Returns: false if the queue is full or closed; the element was not accepted.
    package func post(_ element: Element) -> Bool {
        withState { state in
            if state.isClosed || state.waiting.count >= capacity { return false }
            state.waiting.append(element)
            return true
        }
    }

    /// Removes and returns everything, oldest first. If empty, it takes no lock and allocates nothing.
    package func take() -> [Element] {
        if count.load(ordering: .acquiring) == 0 { return [] }
        return withState { takeAll(&$0) }
    }

    /// Removes and returns everything, oldest first, and refuses whatever is posted later.
    package func close() -> [Element] {
        withState { state in
            state.isClosed = true
            return takeAll(&state)
        }
    }

    private func takeAll(_ state: inout State) -> [Element] {
        let taken = state.waiting
        state.waiting = []
        return taken
    }

    /// Ordering comes from the lock. `count` repeats it only because a sanitizer does not see how a contended
    /// lock changes hands.
    private func withState<R: Sendable>(_ body: (inout State) -> R) -> R {
        state.withLock { state in
            _ = count.load(ordering: .acquiring)
            let result = body(&state)
            count.store(state.waiting.count, ordering: .releasing)
            return result
        }
    }
}
