// Tickers that wait for their book, beside a list that does the same without a ring.

import MarketData
import TestSupport
import Testing

@testable import BookEngine

@Suite struct PendingTickersTests {
    private func ticker(_ id: Int64) -> BookTicker {
        var ticker = BookTicker()
        ticker.updateID = UpdateID(id)
        ticker.bid = PriceLevel(id, 1)
        ticker.ask = PriceLevel(id + 1, 1)
        return ticker
    }

    /// In order, out of order, twice, beyond the room; taken at an id that is there or not.
    @Test(arguments: [1, 2, 8, 9, 64] as [Int]) func asAList(_ capacity: Int) {
        var random = SeededRandom(seed: UInt64(capacity))
        var tickers = PendingTickers(capacity: capacity)
        var list: [Int64] = []
        var next: Int64 = 1
        for _ in 0..<4_000 {
            next += Int64(random.below(3))
            if random.chance(0.9) {
                let id = random.chance(0.8) ? next : max(next - Int64(random.below(40)), 1)
                let isKnown = list.contains(id)
                let hasRoom = list.count < capacity
                let isLowest = list.allSatisfy { $0 > id }
                if !isKnown && (hasRoom || !isLowest) {
                    if !hasRoom { list.removeFirst() }
                    list.append(id)
                    list.sort()
                }
                #expect(tickers.remember(ticker(id), nowNs: 0) == (isKnown || hasRoom))
            } else {
                let id = next - Int64(random.below(20))
                let found = tickers.take(at: UpdateID(id))
                #expect(found?.bid.price == (list.contains(id) ? Price(id) : nil))
                list.removeAll { $0 <= id }
            }
            #expect(tickers.count == list.count)
            if random.chance(0.01) {
                tickers.removeAll()
                list = []
            }
        }
    }
}
