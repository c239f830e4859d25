import DepthBook
import MarketData
import TestSupport
import Testing

/// What is said to be complete is what the venue's whole book says, and never more.
@Suite struct BookAnalyticsProofTests {
    /// The best levels of a side until the amount is used up, by whole quantity units.
    private func buy(_ notional: Int128, _ levels: [PriceLevel]) -> (quantity: Int128, notional: Int128) {
        var (quantity, spent): (Int128, Int128) = (0, 0)
        for level in levels {
            let price = Int128(level.price.mantissa)
            var taken: Int128 = 0
            while taken < Int128(level.quantity.mantissa) && spent + price <= notional {
                (taken, spent) = (taken + 1, spent + price)
            }
            quantity += taken
            if taken < Int128(level.quantity.mantissa) { break }
        }
        return (quantity, spent)
    }

    /// A venue's book of random levels, and the same from a snapshot of a few of them and later updates.
    private struct Books: ~Copyable {
        var venue = OrderBook()
        var known = OrderBook()
    }

    private func books(_ random: inout SeededRandom) throws -> Books {
        var books = Books()
        var snapshot = DepthSnapshot()
        snapshot.scales = SymbolScales(priceDecimals: 1, quantityDecimals: 2)
        func offsets() -> [Int64] {
            Set((0..<random.below(30)).map { _ in Int64(random.below(40)) }).sorted()
        }
        snapshot.bids.assign(offsets().map { PriceLevel(99 - $0, Int64(random.below(30)) + 1) })
        snapshot.asks.assign(offsets().map { PriceLevel(101 + $0, Int64(random.below(30)) + 1) })
        books.venue.load(snapshot, limit: nil)
        var cut = DepthSnapshot()
        let limit = random.below(20) + 1
        cut.scales = snapshot.scales
        cut.bids.assign(books.venue.levels(.bid).prefix(limit).map { $0 })
        cut.asks.assign(books.venue.levels(.ask).prefix(limit).map { $0 })
        books.known.load(cut, limit: limit)
        for _ in 0..<random.below(4) {
            var update = DepthUpdate()
            update.scales = snapshot.scales
            for _ in 0..<random.below(8) {
                let quantity = random.chance(0.5) ? 0 : Int64(random.below(30)) + 1
                update.bids.append(PriceLevel(99 - Int64(random.below(45)), quantity))
                update.asks.append(PriceLevel(101 + Int64(random.below(45)), quantity))
            }
            try books.venue.apply(update)
            try books.known.apply(update)
        }
        return books
    }

    @Test(arguments: [11, 12, 13, 14] as [UInt64]) func completeMeansTrue(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var (exactCount, boundCount) = (0, 0)
        func check(_ known: DepthSum, _ venue: DepthSum, _ what: Comment) {
            if known.isExact {
                exactCount += 1
                #expect(
                    known.quantity == venue.quantity && known.notional == venue.notional
                        && known.worst == venue.worst && known.levelCount == venue.levelCount, what)
            } else {
                boundCount += 1
                #expect(known.quantity <= venue.quantity && known.notional <= venue.notional, what)
            }
        }
        func sum(_ fill: DepthFill) -> DepthSum {
            switch fill {
            case .whole(let sum), .part(let sum): sum
            }
        }
        for round in 0..<150 {
            let pair = try books(&random)
            let what: Comment = "seed \(seed) round \(round)"
            for side in Side.allCases {
                let count = random.below(40) + 1
                check(
                    pair.known.cumulative(side, levelCount: count),
                    pair.venue.cumulative(side, levelCount: count), what
                )
                let quantity = Quantity(Int64(random.below(400)))
                check(
                    sum(pair.known.fill(quantity, from: side)), sum(pair.venue.fill(quantity, from: side)),
                    what)
                let limit = Price(Int64(random.below(100)) + 50)
                check(
                    pair.known.available(side, within: limit), pair.venue.available(side, within: limit), what
                )
                let notional = Int128(random.below(40_000))
                let (own, all) = (pair.known.fill(notional: notional, from: side), pair.venue.levels(side))
                let venues = sum(pair.venue.fill(notional: notional, from: side))
                check(sum(own), venues, what)
                let naive = buy(notional, all)
                if case .whole(let whole) = own {
                    #expect(whole.quantity == naive.quantity && whole.notional == naive.notional, what)
                }
                #expect(venues.quantity == naive.quantity, what)
            }
            let count = random.below(12) + 1
            let imbalance = pair.known.imbalance(levelCount: count)
            let venues = pair.venue.imbalance(levelCount: count)
            #expect(imbalance == nil || imbalance == venues, what)
        }
        #expect(exactCount > 300 && boundCount > 100)
    }

    @Test func amounts() {
        let book = bookOf(bids: [(100, 10), (99, 20)], asks: [(103, 30), (104, 40)], limit: 2)
        let filled = book.fill(notional: 103 * 30 + 250, from: .ask)
        guard case .whole(let sum) = filled else {
            Issue.record("\(filled)")
            return
        }
        #expect(sum.quantity == 32 && sum.notional == 103 * 30 + 208 && sum.worst == Price(104))
        let nothing = (book.fill(notional: 0, from: .ask), book.fill(Quantity(0), from: .ask))
        #expect(nothing.0 == nothing.1)
        guard case .part(let rest) = book.fill(notional: 1_000_000, from: .bid) else {
            Issue.record("more than there is")
            return
        }
        #expect(rest.quantity == 30 && rest.end == .rangeEnds && !rest.isExact)
        // Nothing of the first level can be paid for.
        guard case .whole(let none) = book.fill(notional: 99, from: .bid) else {
            Issue.record("too little")
            return
        }
        #expect(none.levelCount == 0 && none.quantity == 0 && none.worst == nil)
    }
}
