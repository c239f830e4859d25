import DepthBook
import Foundation
import MarketData
import TestSupport
import Testing

/// What is said to be complete is what the venue's whole book says, and never more. `LOB_BOOKS` says how many
/// random books are asked; without it there are as many as take no time.
@Suite struct BookAnalyticsProofTests {
    private static let bookCount = ProcessInfo.processInfo.environment["LOB_BOOKS"].flatMap { Int($0) } ?? 600

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

    /// How many answers were exact, how many lower bounds, and what is wrong with them.
    private struct Tally {
        var (exactCount, boundCount, emptyCount) = (0, 0, 0)
        var wrong: [String] = []

        mutating func check(_ isTrue: Bool, _ what: @autoclosure () -> String) {
            if !isTrue && wrong.count < 10 { wrong.append(what()) }
        }

        mutating func check(_ known: DepthSum, _ venue: DepthSum, _ what: @autoclosure () -> String) {
            if known.isExact {
                exactCount += 1
                check(
                    known.quantity == venue.quantity && known.notional == venue.notional
                        && known.worst == venue.worst && known.levelCount == venue.levelCount
                        && known.averagePrice == venue.averagePrice, what())
            } else {
                boundCount += 1
                check(known.quantity <= venue.quantity && known.notional <= venue.notional, what())
            }
        }

        /// What is nil where it is not known, and otherwise true.
        mutating func check<Value: Equatable>(
            _ known: Value?, _ venue: Value?, _ what: @autoclosure () -> String
        ) {
            if known == nil { emptyCount += 1 }
            check(known == nil || known == venue, what())
        }
    }

    private func sum(_ fill: DepthFill) -> DepthSum {
        switch fill {
        case .whole(let sum), .part(let sum): sum
        }
    }

    /// Asks both books the same about one side.
    private func ask(
        _ side: Side, of pair: borrowing Books, _ random: inout SeededRandom, _ tally: inout Tally
    ) {
        let count = random.below(40) + 1
        let list = pair.known.cumulative(side, levelCount: count)
        tally.check(list, pair.venue.cumulative(side, levelCount: count), "\(count) levels of \(side)")
        let all = pair.venue.levels(side)
        if list.isExact {
            var levels: [PriceLevel] = []
            pair.known.forEachLevel(side) { level in
                levels.append(level)
                return levels.count < list.levelCount
            }
            tally.check(levels.elementsEqual(all.prefix(count)), "list of \(count) levels of \(side)")
        }
        let quantity = Quantity(Int64(random.below(400)))
        tally.check(
            sum(pair.known.fill(quantity, from: side)), sum(pair.venue.fill(quantity, from: side)),
            "\(quantity) of \(side)")
        let limit = Price(Int64(random.below(100)) + 50)
        tally.check(
            pair.known.available(side, within: limit), pair.venue.available(side, within: limit),
            "\(side) within \(limit)")
        let distance = UInt32(random.below(5_000))
        if let known = pair.known.available(side, withinBasisPoints: distance) {
            let venues = pair.venue.available(side, withinBasisPoints: distance)
            tally.check(venues != nil, "\(side) within \(distance) of nothing")
            if let venues { tally.check(known, venues, "\(side) within \(distance) basis points") }
        } else {
            tally.emptyCount += 1
        }
        let notional = Int128(random.below(40_000))
        let own = pair.known.fill(notional: notional, from: side)
        let venues = sum(pair.venue.fill(notional: notional, from: side))
        tally.check(sum(own), venues, "\(notional) of money of \(side)")
        let naive = buy(notional, all)
        if case .whole(let whole) = own {
            tally.check(
                whole.quantity == naive.quantity && whole.notional == naive.notional,
                "\(notional) of money of \(side), counted")
        }
        tally.check(venues.quantity == naive.quantity, "\(notional) of money of the whole \(side)")
        tally.check(pair.known.best(side), pair.venue.best(side), "best \(side)")
    }

    @Test(arguments: [11, 12, 13, 14] as [UInt64]) func completeMeansTrue(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var tally = Tally()
        for round in 0..<BookAnalyticsProofTests.bookCount / 4 where tally.wrong.isEmpty {
            let pair = try books(&random)
            for side in Side.allCases { ask(side, of: pair, &random, &tally) }
            let count = random.below(12) + 1
            tally.check(
                pair.known.imbalance(levelCount: count), pair.venue.imbalance(levelCount: count),
                "imbalance of \(count) levels")
            tally.check(pair.known.spread, pair.venue.spread, "spread")
            tally.check(pair.known.mid, pair.venue.mid, "mid")
            tally.check(pair.known.microprice, pair.venue.microprice, "microprice")
            #expect(tally.wrong == [], "seed \(seed) round \(round)")
        }
        let least = BookAnalyticsProofTests.bookCount / 4
        #expect(tally.exactCount > 2 * least && tally.boundCount > least && tally.emptyCount > least / 10)
        if BookAnalyticsProofTests.bookCount > 600 {
            print(
                "seed \(seed): \(BookAnalyticsProofTests.bookCount / 4) books, \(tally.exactCount) sums exact, "
                    + "\(tally.boundCount) lower bounds, \(tally.emptyCount) answers not known")
        }
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
