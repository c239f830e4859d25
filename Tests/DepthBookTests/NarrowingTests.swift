// Ranges become narrower, and never wider, whatever decimals they are told in.

import MarketData
import TestSupport
import Testing

@testable import DepthBook

@Suite struct NarrowingTests {
    private static func extras(_ bids: ProvenRange, _ asks: ProvenRange, _ decimals: UInt8) -> UpdateExtras {
        var extras = UpdateExtras()
        (extras.provenBids, extras.provenAsks, extras.priceDecimals) = (bids, asks, decimals)
        return extras
    }

    /// Bids 9.9 and below, asks 10.1 and above, with one decimal.
    private static func book(limit: Int?, levelCount: Int = 20) -> OrderBook {
        var snapshot = DepthSnapshot()
        snapshot.scales = SymbolScales(priceDecimals: 1, quantityDecimals: 0)
        snapshot.bids.assign((1...levelCount).map { PriceLevel(100 - Int64($0), 1) })
        snapshot.asks.assign((1...levelCount).map { PriceLevel(100 + Int64($0), 1) })
        var book = OrderBook()
        book.load(snapshot, limit: limit)
        return book
    }

    @Test(
        arguments: [
            (UpdateExtras(), ProvenRange.unbounded, ProvenRange.unbounded),
            (extras(.to(Price(95)), .unbounded, 1), .to(Price(95)), .unbounded),
            (extras(.unbounded, .to(Price(105)), 1), .unbounded, .to(Price(105))),
            (extras(.nothing, .to(Price(105)), 1), .nothing, .to(Price(105))),
            (extras(.to(Price(9)), .to(Price(11)), 0), .to(Price(90)), .to(Price(110))),
            // Between two prices of the book, the nearer one to the best.
            (extras(.to(Price(951)), .to(Price(1_059)), 2), .to(Price(96)), .to(Price(105))),
            (extras(.to(Price(950)), .to(Price(1_050)), 2), .to(Price(95)), .to(Price(105))),
            // With more digits than there is room for.
            (extras(.to(.init(Price.mantissaMax)), .to(.init(Price.mantissaMax)), 0), .nothing, .nothing),
        ])
    func eachSideByItself(_ told: UpdateExtras, _ bids: ProvenRange, _ asks: ProvenRange) {
        var book = NarrowingTests.book(limit: nil)
        let digest = book.digest()
        book.narrow(to: told)
        #expect(book.provenBids == bids && book.provenAsks == asks && book.digest() == digest)
        // Told again, and then that everything is known: nothing changes.
        for again in [told, UpdateExtras(), NarrowingTests.extras(.to(Price(0)), .unbounded, 0)] {
            book.narrow(to: again)
            if again.provenBids != .to(Price(0)) || bids != .unbounded { #expect(book.provenBids == bids) }
            #expect(book.provenAsks == asks)
        }
    }

    /// A book that is less known than it is told stays as it is.
    @Test func nothingIsWidened() {
        var book = NarrowingTests.book(limit: 5, levelCount: 5)
        book.narrow(to: NarrowingTests.extras(.to(Price(90)), .to(Price(110)), 1))
        #expect(book.provenBids == .to(Price(95)) && book.provenAsks == .to(Price(105)))
        book.narrow(to: NarrowingTests.extras(.to(Price(97)), .to(Price(110)), 1))
        #expect(book.provenBids == .to(Price(97)) && book.provenAsks == .to(Price(105)))
        book.narrow(to: NarrowingTests.extras(.nothing, .nothing, 1))
        #expect(!book.hasProvenBest(.bid) && !book.hasProvenBest(.ask))
    }

    /// A price without decimals to read it in proves nothing.
    @Test func aBookWithoutDecimals() {
        var empty = OrderBook()
        empty.load(DepthSnapshot(), limit: nil)
        empty.narrow(to: NarrowingTests.extras(.unbounded, .to(Price(5)), 1))
        #expect(empty.provenBids == .unbounded && empty.provenAsks == .nothing)
    }

    /// Of two ranges in different decimals: never wider than either, and one of them where they fit.
    @Test func theNarrowerOfTwo() {
        var random = SeededRandom(seed: 4)
        func range() -> ProvenRange {
            switch random.below(6) {
            case 0: .nothing
            case 1: .unbounded
            default: .to(Price(Int64(random.below(3_000))))
            }
        }
        for _ in 0..<5_000 {
            let one = NarrowingTests.extras(range(), range(), UInt8(random.below(4)))
            let other = NarrowingTests.extras(range(), range(), UInt8(random.below(4)))
            let both = one.narrowed(by: other)
            for side in Side.allCases {
                let (a, b) = (one.range(side, 6), other.range(side, 6))
                #expect(both.range(side, 6) == (a.covers(b, on: side) ? b : a))
                for decimals in UInt8(0)..<6 {
                    let fitted = both.range(side, decimals).fitted(from: decimals, to: 6, on: side)
                    #expect(both.range(side, 6).covers(fitted, on: side))
                }
            }
        }
    }
}
