// Wakes a thread that sleeps in its own system call, such as a poll of sockets, without a system call while
// it is awake.
//
//     producer                      sleeper
//     -------------------------     ----------------------------------
//     puts the news in its place    arms the switch
//     takes the switch              looks for news
//     wakes, if it was armed        sleeps if there is none
//
// Invariant: both sides change the one word by an exchange, so either the producer finds it armed and wakes,
// or its exchange preceded the sleeper's, which then sees the news.
//
// Worst case: `notify` is one locked instruction, plus a lock and a system call if the sleeper had armed it.

import Synchronization

/// A switch between producers on any threads and one sleeper.
package final class WakeSwitch: Sendable {
    private let isArmed = Atomic<Bool>(false)
    private let waker = Mutex<Waker?>(nil)

    // A closure that is itself what the mutex holds is wrapped anew at every access, by one that calls the
    // last: each wake would take longer than the one before, until the stack overflows. In a structure it
    // stays as it is.
    private struct Waker: Sendable {
        let wake: @Sendable () -> Void
    }

    /// A switch not yet connected.
    package init() {}

    /// Sets how to wake the sleeper, which may also be woken while awake.
    package func connect(_ wake: @escaping @Sendable () -> Void) { waker.withLock { $0 = Waker(wake: wake) } }

    /// News is visible. Any thread.
    package func notify() {
        if !isArmed.exchange(false, ordering: .acquiringAndReleasing) { return }
        waker.withLock { $0 }?.wake()
    }

    /// Makes the next notification wake. Thread: the sleeper's, which then looks for news once more.
    package func arm() { _ = isArmed.exchange(true, ordering: .acquiringAndReleasing) }
}
