import DepthBook
import MarketData
import Testing

/// A book of these levels, complete or known only as far as a snapshot of `limit` levels shows.
func bookOf(bids: [(Int64, Int64)], asks: [(Int64, Int64)], limit: Int? = nil) -> OrderBook {
    var snapshot = DepthSnapshot()
    snapshot.bids.assign(bids.map { PriceLevel($0.0, $0.1) })
    snapshot.asks.assign(asks.map { PriceLevel($0.0, $0.1) })
    snapshot.scales = SymbolScales(priceDecimals: 2, quantityDecimals: 3)
    var book = OrderBook()
    book.load(snapshot, limit: limit)
    return book
}

/// The view a book publishes.
func viewOf(_ book: borrowing OrderBook) -> BookView {
    var view = BookView()
    book.publish(into: &view)
    return view
}

/// Numbers worked out on paper.
@Suite struct BookAnalyticsTests {
    private func small(limit: Int? = nil) -> OrderBook {
        bookOf(
            bids: [(100, 10), (99, 20), (97, 30)], asks: [(103, 30), (104, 40), (110, 50)], limit: limit)
    }

    private func expectPrices(_ reader: borrowing some BookReading & ~Copyable) {
        let spread = reader.spread
        let (mid, micro) = (reader.mid, reader.microprice)
        #expect(spread == Price(3))
        #expect(mid == ExactRatio(203, 2))
        // (100 × 30 + 103 × 10) / 40
        #expect(micro == ExactRatio(4030, 40))
        #expect(micro?.price(.toNearestOrEven) == Price(101))
        #expect(micro?.rounded(decimals: 2, .down) == 10075)
        let imbalances = [1, 2, 3].map { reader.imbalance(levelCount: $0) }
        // (10 − 30) / 40, (30 − 70) / 100, (60 − 120) / 180
        #expect(imbalances == [ExactRatio(-1, 2), ExactRatio(-2, 5), ExactRatio(-1, 3)])
    }

    @Test func prices() {
        let book = small()
        expectPrices(book)
        expectPrices(viewOf(book))
    }

    private func expectSums(_ reader: borrowing some BookReading & ~Copyable) {
        let two = reader.cumulative(.ask, levelCount: 2)
        #expect(two.levelCount == 2 && two.quantity == 70 && two.worst == Price(104))
        #expect(two.notional == 103 * 30 + 104 * 40)
        #expect(two.end == .complete && two.isExact)
        #expect(two.averagePrice == ExactRatio(7250, 70))
        let all = reader.cumulative(.bid, levelCount: 9)
        #expect(all.levelCount == 3 && all.quantity == 60 && all.end == .sideEnds && all.isExact)
        let none = reader.cumulative(.bid, levelCount: 0)
        #expect(none.levelCount == 0 && none.end == .complete)
        #expect(none.averagePrice == nil && none.worst == nil)
    }

    @Test func sums() {
        let book = small()
        expectSums(book)
        expectSums(viewOf(book))
    }

    private func expectFills(_ reader: borrowing some BookReading & ~Copyable) {
        let part = reader.fill(Quantity(50), from: .ask)
        guard case .whole(let bought) = part else { Issue.record("\(part)"); return }
        #expect(bought.averagePrice == ExactRatio(103 * 30 + 104 * 20, 50))
        #expect(bought.worst == Price(104) && bought.levelCount == 2 && bought.end == .complete)
        let exact = reader.fill(Quantity(60), from: .bid)
        guard case .whole(let sold) = exact else { Issue.record("\(exact)"); return }
        #expect(sold.notional == 1000 + 99 * 20 + 97 * 30 && sold.worst == Price(97))
        let short = reader.fill(Quantity(61), from: .bid)
        guard case .part(let found) = short else { Issue.record("\(short)"); return }
        #expect(found.quantity == 60 && found.end == .sideEnds)
        let nothing = reader.fill(.zero, from: .ask)
        guard case .whole(let zero) = nothing else { Issue.record("\(nothing)"); return }
        #expect(zero.quantity == 0 && zero.averagePrice == nil)
    }

    @Test func fills() {
        let book = small()
        expectFills(book)
        expectFills(viewOf(book))
    }

    private func expectWithin(_ reader: borrowing some BookReading & ~Copyable) {
        let quantities = [99, 100, 98, 1000].map { reader.available(.bid, within: Price($0)).quantity }
        #expect(quantities == [30, 10, 30, 0])
        let asks = [102, 103, 109, 110].map { reader.available(.ask, within: Price($0)).quantity }
        #expect(asks == [0, 30, 70, 120])
        // The mid is 101.5: 148 bp below it are 99.9978, 147 are 100.00795; 246 bp above are 103.9969, 247
        // are 104.007.
        let cases: [(Side, UInt32, Int128)] = [
            (.bid, 147, 0), (.bid, 148, 10), (.ask, 246, 30), (.ask, 247, 70), (.bid, 0, 0),
            (.bid, 10_000, 60), (.bid, .max, 60), (.ask, .max, 120),
        ]
        for (side, distance, quantity) in cases {
            let sum = reader.available(side, withinBasisPoints: distance)
            #expect(sum?.quantity == quantity, "\(side) \(distance)")
            #expect(sum?.end == .complete)
        }
    }

    @Test func within() {
        let book = small()
        expectWithin(book)
        expectWithin(viewOf(book))
    }

    private func expectNothing(_ reader: borrowing some BookReading & ~Copyable, _ end: WalkEnd) {
        let (spread, mid, micro) = (reader.spread, reader.mid, reader.microprice)
        #expect(spread == nil && mid == nil && micro == nil)
        let bps = reader.available(.ask, withinBasisPoints: 5)
        #expect(bps == nil)
        let sum = reader.cumulative(.bid, levelCount: 1)
        #expect(sum.end == end && sum.quantity == 0 && sum.worst == nil)
        let fill = reader.fill(Quantity(1), from: .bid)
        #expect(fill == .part(sum))
        let within = reader.available(.bid, within: Price(1))
        #expect(within.isExact == (end == .sideEnds) && within.quantity == 0)
        let best = reader.best(.bid)
        #expect(best == nil)
    }

    @Test func emptyAndOneSided() {
        expectNothing(OrderBook(), .rangeEnds)
        expectNothing(BookView(), .rangeEnds)
        let empty = bookOf(bids: [], asks: [])
        expectNothing(empty, .sideEnds)
        expectNothing(viewOf(empty), .sideEnds)
        let asksOnly = bookOf(bids: [], asks: [(5, 7)])
        expectNothing(asksOnly, .sideEnds)
        expectNothing(viewOf(asksOnly), .sideEnds)
        // A side known to be empty is a fact: the imbalance is exactly −1; without any level there is none.
        let (one, none) = (asksOnly.imbalance(levelCount: 3), empty.imbalance(levelCount: 3))
        #expect(one == ExactRatio(-1, 1) && none == nil)
    }

    @Test func sumsStopWhereKnowledgeStops() throws {
        var book = small(limit: 3)
        var update = DepthUpdate()
        update.bids.assign([PriceLevel(96, 1000)])
        update.scales = book.scales
        try book.apply(update)
        for view in [nil, viewOf(book)] {
            // The level at 96 is held, but others may be missing in front of it.
            let four = view?.cumulative(.bid, levelCount: 4) ?? book.cumulative(.bid, levelCount: 4)
            #expect(four.quantity == 60 && four.end == .rangeEnds && !four.isExact)
            let three = view?.cumulative(.bid, levelCount: 3) ?? book.cumulative(.bid, levelCount: 3)
            #expect(three.quantity == 60 && three.end == .complete)
            let at97 = view?.available(.bid, within: Price(97)) ?? book.available(.bid, within: Price(97))
            #expect(at97.quantity == 60 && at97.end == .complete)
            let at96 = view?.available(.bid, within: Price(96)) ?? book.available(.bid, within: Price(96))
            #expect(at96.quantity == 60 && at96.end == .rangeEnds)
            let fill = view?.fill(Quantity(61), from: .bid) ?? book.fill(Quantity(61), from: .bid)
            guard case .part(let found) = fill else { Issue.record("\(fill)"); return }
            #expect(found.quantity == 60 && found.end == .rangeEnds)
            let imbalance = view?.imbalance(levelCount: 4) ?? book.imbalance(levelCount: 4)
            #expect(imbalance == nil)
        }
    }

    /// All proven bids leave: the best level held is not known to be the best of the venue.
    @Test func anUnprovenBestIsNotABest() throws {
        var book = small(limit: 3)
        var update = DepthUpdate()
        update.bids.assign([100, 99, 97].map { PriceLevel($0, 0) } + [PriceLevel(90, 5)])
        update.scales = book.scales
        try book.apply(update)
        let view = viewOf(book)
        #expect(book.bestBid == PriceLevel(90, 5) && view.bids[0] == PriceLevel(90, 5) && view.bestBid == nil)
        let (best, spread) = (book.best(.bid), book.spread)
        #expect(best == nil && spread == nil)
        #expect(view.best(.bid) == nil && view.spread == nil && view.mid == nil && view.microprice == nil)
    }

    @Test func saturatedQuantities() {
        let levels = (0..<40).map { (Int64(1000 + $0), Int64.max) }
        let book = bookOf(bids: [(999, .max)], asks: levels)
        let all = book.cumulative(.ask, levelCount: 40)
        #expect(all.quantity == 40 * Int128(Int64.max) && all.end == .complete)
        #expect(all.averagePrice == ExactRatio(2039, 2))
        let (micro, imbalance) = (book.microprice, book.imbalance(levelCount: 1))
        #expect(micro == ExactRatio(1999, 2) && imbalance == ExactRatio(0, 1))
        let fill = book.fill(Quantity(.max), from: .ask)
        guard case .whole(let sum) = fill else { Issue.record("\(fill)"); return }
        #expect(sum.averagePrice == ExactRatio(1000, 1) && sum.levelCount == 1)
    }

    /// The greatest legal numbers: 18 levels fit 128 bits, the 19th ends the walk and the result says so.
    @Test func numbersEnd() {
        let asks = (0..<25).map { (Price.mantissaMax - Int64($0), Int64.max) }
        let book = bookOf(bids: [], asks: asks)
        let exact = book.cumulative(.ask, levelCount: 18)
        #expect(exact.end == .complete && exact.levelCount == 18)
        let wanted = (7..<25).reduce(Int128(0)) {
            $0 + Int128(Price.mantissaMax - Int64($1)) * Int128(Int64.max)
        }
        #expect(exact.notional == wanted)
        let more = book.cumulative(.ask, levelCount: 25)
        #expect(more.end == .numbersEnd && !more.isExact && more.levelCount == 18)
        let within = book.available(.ask, within: Price(Price.mantissaMax))
        #expect(within.end == .numbersEnd && within.levelCount == 18)
    }

    @Test func crossedBook() {
        let book = bookOf(bids: [(105, 1)], asks: [(103, 1)])
        let (spread, mid) = (book.spread, book.mid)
        #expect(spread == Price(-2) && mid == ExactRatio(104, 1))
    }
}
