import DepthBook
import MarketData
import TestSupport
import Testing

/// The same questions, answered from arrays, level by level, with nothing shared with the real answers.
private struct NaiveReader {
    var levels: [Side: [PriceLevel]]
    var proven: [Side: ProvenRange]

    /// The levels of a side that are known, and whether the side is known to end with them.
    func known(_ side: Side) -> (levels: [PriceLevel], isWhole: Bool) {
        switch proven[side]! {
        case .nothing: return ([], false)
        case .unbounded: return (levels[side]!, true)
        case .to(let worst):
            let known = levels[side]!.filter { side == .bid ? $0.price >= worst : $0.price <= worst }
            return (known, false)
        }
    }

    /// What a view shows of this: the best twenty, and no claim beyond the twentieth.
    func cut() -> NaiveReader {
        var cut = self
        for side in Side.allCases where levels[side]!.count >= 20 {
            cut.levels[side] = Array(levels[side]!.prefix(20))
            let last = cut.levels[side]![19].price
            switch proven[side]! {
            case .nothing: break
            case .unbounded: cut.proven[side] = .to(last)
            case .to(let worst):
                cut.proven[side] = .to(side == .bid ? max(worst, last) : min(worst, last))
            }
        }
        return cut
    }

    static func sum(_ levels: some Sequence<PriceLevel>) -> (quantity: Int128, notional: Int128) {
        levels.reduce((0, 0)) {
            (
                $0.0 + Int128($1.quantity.mantissa),
                $0.1 + Int128($1.quantity.mantissa) * Int128($1.price.mantissa)
            )
        }
    }
}

/// Random books, known to random depths, asked about everything.
@Suite struct BookAnalyticsModelTests {
    private func compare(
        _ reader: borrowing some BookReading & ~Copyable, _ naive: NaiveReader, _ random: inout SeededRandom,
        _ what: Comment
    ) {
        for side in Side.allCases {
            let (known, isWhole) = naive.known(side)
            let best = reader.best(side)
            #expect(best == known.first, what)
            let wanted = random.below(30) + 1
            let sum = reader.cumulative(side, levelCount: wanted)
            let top = NaiveReader.sum(known.prefix(wanted))
            #expect(sum.quantity == top.quantity && sum.notional == top.notional, what)
            #expect(sum.levelCount == min(wanted, known.count), what)
            #expect(sum.worst == known.prefix(wanted).last?.price, what)
            #expect(sum.end == (known.count >= wanted ? .complete : isWhole ? .sideEnds : .rangeEnds), what)
            compareFill(reader, side, known, isWhole, Int64(random.below(9_000)), what)
            let limit = Price(10_000 + Int64(random.below(160)) - 80)
            compareWithin(reader.available(side, within: limit), side, limit, naive, what)
        }
        comparePrices(reader, naive, what)
        let distance = UInt32(random.below(100))
        guard let bid = naive.known(.bid).levels.first, let ask = naive.known(.ask).levels.first else {
            return
        }
        for side in Side.allCases {
            // Distance × 20000 from twice the mid, level by level, without a limit price.
            let twice = Int128(bid.price.mantissa + ask.price.mantissa)
            let near = naive.known(side).levels.filter {
                let off = (side == .bid ? -1 : 1) * (2 * Int128($0.price.mantissa) - twice)
                return off * 10_000 <= twice * Int128(distance)
            }
            let found = reader.available(side, withinBasisPoints: distance)
            #expect(found?.quantity == NaiveReader.sum(near).quantity, what)
            #expect(found?.levelCount == near.count, what)
        }
    }

    private func compareFill(
        _ reader: borrowing some BookReading & ~Copyable, _ side: Side, _ known: [PriceLevel],
        _ isWhole: Bool,
        _ quantity: Int64, _ what: Comment
    ) {
        var taken: [PriceLevel] = []
        var left = quantity
        for level in known where left > 0 {
            taken.append(PriceLevel(level.price.mantissa, min(left, level.quantity.mantissa)))
            left -= taken.last!.quantity.mantissa
        }
        let wanted = NaiveReader.sum(taken)
        switch reader.fill(Quantity(quantity), from: side) {
        case .whole(let sum):
            #expect(left == 0 && sum.notional == wanted.notional && sum.quantity == Int128(quantity), what)
            #expect(sum.worst == taken.last?.price && sum.end == .complete, what)
        case .part(let sum):
            #expect(left > 0 && sum.notional == wanted.notional && sum.quantity == wanted.quantity, what)
            #expect(sum.end == (isWhole ? .sideEnds : .rangeEnds), what)
        }
    }

    private func compareWithin(
        _ sum: DepthSum, _ side: Side, _ limit: Price, _ naive: NaiveReader, _ what: Comment
    ) {
        let near = naive.known(side).levels.filter { side == .bid ? $0.price >= limit : $0.price <= limit }
        let wanted = NaiveReader.sum(near)
        #expect(sum.quantity == wanted.quantity && sum.notional == wanted.notional, what)
        let isCovered =
            switch naive.proven[side]! {
            case .nothing: false
            case .unbounded: true
            case .to(let worst): side == .bid ? limit >= worst : limit <= worst
            }
        #expect(sum.end == (isCovered ? .complete : .rangeEnds), what)
    }

    private func comparePrices(
        _ reader: borrowing some BookReading & ~Copyable, _ naive: NaiveReader, _ what: Comment
    ) {
        let (spread, mid, micro) = (reader.spread, reader.mid, reader.microprice)
        let (bids, asks) = (naive.known(.bid), naive.known(.ask))
        if let bid = bids.levels.first, let ask = asks.levels.first {
            #expect(spread?.mantissa == ask.price.mantissa - bid.price.mantissa, what)
            #expect(mid == ExactRatio(Int128(bid.price.mantissa + ask.price.mantissa), 2), what)
            let (b, a) = (bid.quantity.mantissa, ask.quantity.mantissa)
            let weighted = bid.price.mantissa * a + ask.price.mantissa * b
            #expect(micro == ExactRatio(Int128(weighted), Int128(a + b)), what)
        } else {
            #expect(spread == nil && mid == nil && micro == nil, what)
        }
        for count in [1, 5, 20] {
            let imbalance = reader.imbalance(levelCount: count)
            let b = NaiveReader.sum(bids.levels.prefix(count)).quantity
            let a = NaiveReader.sum(asks.levels.prefix(count)).quantity
            let isKnown =
                (bids.levels.count >= count || bids.isWhole) && (asks.levels.count >= count || asks.isWhole)
            #expect(imbalance == (isKnown && a + b > 0 ? ExactRatio(b - a, a + b) : nil), what)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func randomBooks(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var view = BookView()
        for round in 0..<120 {
            var snapshot = DepthSnapshot()
            snapshot.scales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)
            let counts = [random.below(40), random.below(40)]
            let bids = Set((0..<counts[0]).map { _ in Int64(random.below(60)) }).sorted()
            let asks = Set((0..<counts[1]).map { _ in Int64(random.below(60)) }).sorted()
            snapshot.bids.assign(bids.map { PriceLevel(9_999 - $0, Int64(random.below(500)) + 1) })
            snapshot.asks.assign(asks.map { PriceLevel(10_001 + $0, Int64(random.below(500)) + 1) })
            var book = OrderBook()
            book.load(snapshot, limit: random.chance(0.3) ? nil : [5, 10, 20, 1000][random.below(4)])
            for step in 0..<3 {
                var update = DepthUpdate()
                update.scales = snapshot.scales
                for _ in 0..<random.below(12) {
                    let quantity = random.chance(0.6) ? 0 : Int64(random.below(500)) + 1
                    update.bids.append(PriceLevel(9_999 - Int64(random.below(70)), quantity))
                    update.asks.append(PriceLevel(10_001 + Int64(random.below(70)), quantity))
                }
                try book.apply(update)
                let naive = NaiveReader(
                    levels: [.bid: book.levels(.bid), .ask: book.levels(.ask)],
                    proven: [.bid: book.proven(.bid), .ask: book.proven(.ask)])
                compare(book, naive, &random, "book, seed \(seed) round \(round) step \(step)")
                book.publish(into: &view)
                compare(view, naive.cut(), &random, "view, seed \(seed) round \(round) step \(step)")
            }
        }
    }

    /// A view of more, of exactly and of fewer than twenty levels, and one published over an older, longer
    /// one.
    @Test func viewsOfManyAndFewLevels() {
        var view = BookView()
        for count in [25, 20, 19, 3, 0] as [Int] {
            let book = bookOf(
                bids: (0..<count).map { (1000 - Int64($0), Int64($0) + 1) },
                asks: (0..<count).map { (1001 + Int64($0), Int64($0) + 5) })
            book.publish(into: &view)
            let shown = min(count, 20)
            #expect(Int(view.bidCount) == shown && Int(view.askCount) == shown)
            for side in Side.allCases {
                let wanted = Array(book.levels(side).prefix(20))
                var levels: [PriceLevel] = []
                view.forEachLevel(side) {
                    levels.append($0)
                    return true
                }
                #expect(levels == wanted)
                #expect(view.proven(side) == .unbounded)
                #expect(view.known(side) == (count < 20 ? .unbounded : .to(wanted[19].price)))
                let all = view.cumulative(side, levelCount: 21)
                #expect(all.levelCount == shown && all.end == (count < 20 ? .sideEnds : .rangeEnds))
                let top = view.cumulative(side, levelCount: 20)
                #expect(top.end == (count < 20 ? .sideEnds : .complete))
            }
        }
    }

    /// A view whose proven range ends inside its twenty levels.
    @Test func provenRangeInsideTheView() {
        var view = BookView()
        let book = bookOf(
            bids: (0..<25).map { (1000 - Int64($0), 1) }, asks: (0..<25).map { (1001 + Int64($0), 1) })
        book.publish(into: &view)
        view.provenBids = .to(Price(996))
        view.provenAsks = .nothing
        #expect(view.known(.bid) == .to(Price(996)) && view.known(.ask) == .nothing)
        #expect(view.cumulative(.bid, levelCount: 20).levelCount == 5)
        #expect(view.cumulative(.ask, levelCount: 20).levelCount == 0)
        #expect(
            view.best(.ask) == nil && view.spread == nil && view.available(.bid, withinBasisPoints: 9) == nil)
    }
}
