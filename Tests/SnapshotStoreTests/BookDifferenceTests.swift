// What two books differ in, beside dictionaries.

import DepthBook
import MarketData
import TestSupport
import Testing

@testable import SnapshotStore

@Suite struct BookDifferenceTests {
    @Test func theDifferenceIsThatOfDictionaries() throws {
        var random = SeededRandom(seed: 4)
        for _ in 0..<200 {
            var first = randomBook(&random, levels: random.below(40)).book
            var second = first
            first.scales = SymbolScales(priceDecimals: 2, quantityDecimals: 3)
            second.scales = first.scales
            first.provenBids = .to(Price(5_999_800))
            for index in second.bids.indices.reversed() where random.chance(0.2) {
                if random.chance(0.5) {
                    second.bids.remove(at: index)
                } else {
                    second.bids[index].quantity = Quantity(7)
                }
            }
            if random.chance(0.5) { second.asks = randomBook(&random, levels: 30).book.asks }
            let found = try #require(BookDifference(first, second))
            var expected: [String] = []
            for side in Side.allCases {
                let (own, other) = side == .bid ? (first.bids, second.bids) : (first.asks, second.asks)
                let a = Dictionary(own.map { ($0.price, $0.quantity) }, uniquingKeysWith: { $1 })
                let b = Dictionary(other.map { ($0.price, $0.quantity) }, uniquingKeysWith: { $1 })
                let prices = Set(a.keys).union(b.keys).sorted { side.isBetter($0, than: $1) }
                for price in prices where a[price] != b[price] {
                    let (x, y) = (a[price] ?? .zero, b[price] ?? .zero)
                    expected.append("\(side) \(price.mantissa) \(x.mantissa) \(y.mantissa)")
                }
            }
            #expect(
                found.levels.map {
                    "\($0.side) \($0.price.mantissa) \($0.first.mantissa) \($0.second.mantissa)"
                }
                    == expected)
            for level in found.levels where level.side == .bid {
                let isInside =
                    level.price.mantissa >= 5_999_800 && second.provenBids.reaches(level.price, on: .bid)
                #expect(level.isProven == isInside)
            }
        }
    }

    @Test func decimalsAreBroughtTogether() throws {
        let empty = BookImage(
            lastUpdateID: UpdateID(1), eventTimeUs: 0,
            scales: SymbolScales(priceDecimals: 1, quantityDecimals: 0),
            provenBids: .unbounded, provenAsks: .unbounded, bids: [PriceLevel(100, 5)], asks: [],
            bidCountBound: 1, askCountBound: 0)
        var finer = empty
        finer.scales = SymbolScales(priceDecimals: 2, quantityDecimals: 1)
        finer.bids = [PriceLevel(1000, 50), PriceLevel(999, 1)]
        let found = try #require(BookDifference(empty, finer))
        #expect(found.scales == finer.scales && found.equalCount == 1)
        #expect(found.levels.map(\.price) == [Price(999)] && found.provenCount == 1)
        finer.bids = [PriceLevel(Price.mantissaMax, 1)]
        var huge = empty
        huge.bids = [PriceLevel(Price.mantissaMax, 1)]
        #expect(BookDifference(huge, finer) == nil)
    }
}
