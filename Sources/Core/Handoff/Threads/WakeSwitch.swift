// Wakes a thread that sleeps in a system call of its own, such as a poll of sockets, and costs no system call
// while it is awake.
//
//     producer                      sleeper
//     -------------------------     ----------------------------------
//     puts the news in its place    arms the switch
//     takes the switch              looks for news
//     wakes, if it was armed        sleeps if there is none
//
// Invariant: both sides change the one word by an exchange, so either the producer finds it armed and wakes,
// or its exchange came before the sleeper's, which then sees the news.
//
// Worst case: `notify` is one locked instruction, and a lock and a system call if the sleeper had armed it.

import Synchronization

/// A switch between producers on any threads and one sleeper.
package final class WakeSwitch: Sendable {
    private let isArmed = Atomic<Bool>(false)
    private let wake = Mutex<(@Sendable () -> Void)?>(nil)

    /// A switch that is not connected yet.
    package init() {}

    /// Says how the sleeper is woken. It may be woken although it does not sleep.
    package func connect(_ wake: @escaping @Sendable () -> Void) { self.wake.withLock { $0 = wake } }

    /// There is news, and it can be seen. Any thread.
    package func notify() {
        if !isArmed.exchange(false, ordering: .acquiringAndReleasing) { return }
        wake.withLock { $0 }?()
    }

    /// The next notification wakes. Thread: the sleeper's, which then looks for news once more.
    package func arm() { _ = isArmed.exchange(true, ordering: .acquiringAndReleasing) }
}
