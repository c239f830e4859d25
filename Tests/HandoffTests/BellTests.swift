import Foundation
import Synchronization
import TestSupport
import Testing

@testable import LobHandoff

@Suite struct BellTests {
    /// Far longer than any run: a wait that lasts this long was not woken.
    static let forever = Duration.seconds(30)

    @Test func theBarrierIsThere() {
        // Not a requirement, but what the other tests then show is the way without it.
        if !Bell.hasBarrier { print("BellTests: the kernel refuses the barrier; sleeps are short") }
        #expect(Bell.sleepNs(10) == 10)
    }

    @Test func listenersAreCounted() {
        let bell = Bell()
        #expect(bell.listeners.pointee.load(ordering: .relaxed) == 0)
        do {
            let thread = Bell.Listener(bell, .thread)
            let task = Bell.Listener(bell, .task)
            #expect(bell.listeners.pointee.load(ordering: .relaxed) == 1 << 32 + 1)
            withExtendedLifetime((thread, task)) {}
        }
        #expect(bell.listeners.pointee.load(ordering: .relaxed) == 0)
    }

    @Test func withoutListenersNobodyIsNotified() {
        let bell = Bell()
        let ticket = bell.ticket
        bell.ring()
        #expect(bell.ticket == ticket)
        let listener = Bell.Listener(bell, .thread)
        bell.ring()
        #expect(bell.ticket != ticket)
        withExtendedLifetime(listener) {}
    }

    @Test func aWaiterGetsTheNewestValueOnce() {
        var mailbox = Mailbox()
        var waiter = mailbox.values.waiter()
        var seen = [waiter.next(timeout: .zero)]
        mailbox.publish(1)
        mailbox.publish(2)
        seen.append(waiter.next())
        seen.append(waiter.next(timeout: .zero))
        let (isEnded, latest) = (waiter.isEnded, mailbox.values.latest)
        #expect(seen == [nil, 2, nil] && !isEnded && latest == 2)
        mailbox.waker.stop()
    }

    @Test func aWaitEndsAtItsTimeout() {
        let mailbox = Mailbox()
        var waiter = mailbox.values.waiter()
        let start = ContinuousClock.now
        let seen = [waiter.next(timeout: .milliseconds(20)), waiter.next(timeout: .seconds(-1))]
        let isEnded = waiter.isEnded
        #expect(seen == [nil, nil] && !isEnded)
        #expect(ContinuousClock.now - start >= .milliseconds(20))
        mailbox.waker.stop()
    }

    @Test func theLastValueComesBeforeTheEnd() {
        var mailbox = Mailbox()
        var waiter = mailbox.values.waiter()
        mailbox.publish(7)
        mailbox.bell.close()
        let last = waiter.next()
        let isEndedBefore = waiter.isEnded
        let seen = [waiter.next(), waiter.next(timeout: Self.forever)]
        let isEnded = waiter.isEnded
        #expect(last == 7 && !isEndedBefore && seen == [nil, nil] && isEnded)
        mailbox.waker.stop()
    }

    /// One publisher and one thread that listens anew in every round, at a varying distance.
    @Test func noLastValueIsLostWhileListenersComeAndGo() {
        let roundCount = isDebugBuild ? 10_000 : 40_000
        let mailbox = Handed(Mailbox())
        let values = mailbox.value.values
        let acknowledged = Handed(Atomic<Int>(0))
        let found = complaints(of: [
            {
                var random = SeededRandom(seed: processSeed)
                for round in 1...roundCount {
                    spin(random.below(200))
                    mailbox.value.publish(round)
                    while acknowledged.value.load(ordering: .acquiring) < round { sched_yield() }
                }
                return []
            },
            {
                var random = SeededRandom(seed: processSeed &+ 1)
                for round in 1...roundCount {
                    spin(random.below(200))
                    var waiter = values.waiter()
                    let start = ContinuousClock.now
                    while let value = waiter.next(timeout: Self.forever), value < round {}
                    let lasted = ContinuousClock.now - start
                    acknowledged.value.store(round, ordering: .releasing)
                    if lasted > .seconds(20) { return ["value \(round) was not told"] }
                }
                return []
            },
        ])
        #expect(found.isEmpty, "LOB_SEED=\(processSeed)")
        mailbox.value.waker.stop()
    }

    /// Several threads keep listening to one publisher that stops at any moment: each sees the last value.
    @Test func everybodySeesTheLastValue() {
        let roundCount = isDebugBuild ? 200 : 1000
        var random = SeededRandom(seed: processSeed)
        for round in 0..<roundCount {
            let mailbox = Handed(Mailbox())
            let values = mailbox.value.values
            let last = 1 + Int(random.below(50))
            let pause = Int(random.below(100))
            let wait: @Sendable () -> [String] = {
                var waiter = values.waiter()
                var newest = 0
                let start = ContinuousClock.now
                while let value = waiter.next() {
                    if value <= newest { return ["\(value) after \(newest)"] }
                    newest = value
                }
                return complaint("saw \(newest) of \(last)", unless: newest == last)
                    + complaint("was not told", unless: ContinuousClock.now - start < .seconds(20))
            }
            let found = complaints(of: [
                wait, wait, wait,
                {
                    for value in 1...last {
                        spin(pause)
                        mailbox.value.publish(value)
                    }
                    mailbox.value.bell.close()
                    return []
                },
            ])
            #expect(found.isEmpty, "round \(round), LOB_SEED=\(processSeed)")
            mailbox.value.waker.stop()
        }
    }

    /// How long it takes from publication to a thread that was asleep. Printed, since it is the machine's.
    @Test func wakeUpTimes() {
        let times = Handed<[Int64]>([])
        let mailbox = Handed(Mailbox())
        let values = mailbox.value.values
        let count = 2000
        _ = complaints(of: [
            {
                for _ in 0..<count {
                    usleep(200)
                    mailbox.value.publish(nowNs())
                }
                mailbox.value.bell.close()
                return []
            },
            {
                var waiter = values.waiter()
                while let sentNs = waiter.next() { times.value.append(Int64(nowNs() - sentNs)) }
                return []
            },
        ])
        print("BellTests: a thread wakes after \(quantiles(times.value))")
        #expect(!times.value.isEmpty)
        mailbox.value.waker.stop()
    }
}

/// A mailbox with its bell and a waker.
struct Mailbox: ~Copyable {
    let waker = try! TaskWaker()
    let bell: Bell
    let values: LatestValues<Int>
    private var writer: LatestValueWriter<Int>

    init() {
        let mailbox = LatestValue(0)
        bell = waker.makeBell()
        values = LatestValues(mailbox.reader, bell: bell, waker: waker, room: 0)
        writer = mailbox.writer
    }

    mutating func publish(_ value: Int) {
        writer.publish(value)
        bell.ring()
    }
}

extension LatestValues {
    /// The same values without what is no news.
    func `where`(_ isNews: @escaping @Sendable (Value, Value) -> Bool) -> LatestValues {
        LatestValues(reader, bell: bell, waker: waker, room: latest, isNews: isNews)
    }
}

/// Lets a little time pass without giving up the CPU.
func spin(_ count: Int) {
    let signal = Signal()
    for _ in 0..<count { _ = signal.ticket }
}

/// Nanoseconds of a clock that never goes back.
func nowNs() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// The middle and the tail of times in nanoseconds, as text.
func quantiles(_ times: [Int64]) -> String {
    let sorted = times.sorted()
    if sorted.isEmpty { return "never" }
    let us = { (rank: Int) in "\(sorted[min(rank, sorted.count - 1)] / 100 * 100 / 1000) µs" }
    return "p50 \(us(sorted.count / 2)), p99 \(us(sorted.count * 99 / 100)), \(sorted.count) times"
}
