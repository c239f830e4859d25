// Work for one thread out of any others, in the order in which it came.
//
// For what is rare: a command, a question, an answer. A lock and an array are the whole of it, because the
// thread that works looks at one counter and nothing else while there is nothing; that look is all that a
// hot loop pays.
//
// Invariant: a piece that was taken in comes out once; after `close` none is taken in any more. So whoever
// works until it closes the inbox, and then works on what that gave back, leaves no piece behind.
//
// Bounds: `capacity` pieces; what comes beyond is refused, and the caller told.

import Synchronization

/// A bounded queue into one thread. Any number of threads may post.
public final class CommandQueue<Element: Sendable>: Sendable {
    private struct State: Sendable {
        var waiting: [Element] = []
        var isClosed = false
    }

    private let count = Atomic<Int>(0)
    private let state = Mutex(State())
    private let capacity: Int

    /// An empty inbox for at most `capacity` pieces.
    public init(capacity: Int) { self.capacity = capacity }

    /// Adds a piece behind the others.
    ///
    /// - Returns: false if the inbox is full or closed; the piece was not taken.
    public func post(_ element: Element) -> Bool {
        withState { state in
            if state.isClosed || state.waiting.count >= capacity { return false }
            state.waiting.append(element)
            return true
        }
    }

    /// Takes everything out, oldest first. Without a lock, and without an allocation, if there is nothing.
    public func take() -> [Element] {
        if count.load(ordering: .acquiring) == 0 { return [] }
        return withState { takeAll(&$0) }
    }

    /// Takes everything out, oldest first, and refuses all that comes later.
    public func close() -> [Element] {
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

    /// The lock orders all this; `count` says so once more, because a sanitizer does not see how a lock that
    /// was waited for changes hands.
    private func withState<R: Sendable>(_ body: (inout State) -> R) -> R {
        state.withLock { state in
            _ = count.load(ordering: .acquiring)
            let result = body(&state)
            count.store(state.waiting.count, ordering: .releasing)
            return result
        }
    }
}
