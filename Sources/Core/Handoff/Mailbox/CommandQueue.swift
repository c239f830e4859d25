// Infrequent messages for one thread from any others, in the order in which they came.
//
// For what is rare: a command, a question, an answer. It is a lock and an array. When it is empty, `take`
// costs one atomic load, so a hot loop can poll it every turn.
//
// Invariant: an element that was accepted comes out once, and after `close` none is accepted. A thread that
// works until it closes the queue, and then works off what `close` returned, leaves nothing undone.
//
// Bounds: `capacity` elements; one more is refused, and the caller is told.

import Synchronization

/// A bounded queue into one thread. Any number of threads may post.
package final class CommandQueue<Element: Sendable>: Sendable {
    private struct State: Sendable {
        var waiting: [Element] = []
        var isClosed = false
    }

    private let count = Atomic<Int>(0)
    private let state = Mutex(State())
    private let capacity: Int

    /// An empty queue for at most `capacity` elements.
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

    /// Takes everything out, oldest first. If there is nothing, it takes no lock and allocates nothing.
    package func take() -> [Element] {
        if count.load(ordering: .acquiring) == 0 { return [] }
        return withState { takeAll(&$0) }
    }

    /// Takes everything out, oldest first, and refuses all that comes later.
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

    /// The lock orders all this. `count` repeats it because a sanitizer does not see how a contended lock
    /// changes hands.
    private func withState<R: Sendable>(_ body: (inout State) -> R) -> R {
        state.withLock { state in
            _ = count.load(ordering: .acquiring)
            let result = body(&state)
            count.store(state.waiting.count, ordering: .releasing)
            return result
        }
    }
}
