// The switch that wakes a thread out of a system call of its own.

import Synchronization
import Testing

@testable import LobHandoff

@Suite struct WakeSwitchTests {
    @Test func onlyAnArmedSwitchWakesAndOnlyOnce() {
        let wakes = Mutex(0)
        let news = WakeSwitch()
        news.notify()
        news.connect { wakes.withLock { $0 += 1 } }
        news.notify()
        #expect(wakes.withLock { $0 } == 0)
        news.arm()
        news.notify()
        news.notify()
        #expect(wakes.withLock { $0 } == 1)
        news.arm()
        news.arm()
        news.notify()
        #expect(wakes.withLock { $0 } == 2)
    }

    /// What is called does not grow with every wake; it once did, until the stack overflowed.
    @Test func theMillionthWakeIsAsTheFirst() {
        let wakes = Mutex(0)
        let news = WakeSwitch()
        news.connect { wakes.withLock { $0 += 1 } }
        for _ in 0..<1_000_000 {
            news.arm()
            news.notify()
        }
        #expect(wakes.withLock { $0 } == 1_000_000)
    }

    /// A sleeper that arms, looks and sleeps misses nothing, however the two threads meet.
    @Test func noNewsIsMissed() throws {
        let news = WakeSwitch()
        let bed = Signal()
        news.connect { bed.notify() }
        let queue = CommandQueue<Int>(capacity: .max)
        let count = 20_000
        let producer = try PinnedThread("producer") {
            for number in 0..<count {
                _ = queue.post(number)
                news.notify()
            }
        }
        var taken = 0
        var lateCount = 0
        while taken < count {
            taken += queue.take().count
            let ticket = bed.ticket
            news.arm()
            let further = queue.take().count
            taken += further
            if further > 0 || taken == count { continue }
            // Woken by the next one, long before this is over.
            if !bed.wait(since: ticket, timeoutNs: 2_000_000_000) { lateCount += 1 }
        }
        producer.join()
        #expect(taken == count && lateCount == 0)
    }
}
