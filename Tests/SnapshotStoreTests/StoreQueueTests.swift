// The bounded queue before the disk.

import MarketData
import TestSupport
import Testing

@testable import SnapshotStore

@Suite struct StoreQueueTests {
    private let gap = StoreEntry.gap(StoredGap(number: 1, symbol: "BTCUSDT", fromNs: 1, reason: "gap"))

    @Test func aFullQueueTakesNothingAndSaysHowMuch() {
        let queue = StoreQueue(bytesMax: 1024)
        for index in 0..<6 { #expect(queue.add(gap, atNs: Int64(10 + index)) == (index < 4)) }
        var random = SeededRandom(seed: 3)
        #expect(!queue.add(.book(randomBook(&random, levels: 5)), atNs: 20))
        let batch = queue.take()
        #expect(batch.entries.count == 4)
        #expect(batch.loss == StoredLoss(fromNs: 14, toNs: 20, books: 1, facts: 2))
        #expect(queue.lostCount == 3)
        // Taken is not written: there is no more room until it is.
        #expect(!queue.add(gap, atNs: 30))
        queue.committed()
        #expect(queue.add(gap, atNs: 31))
        #expect(queue.take().loss == StoredLoss(fromNs: 30, toNs: 30, books: 0, facts: 1))
    }

    @Test func booksLeaveRoomForEverythingElse() {
        let queue = StoreQueue(bytesMax: 40_000)
        var random = SeededRandom(seed: 13)
        var books = 0
        while books < 1000, queue.add(.book(randomBook(&random, levels: 20)), atNs: 1) { books += 1 }
        #expect(books > 1 && books < 1000)
        // A quarter of all the bytes, 256 a row.
        for _ in 0..<39 { #expect(queue.add(gap, atNs: 2)) }
        #expect(queue.take().loss == StoredLoss(fromNs: 1, toNs: 1, books: 1, facts: 0))
    }

    @Test func aBatchThatCannotBeWrittenIsALoss() {
        let queue = StoreQueue(bytesMax: 512)
        #expect(queue.add(gap, atNs: 1) && queue.add(gap, atNs: 2) && !queue.add(gap, atNs: 3))
        queue.lost(queue.take(), atNs: 9)
        #expect(queue.lostCount == 3)
        #expect(queue.take().loss == StoredLoss(fromNs: 3, toNs: 9, books: 0, facts: 3))
        #expect(queue.add(gap, atNs: 10))
    }
}
