import CLobKernels
import MarketData
import TestSupport
import Testing

@testable import DepthBook

/// Applies levels to a side and to the model and compares everything.
private func expectSame(_ side: borrowing BookSide, _ model: NaiveOrderBook, _ what: Comment) {
    var levels: [PriceLevel] = []
    side.forEachLevel {
        levels.append($0); return true
    }
    let wanted = model.levels(side.side)
    let fault = side.storageFault()
    let best = side.best
    let count = side.count
    #expect(fault == nil, what)
    #expect(levels == wanted, what)
    #expect(best == wanted.first, what)
    #expect(count == wanted.count, what)
}

extension BookSide {
    fileprivate mutating func apply(_ levels: [PriceLevel]) {
        var insertions = [lob_insertion](repeating: lob_insertion(), count: levels.count + 1)
        levels.withUnsafeBufferPointer { run in
            insertions.withUnsafeMutableBufferPointer { scratch in
                guard let base = run.baseAddress else { return }
                apply(base, count: run.count, scratch: scratch.baseAddress!)
            }
        }
    }
}

extension NaiveOrderBook {
    fileprivate mutating func apply(_ side: Side, _ levels: [PriceLevel]) {
        switch side {
        case .bid: apply(bids: levels, asks: [])
        case .ask: apply(bids: [], asks: levels)
        }
    }
}

@Suite struct BookSideTests {
    /// Every sequence of three messages over three prices, in every order, with and without deletes and
    /// repeats.
    @Test(arguments: Side.allCases) func everySmallCase(_ side: Side) {
        // A message is a list of up to three (price, quantity) out of three prices and two quantities,
        // repeats included.
        var messages: [[PriceLevel]] = [[]]
        let levels = (1...3).flatMap { p in (0...1).map { PriceLevel(Int64(p), Int64($0) * 7) } }
        for a in levels {
            messages.append([a])
            for b in levels {
                messages.append([a, b])
                for c in levels { messages.append([a, b, c]) }
            }
        }
        var random = SeededRandom(seed: 1)
        for first in messages {
            let second = messages[random.below(messages.count)]
            let third = messages[random.below(messages.count)]
            for run in [[first, second, third], [second, first, third], [second, third, first]] {
                var book = BookSide(side)
                var model = NaiveOrderBook()
                for message in run {
                    book.apply(message)
                    model.apply(side, message)
                    expectSame(book, model, "\(side) \(run)")
                }
            }
        }
    }

    /// Long seeded runs over dense and sparse prices, near and far, ordered, shuffled and with repeats.
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64]) func longRuns(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let side: Side = seed % 2 == 0 ? .bid : .ask
        let spread = [40, 3_000, 500_000][Int(seed) % 3]
        var book = BookSide(side)
        var model = NaiveOrderBook()
        var centre = Int64(10_000_000)
        for message in 0..<1_500 {
            centre += Int64(random.below(41)) - 20
            let count = random.chance(0.02) ? random.below(900) : random.below(40)
            var levels = (0..<count).map { _ in
                let far = random.chance(0.05) ? 1_000_000_000_000 : spread
                return PriceLevel(
                    centre + Int64(random.below(far)), random.chance(0.4) ? 0 : Int64(random.below(1000)) + 1)
            }
            if random.chance(0.9) {
                levels.sort { $0.price < $1.price }
                if random.chance(0.5) { levels.reverse() }
            }
            book.apply(levels)
            model.apply(side, levels)
            if message % 25 == 0 || message > 1_490 {
                expectSame(book, model, "seed \(seed) message \(message)")
            } else {
                let fault = book.storageFault()
                #expect(fault == nil, "seed \(seed) message \(message)")
            }
        }
    }

    /// Levels packed one beside the other until windows of every width and growth have been needed.
    @Test(arguments: Side.allCases) func levelsPackedAtOnePlace(_ side: Side) {
        var book = BookSide(side)
        var model = NaiveOrderBook()
        var random = SeededRandom(seed: 9)
        for step in 0..<4_000 {
            // Always between the same two prices, halving the distance left.
            let level = PriceLevel(1 << 40 + Int64(random.below(1 << 20)), 5)
            book.apply([level])
            model.apply(side, [level])
            if step % 500 == 0 { expectSame(book, model, "step \(step)") }
        }
        expectSame(book, model, "end")
        let levelling = book.levelling
        #expect(levelling.windowCount > 0 && levelling.growthCount > 0)
    }

    @Test func extremePrices() {
        for side in Side.allCases {
            var book = BookSide(side)
            let prices = [0, 1, Price.mantissaMax - 1, Price.mantissaMax]
            book.apply(prices.map { PriceLevel($0, .max) })
            var levels: [PriceLevel] = []
            book.forEachLevel {
                levels.append($0); return true
            }
            #expect(levels.count == 4)
            #expect(levels.allSatisfy { $0.quantity.mantissa == .max })
            let fault = book.storageFault()
            #expect(fault == nil)
            let held = book.quantity(at: Price(Price.mantissaMax))
            let absent = book.quantity(at: Price(2))
            #expect(held == Quantity(.max) && absent == .zero)
        }
    }

    @Test func laterDuplicateWins() {
        for side in Side.allCases {
            var book = BookSide(side)
            book.apply([PriceLevel(5, 1), PriceLevel(5, 2), PriceLevel(6, 3)])
            book.apply([PriceLevel(6, 9), PriceLevel(5, 4), PriceLevel(5, 0)])
            var levels: [PriceLevel] = []
            book.forEachLevel {
                levels.append($0); return true
            }
            #expect(levels == [PriceLevel(6, 9)])
        }
    }
}
