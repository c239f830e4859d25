import MarketData
import TestSupport
import Testing

@testable import DepthBook

private let scales = SymbolScales(priceDecimals: 2, quantityDecimals: 3)

private func snapshot(bids: [PriceLevel], asks: [PriceLevel], id: Int64 = 1) -> DepthSnapshot {
    var snapshot = DepthSnapshot()
    snapshot.bids.assign(bids)
    snapshot.asks.assign(asks)
    snapshot.lastUpdateID = UpdateID(id)
    snapshot.scales = scales
    return snapshot
}

private func update(bids: [PriceLevel], asks: [PriceLevel], id: Int64 = 2) -> DepthUpdate {
    var update = DepthUpdate()
    update.bids.assign(bids)
    update.asks.assign(asks)
    update.last = UpdateID(id)
    update.scales = bids.isEmpty && asks.isEmpty ? nil : scales
    return update
}

@Suite struct OrderBookTests {
    @Test func loadThenApply() throws {
        var book = OrderBook()
        book.load(
            snapshot(bids: [PriceLevel(99, 5), PriceLevel(98, 1)], asks: [PriceLevel(101, 2)], id: 7),
            limit: 2)
        #expect(book.provenBids == .to(Price(98)))
        #expect(book.provenAsks == .unbounded)
        try book.apply(
            update(bids: [PriceLevel(99, 0), PriceLevel(100, 4)], asks: [PriceLevel(101, 0)], id: 9))
        #expect(book.bestBid == PriceLevel(100, 4))
        #expect(book.bestAsk == nil)
        #expect(book.lastUpdateID == UpdateID(9))
        let levels = book.levels(.bid)
        #expect(levels == [PriceLevel(100, 4), PriceLevel(98, 1)])
    }

    @Test func unsortedSnapshotWithZeroAndRepeats() {
        var book = OrderBook()
        book.load(
            snapshot(
                bids: [PriceLevel(1, 1), PriceLevel(3, 3), PriceLevel(2, 0), PriceLevel(3, 4)],
                asks: [PriceLevel(9, 0)]), limit: nil)
        let bids = book.levels(.bid)
        let asks = book.levels(.ask)
        #expect(bids == [PriceLevel(3, 4), PriceLevel(1, 1)])
        #expect(asks.isEmpty)
        let fault = book.integrityFault()
        #expect(fault == nil)
    }

    /// The widest decimals seen are kept: the book grows to a message's, and a message to the book's.
    @Test func otherDecimalsWiden() throws {
        var book = OrderBook()
        book.load(
            snapshot(bids: [PriceLevel(99, 5), PriceLevel(98, 1)], asks: [PriceLevel(101, 2)]), limit: 2)
        var message = update(bids: [PriceLevel(990, 7)], asks: [PriceLevel(1005, 3)])
        message.scales = SymbolScales(
            priceDecimals: Int(scales.priceDecimals) + 1, quantityDecimals: Int(scales.quantityDecimals))
        try book.apply(message)
        #expect(book.scales == message.scales && book.lastUpdateID == message.last)
        var levels = (bids: book.levels(.bid), asks: book.levels(.ask))
        #expect(levels.bids == [PriceLevel(990, 7), PriceLevel(980, 1)])
        #expect(levels.asks == [PriceLevel(1005, 3), PriceLevel(1010, 2)])
        #expect(book.provenBids == .to(Price(980)) && book.provenAsks == .unbounded)
        try book.apply(update(bids: [PriceLevel(99, 0)], asks: [PriceLevel(102, 4)], id: 3))
        levels = (bids: book.levels(.bid), asks: book.levels(.ask))
        #expect(levels.bids == [PriceLevel(980, 1)])
        #expect(levels.asks == [PriceLevel(1005, 3), PriceLevel(1010, 2), PriceLevel(1020, 4)])
        let fault = book.integrityFault()
        #expect(fault == nil)
    }

    /// What does not fit the wider decimals is refused, and the book stays as it was.
    @Test func decimalsThatDoNotFitAreRefused() throws {
        var book = OrderBook()
        book.load(snapshot(bids: [PriceLevel(99, 5)], asks: [PriceLevel(101, .max)]), limit: 100)
        var message = update(bids: [PriceLevel(990, 5)], asks: [])
        message.scales = SymbolScales(
            priceDecimals: Int(scales.priceDecimals), quantityDecimals: Int(scales.quantityDecimals) + 1)
        #expect(throws: BookError.self) { try book.apply(message) }
        #expect(book.bestBid == PriceLevel(99, 5) && book.bestAsk == PriceLevel(101, .max))
        #expect(book.lastUpdateID == UpdateID(1) && book.scales == scales)
        try book.apply(update(bids: [], asks: [], id: 3))
        #expect(book.lastUpdateID == UpdateID(3))
    }

    /// Zero is zero however it is printed, also to a book that has not learned its decimals yet.
    @Test func removalsMayBePrintedWithOtherDecimals() throws {
        let bare = SymbolScales(priceDecimals: 2, quantityDecimals: 0)
        var removal = update(bids: [PriceLevel(99, 0)], asks: [PriceLevel(101, 0)])
        removal.scales = bare
        var book = OrderBook()
        book.load(snapshot(bids: [PriceLevel(99, 5), PriceLevel(98, 5)], asks: []), limit: 100)
        try book.apply(removal)
        #expect(book.bestBid == PriceLevel(98, 5))
        #expect(book.scales == scales)
        var empty = OrderBook()
        try empty.apply(removal)
        #expect(empty.scales == nil)
        try empty.apply(update(bids: [PriceLevel(97, 1)], asks: []))
        #expect(empty.scales == scales)
        var mixed = update(bids: [PriceLevel(98, 0)], asks: [PriceLevel(101, 1)])
        mixed.scales = bare
        try book.apply(mixed)
        #expect(book.bestBid == nil && book.scales == scales)
    }

    @Test(arguments: [-1, Price.mantissaMax + 1, .max, .min] as [Int64])
    func pricesOutOfRangeAreRefused(_ price: Int64) throws {
        var book = OrderBook()
        book.load(snapshot(bids: [PriceLevel(99, 5)], asks: [PriceLevel(101, 5)]), limit: 100)
        #expect(throws: BookError.priceOutOfRange) {
            try book.apply(update(bids: [PriceLevel(price, 1)], asks: []))
        }
        #expect(throws: BookError.priceOutOfRange) {
            try book.apply(update(bids: [], asks: [PriceLevel(100, 1), PriceLevel(price, 1)]))
        }
        let levels = book.levels(.bid)
        #expect(levels == [PriceLevel(99, 5)])
        #expect(book.lastUpdateID == UpdateID(1))
    }

    @Test func aBookOfNothingProvesNothing() {
        let book = OrderBook()
        var view = BookView()
        view.scales = scales
        book.publish(into: &view)
        #expect(view.provenBids == .nothing && view.provenAsks == .nothing)
        #expect(view.scales.priceDecimals == 0)
    }

    /// Levels that went leave free slots behind; the best ones are found beyond any number of them.
    @Test(arguments: [0, 1, 7, 8, 40, 63, 64, 65, 600, 4_980, 4_999])
    func viewsReachBeyondFreeSlots(_ goneCount: Int) throws {
        var view = BookView()
        for keptInFront in [0, 1, 3] where keptInFront + goneCount <= 5_000 {
            var book = OrderBook()
            let bids = (0..<5_000).map { PriceLevel(100_000 - Int64($0), 1 + Int64($0)) }
            let asks = (0..<5_000).map { PriceLevel(200_000 + Int64($0), 1 + Int64($0)) }
            book.load(snapshot(bids: bids, asks: asks), limit: nil)
            let gone = keptInFront..<(keptInFront + goneCount)
            try book.apply(
                update(
                    bids: bids[gone].map { PriceLevel($0.price.mantissa, 0) },
                    asks: asks[gone].map { PriceLevel($0.price.mantissa, 0) }))
            book.publish(into: &view)
            for (side, levels) in [(Side.bid, bids), (.ask, asks)] {
                let wanted = (levels[..<gone.lowerBound] + levels[gone.upperBound...]).prefix(20)
                let count = Int(side == .bid ? view.bidCount : view.askCount)
                let found = (0..<count).map { side == .bid ? view.bids[$0] : view.asks[$0] }
                #expect(found == Array(wanted), "\(side), \(keptInFront) in front of \(goneCount)")
            }
        }
    }

    @Test func capEvictsTheDeepestAndMovesTheProvenPrice() throws {
        var book = OrderBook(levelCountMax: 32)
        let asks = (0..<32).map { PriceLevel(1000 + Int64($0) * 10, 1) }
        book.load(snapshot(bids: [], asks: asks), limit: nil)
        #expect(book.provenAsks == .unbounded)
        try book.apply(update(bids: [], asks: [PriceLevel(995, 1)]))
        let levels = book.levels(.ask)
        #expect(levels.count == 30)
        #expect(levels.last?.price == Price(1280))
        #expect(book.provenAsks == .to(Price(1280)))
        // A level beyond the proven price may come back; evicting it again moves nothing.
        try book.apply(
            update(bids: [], asks: [PriceLevel(5000, 1), PriceLevel(6000, 1), PriceLevel(7000, 1)]))
        #expect(book.provenAsks == .to(Price(1280)))
    }

    /// Every price of a side as the end of the proven range, for few and for many slots.
    @Test(arguments: [1, 7, 40, 900]) func provenLevelsAreCounted(_ levelCount: Int) throws {
        for limit in stride(from: 1, through: levelCount, by: max(levelCount / 40, 1)) {
            var book = OrderBook()
            let asks = (0..<limit).map { PriceLevel(1000 + Int64($0) * 10, 1) }
            let bids = asks.map { PriceLevel(990 - ($0.price.mantissa - 1000) / 10, 2) }
            book.load(snapshot(bids: bids, asks: asks), limit: limit)
            // Deeper levels that became known later are not proven; better ones are.
            let deeper = (0..<(levelCount - limit)).map { PriceLevel(50_000 + Int64($0), 3) }
            try book.apply(update(bids: [PriceLevel(991, 1)], asks: deeper))
            let counts = [book.provenLevelCount(.bid), book.provenLevelCount(.ask)]
            #expect(counts == [limit + 1, limit])
        }
        let empty = OrderBook().provenLevelCount(.bid)
        #expect(empty == 0)
    }

    /// Random messages with a small cap, compared with the model after every message.
    @Test(arguments: [11, 12] as [UInt64]) func againstTheModel(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var book = OrderBook(levelCountMax: 300)
        var model = NaiveOrderBook()
        var view = BookView()
        for message in 0..<2_000 {
            let bids = randomSide(&random, best: 10_000, step: -1)
            let asks = randomSide(&random, best: 10_001, step: 1)
            try book.apply(update(bids: bids, asks: asks, id: Int64(message)))
            model.apply(bids: bids, asks: asks)
            model.enforce(levelCountMax: 300, after: (bids.count, asks.count))
            let fault = book.integrityFault()
            #expect(fault == nil, "seed \(seed) message \(message)")
            let mine = [book.levels(.bid), book.levels(.ask)]
            let wanted = [model.levels(.bid), model.levels(.ask)]
            #expect(mine == wanted, "seed \(seed) message \(message)")
            let digest = book.digest()
            #expect(digest == BookDigest.digest(bids: wanted[0], asks: wanted[1]))
            for (side, levels) in zip(Side.allCases, wanted) {
                let count = book.provenLevelCount(side)
                #expect(count == levels.filter { book.isProven(side, $0.price) }.count)
            }
            book.publish(into: &view)
            #expect(Int(view.bidCount) == min(20, wanted[0].count))
            for i in 0..<Int(view.askCount) { #expect(view.asks[i] == wanted[1][i]) }
        }
    }

    private func randomSide(_ random: inout SeededRandom, best: Int64, step: Int64) -> [PriceLevel] {
        let count = random.below(30)
        return (0..<count).map { _ in
            PriceLevel(
                best + step * Int64(random.below(600)), random.chance(0.45) ? 0 : Int64(random.below(99)) + 1)
        }.sorted { $0.price < $1.price }
    }

    /// The documented definition, computed by hand for a small book, so that others can check theirs.
    @Test func digestIsTheDocumentedOne() {
        let digest = BookDigest.digest(
            bids: [PriceLevel(10, 1), PriceLevel(9, 2)], asks: [PriceLevel(11, 3)])
        var h: UInt64 = 0x6C6F_6262_6F6F_6B31
        for x in [10, 1, 9, 2, 2, 11, 3, 1] as [UInt64] {
            h = (h ^ x) &* 0x9E37_79B9_7F4A_7C15
            h ^= h >> 32
        }
        #expect(digest == h)
        #expect(
            digest
                != BookDigest.digest(bids: [PriceLevel(10, 1)], asks: [PriceLevel(9, 2), PriceLevel(11, 3)]))
    }
}
