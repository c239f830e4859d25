// Summaries against the updates that they are made of.

import DepthBook
import MarketData
import TestSupport
import Testing

@testable import BookServer

@Suite struct UpdateSummaryTests {
    /// Whoever gets only summaries, at random times, has the same book after each.
    @Test(arguments: [false, true]) func aSummaryIsItsUpdates(isLinked: Bool) throws {
        var random = SeededRandom(seed: 3)
        for _ in 0..<50 {
            let served = ServedBook("X", isLinked: isLinked, levelCountMax: 100)
            var snapshot = DepthSnapshot()
            snapshot.scales = SymbolScales(priceDecimals: 1, quantityDecimals: 0)
            snapshot.lastUpdateID = UpdateID(100)
            snapshot.bids.assign([PriceLevel(500, 1)])
            snapshot.asks.assign([PriceLevel(510, 1)])
            var source = OrderBook()
            source.load(snapshot, limit: nil)
            #expect(served.resume(source) == .began)
            var summary = UpdateSummary(since: UpdateID(100), isLinked: isLinked)
            var follower = NaiveOrderBook()
            follower.apply(bids: snapshot.bids.array(), asks: snapshot.asks.array())
            var (last, told) = (UpdateID(100), UpdateID(100))
            var message = DepthUpdate()
            // Some updates have more decimals than the book.
            for step in 0..<60 {
                var update = DepthUpdate()
                let factor: Int64 = step == 30 ? 10 : 1
                update.scales = SymbolScales(priceDecimals: step == 30 ? 2 : 1, quantityDecimals: 0)
                update.first = UpdateID(last.value + 1)
                update.previousLast = isLinked ? last : nil
                last = UpdateID(last.value + 1 + Int64(random.below(3)))
                update.last = last
                for _ in 0..<random.below(4) {
                    let quantity = Int64(random.below(3))
                    update.bids.append(PriceLevel((500 - Int64(random.below(20))) * factor, quantity))
                    update.asks.append(PriceLevel((510 + Int64(random.below(20))) * factor, quantity))
                }
                let isPassed = served.pass(update)
                #expect(isPassed)
                summary.add(update)
                #expect(!summary.isEmpty)
                if random.chance(0.7) { continue }
                summary.take(&message, from: served)
                #expect(summary.isEmpty && message.last == last)
                #expect(message.first == (isLinked ? told : UpdateID(told.value + 1)))
                #expect(message.previousLast == (isLinked ? told : nil))
                told = last
                if step >= 30 && message.scales?.priceDecimals == 2
                    && follower.bids.keys.allSatisfy({ $0 < 1_000 })
                {
                    follower.rescale(prices: 10)
                }
                follower.apply(bids: message.bids.array(), asks: message.asks.array())
                for side in Side.allCases { #expect(follower.levels(side) == served.book.levels(side)) }
            }
        }
    }
}

extension NaiveOrderBook {
    /// The same with more decimals.
    fileprivate mutating func rescale(prices factor: Int64) {
        bids = Dictionary(uniqueKeysWithValues: bids.map { ($0 * factor, $1) })
        asks = Dictionary(uniqueKeysWithValues: asks.map { ($0 * factor, $1) })
    }
}
