import Foundation
import Synchronization
import TestSupport
import Testing

@testable import LobHandoff

@Suite struct TaskWakerTests {
    @Test func aLoopSeesTheLastValueAndEnds() async {
        let mailbox = Handed(Mailbox())
        let values = mailbox.value.values
        let seen = Task {
            var seen: [Int] = []
            for await value in values { seen.append(value) }
            return seen
        }
        mailbox.value.publish(1)
        try? await Task.sleep(for: .milliseconds(5))
        mailbox.value.publish(2)
        mailbox.value.bell.close()
        let found = await seen.value
        #expect(found.last == 2 && found == found.sorted())
        mailbox.value.waker.stop()
    }

    @Test func aLoopBeginsWithWhatIsThere() async {
        let mailbox = Handed(Mailbox())
        mailbox.value.publish(5)
        var first = mailbox.value.values.makeAsyncIterator()
        #expect(await first.next(isolation: nil) == 5)
        mailbox.value.waker.stop()
        #expect(await first.next(isolation: nil) == nil)
    }

    /// What happened between the look for news and the wait is not slept through.
    @Test func aWaitThatIsDueOrCancelledEndsAtOnce() async {
        let waker = Handed(Mailbox()).value.waker
        await waker.wait { true }
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            await waker.wait { false }
        }
        task.cancel()
        await task.value
        waker.stop()
        await waker.wait { false }
    }

    /// A task that waits, one that has not begun to wait, and one that was cancelled before.
    @Test func cancellationEndsALoop() async {
        let mailbox = Handed(Mailbox())
        let values = mailbox.value.values
        for delayUs in [0, 0, 0, 50, 100, 1000, 20_000] {
            let task = Task {
                for await _ in values {}
                return true
            }
            if delayUs > 0 { try? await Task.sleep(for: .microseconds(delayUs)) }
            task.cancel()
            #expect(await task.value)
        }
        #expect(mailbox.value.bell.listeners.pointee.load(ordering: .relaxed) == 0)
        mailbox.value.waker.stop()
    }

    @Test func theEndOfTheWakerEndsEveryLoop() async {
        let mailbox = Handed(Mailbox())
        let values = mailbox.value.values
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { for await _ in values {} } }
            try? await Task.sleep(for: .milliseconds(5))
            await onThread { mailbox.value.waker.stop() }
            await group.waitForAll()
        }
        #expect(mailbox.value.waker.isStopped)
        for await _ in values { Issue.record("a value after the end") }
    }

    /// A publisher that goes on when a task has seen its value, at a varying distance; loops begin anew.
    @Test func noLastValueIsLost() async {
        let roundCount = isDebugBuild ? 4000 : 20_000
        let mailbox = Handed(Mailbox())
        let values = mailbox.value.values
        let acknowledged = Handed(Atomic<Int>(0))
        async let published: Void = onThread {
            var random = SeededRandom(seed: processSeed)
            for round in 1...roundCount {
                spin(random.below(400))
                mailbox.value.publish(round)
                while acknowledged.value.load(ordering: .acquiring) < round { sched_yield() }
            }
            mailbox.value.bell.close()
        }
        let seen = Task {
            var random = SeededRandom(seed: processSeed &+ 1)
            var newest = 0
            while newest < roundCount {
                let loopLength = 1 + random.below(5)
                var valueCount: UInt64 = 0
                for await value in values where value > newest {
                    newest = value
                    acknowledged.value.store(value, ordering: .releasing)
                    spin(random.below(400))
                    valueCount += 1
                    if valueCount >= loopLength { break }
                }
            }
        }
        await seen.value
        await published
        if Bell.hasBarrier { #expect(mailbox.value.waker.rescuedCount == 0, "LOB_SEED=\(processSeed)") }
        mailbox.value.waker.stop()
    }

    @Test func everyTaskSeesTheLastValue() async {
        let roundCount = isDebugBuild ? 100 : 500
        var random = SeededRandom(seed: processSeed)
        for round in 0..<roundCount {
            let mailbox = Handed(Mailbox())
            let values = mailbox.value.values
            let last = 1 + Int(random.below(50))
            let pause = random.below(200)
            let seen = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var newest = 0
                        for await value in values { newest = value }
                        return newest
                    }
                }
                await onThread {
                    for value in 1...last {
                        spin(pause)
                        mailbox.value.publish(value)
                    }
                    mailbox.value.bell.close()
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(seen == Array(repeating: last, count: 8), "round \(round), LOB_SEED=\(processSeed)")
            mailbox.value.waker.stop()
        }
    }

    /// A value that is no news after the last one is skipped, also at the end; the newest can be read.
    @Test func whatIsNoNewsIsSkipped() async {
        var mailbox = Mailbox()
        let values = mailbox.values.where { $1 / 10 != $0 / 10 }
        var loop = values.makeAsyncIterator()
        var waiter = values.waiter()
        for value in [1, 12] {
            mailbox.publish(value)
            #expect(await loop.next(isolation: nil) == value)
            let waited = waiter.next()
            #expect(waited == value)
            mailbox.publish(value + 1)
            let nothing = waiter.next(timeout: .zero)
            #expect(nothing == nil && values.latest == value + 1)
        }
        mailbox.publish(14)
        mailbox.bell.close()
        #expect(await loop.next(isolation: nil) == nil)
        let (nothing, isEnded) = (waiter.next(), waiter.isEnded)
        #expect(nothing == nil && isEnded)
        mailbox.waker.stop()
    }

    /// Renewals before news do not hide it, whichever of them a loop sees.
    @Test func newsBehindRenewalsIsReturned() async {
        var mailbox = Mailbox()
        let values = mailbox.values.where { $1 / 10 != $0 / 10 }
        var loop = values.makeAsyncIterator()
        mailbox.publish(1)
        #expect(await loop.next(isolation: nil) == 1)
        for value in [2, 3, 24] { mailbox.publish(value) }
        #expect(await loop.next(isolation: nil) == 24)
        mailbox.waker.stop()
    }

    /// A task that prefers the waker runs on its thread, sees all that others see, and ends elsewhere.
    @Test func tasksMayRunOnTheThreadThatWakesThem() async {
        let mailbox = Handed(Mailbox())
        let (values, waker) = (mailbox.value.values, mailbox.value.waker)
        let acknowledged = Handed(Atomic<Int>(0))
        let roundCount = 1000
        async let published: Void = onThread {
            for round in 1...roundCount {
                mailbox.value.publish(round)
                while acknowledged.value.load(ordering: .acquiring) < round { sched_yield() }
            }
            mailbox.value.bell.close()
        }
        await withTaskExecutorPreference(waker) {
            var strangeCount = 0
            for await value in values {
                if !waker.isCurrent { strangeCount += 1 }
                acknowledged.value.store(value, ordering: .releasing)
            }
            #expect(strangeCount == 0)
        }
        await published
        await onThread { waker.stop() }
        // Jobs that come after the end run all the same.
        await withTaskExecutorPreference(waker) {
            await Task.yield()
            #expect(!waker.isCurrent)
        }
    }

    /// How long it takes from publication to a task that was suspended, on the global executor and on the
    /// waker's thread, and beside it what resuming a bare continuation from another thread takes. Printed,
    /// since it is the machine's.
    @Test func wakeUpTimes() async {
        let elsewhere = await Self.times(on: globalConcurrentExecutor)
        print("TaskWakerTests: a task wakes after \(quantiles(elsewhere))")
        let bare = await Self.bareTimes()
        print("TaskWakerTests: a bare continuation resumed by a thread after \(quantiles(bare))")
        let here = await Self.times(on: nil)
        print("TaskWakerTests: a task on the waker's thread wakes after \(quantiles(here))")
        #expect(!elsewhere.isEmpty && !here.isEmpty && !bare.isEmpty)
    }

    private static func times(on executor: (any TaskExecutor)?) async -> [Int64] {
        let mailbox = Handed(Mailbox())
        // Before the publisher begins: it alone may reach for the mailbox then.
        let (values, waker) = (mailbox.value.values, mailbox.value.waker)
        async let published: Void = onThread {
            for _ in 0..<2000 {
                usleep(200)
                mailbox.value.publish(nowNs())
            }
            mailbox.value.bell.close()
        }
        let times = await Task(executorPreference: executor ?? waker) {
            var times: [Int64] = []
            for await sentNs in values { times.append(Int64(nowNs() - sentNs)) }
            return times
        }.value
        await published
        waker.stop()
        return times
    }

    private static func bareTimes() async -> [Int64] {
        let waiting = Handed(Mutex<CheckedContinuation<Int, Never>?>(nil))
        async let resumed: Void = onThread {
            for _ in 0..<2000 {
                usleep(200)
                var next: CheckedContinuation<Int, Never>?
                while next == nil { next = waiting.value.withLock { $0.take() } }
                next?.resume(returning: nowNs())
            }
        }
        var times: [Int64] = []
        for _ in 0..<2000 {
            let sentNs = await withCheckedContinuation { task in waiting.value.withLock { $0 = task } }
            times.append(Int64(nowNs() - sentNs))
        }
        await resumed
        return times
    }
}

/// Runs a body that blocks on a thread of its own.
private func onThread(_ body: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { done in
        Thread {
            body()
            done.resume()
        }.start()
    }
}
