import Foundation
import Synchronization
import TestSupport
import Testing

@testable import LobHandoff

@Suite struct SignalTests {
    /// Far longer than any run: a wait that lasts this long was not woken.
    private static let foreverNs: Int64 = 30_000_000_000

    @Test func doesNotSleepOnANotificationThatCameFirst() {
        let signal = Signal()
        let ticket = signal.ticket
        signal.notify()
        let start = ContinuousClock.now
        #expect(signal.wait(since: ticket, timeoutNs: Self.foreverNs))
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(signal.ticket != ticket)
    }

    @Test func sleepsUntilTheTimeout() {
        let signal = Signal()
        let start = ContinuousClock.now
        // Early returns are allowed, so wait again until the time is over.
        while ContinuousClock.now - start < .milliseconds(20) {
            #expect(!signal.wait(since: signal.ticket, timeoutNs: 20_000_000))
        }
        #expect(!signal.wait(since: signal.ticket, timeoutNs: 0))
        #expect(!signal.wait(since: signal.ticket, timeoutNs: -1))
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func staleBitCostsNothingButOneCall() {
        let signal = Signal()
        signal.wait(since: signal.ticket, timeoutNs: 1)
        let ticket = signal.ticket
        signal.notify()
        #expect(signal.ticket != ticket)
        #expect(signal.wait(since: ticket, timeoutNs: Self.foreverNs))
    }

    /// Two threads that wake each other in turn; one lost wake-up stops both until the timeout.
    @Test func lostWakeUpHuntBetweenTwo() {
        let there = Signal()
        let back = Signal()
        let box = Handed(Atomic<Int>(0))
        let roundCount = isDebugBuild ? 20_000 : 50_000
        /// Waits until the turn has this number; spins a varying little first, to hit every window.
        @Sendable func awaitTurn(_ number: Int, _ signal: Signal, _ random: inout SeededRandom) -> Bool {
            while true {
                let ticket = signal.ticket
                if box.value.load(ordering: .acquiring) == number { return true }
                for _ in 0..<random.below(61) { _ = signal.ticket }
                let start = ContinuousClock.now
                signal.wait(since: ticket, timeoutNs: Self.foreverNs)
                if ContinuousClock.now - start > .seconds(20) { return false }
            }
        }
        let found = complaints(of: [
            {
                var random = SeededRandom(seed: processSeed)
                for round in 0..<roundCount {
                    box.value.store(2 * round + 1, ordering: .releasing)
                    there.notify()
                    if !awaitTurn(2 * round + 2, back, &random) { return ["lost wake-up back"] }
                }
                return []
            },
            {
                var random = SeededRandom(seed: processSeed &+ 1)
                for round in 0..<roundCount {
                    if !awaitTurn(2 * round + 1, there, &random) { return ["lost wake-up there"] }
                    box.value.store(2 * round + 2, ordering: .releasing)
                    back.notify()
                }
                return []
            },
        ])
        #expect(found.isEmpty, "LOB_SEED=\(processSeed)")
        #expect(box.value.load(ordering: .relaxed) == 2 * roundCount)
    }

    /// Three waiters and two notifiers on one signal: every waiter sees the last number without timing out.
    @Test func lostWakeUpHuntAmongMany() {
        let signal = Signal()
        let box = Handed(Atomic<Int>(0))
        let roundCount = isDebugBuild ? 20_000 : 200_000
        let wait: @Sendable () -> [String] = {
            let start = ContinuousClock.now
            while true {
                let ticket = signal.ticket
                if box.value.load(ordering: .acquiring) == 2 * roundCount { break }
                signal.wait(since: ticket, timeoutNs: Self.foreverNs)
            }
            return complaint("lost wake-up", unless: ContinuousClock.now - start < .seconds(25))
        }
        let notify: @Sendable () -> [String] = {
            for round in 0..<roundCount {
                box.value.wrappingAdd(1, ordering: .releasing)
                signal.notify()
                if round % 16 == 0 { sched_yield() }
            }
            return []
        }
        let found = complaints(of: [wait, wait, wait, notify, notify])
        #expect(found.isEmpty)
    }
}
