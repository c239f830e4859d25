// Order, bounds and threads of an inbox.

import Foundation
import LobHandoff
import Testing

@Suite struct InboxTests {
    @Test func takesInOrderAndRefusesBeyondItsCapacity() {
        let inbox = CommandQueue<Int>(capacity: 3)
        #expect(inbox.take().isEmpty)
        #expect(inbox.post(1) && inbox.post(2) && inbox.post(3))
        #expect(!inbox.post(4))
        #expect(inbox.take() == [1, 2, 3])
        #expect(inbox.take().isEmpty)
        #expect(inbox.post(5))
        #expect(inbox.take() == [5])
    }

    @Test func closedRefusesAndLeavesNothingBehind() {
        let inbox = CommandQueue<Int>(capacity: 3)
        #expect(inbox.post(1) && inbox.post(2))
        #expect(inbox.close() == [1, 2])
        #expect(!inbox.post(3))
        #expect(inbox.take().isEmpty && inbox.close().isEmpty)
    }

    /// Several threads post while one takes: nothing is lost, and each thread's pieces keep their order.
    @Test func manyThreads() {
        let inbox = CommandQueue<(thread: Int, number: Int)>(capacity: 64)
        let latch = StopFlag()
        let threadCount = 4, pieceCount = 5_000
        let group = DispatchGroup()
        for thread in 0..<threadCount {
            DispatchQueue.global().async(group: group) {
                for number in 0..<pieceCount {
                    while !inbox.post((thread, number)) { sched_yield() }
                }
            }
        }
        group.notify(queue: .global()) { latch.raise() }
        var next = [Int](repeating: 0, count: threadCount)
        var isOrdered = true
        while true {
            // The flag first: what was posted before it is then in the inbox.
            let isLast = latch.isRaised
            let taken = inbox.take()
            for piece in taken {
                isOrdered = isOrdered && piece.number == next[piece.thread]
                next[piece.thread] += 1
            }
            if taken.isEmpty && isLast { break }
        }
        #expect(isOrdered)
        #expect(next == [Int](repeating: pieceCount, count: threadCount))
    }
}
