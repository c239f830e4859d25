// A server that knows less of a book than before says so, and whoever follows it claims no more.

import BinanceVenue
import DepthBook
import Foundation
import MarketData
import TestSupport
import Testing

@testable import BookServer

@Suite struct NarrowingTests {
    /// How many chains; `LOB_BRIDGES` asks for more, in optimised code.
    private static let seedCount =
        ProcessInfo.processInfo.environment["LOB_BRIDGES"].flatMap { UInt64($0) } ?? 4

    /// Books upon books that are lost again and again: at every id a book claims what is true, and no more
    /// than the one it follows.
    @Test(
        arguments: [(Market.spot, false), (.spot, true), (.usdm, false), (.coinm, false)], [64, 4_000])
    func nobodyClaimsMoreThanItsSource(
        _ kind: (market: Market, isMicroseconds: Bool), levelCountMax: Int
    ) {
        var (bridges, narrowings, compared, bounded) = (0, 0, 0, 0)
        for seed in 0..<NarrowingTests.seedCount {
            var chain = BookChain(
                kind.market, isMicroseconds: kind.isMicroseconds, levelCountMax: levelCountMax, seed: seed)
            for _ in 0..<400 { chain.step() }
            bridges += chain.links[0].bridgeCount
            narrowings += chain.links.reduce(0) { $0 + $1.narrowingCount }
            compared += chain.counts.compared
            bounded += chain.counts.bounded
        }
        print(
            "\(kind), \(levelCountMax): \(bridges) bridges, \(narrowings) narrowing, \(compared) compared,",
            "\(bounded) of them bounded")
        #expect(bridges > 3 * Int(NarrowingTests.seedCount))
        #expect(narrowings > 3 * Int(NarrowingTests.seedCount))
        #expect(compared > 500 * Int(NarrowingTests.seedCount) && bounded * 10 > compared)
    }

    /// A source of consecutive prices from 4,999 down and 5,001 up, cut at a limit.
    private func source(at id: Int64, limit: Int?, bids: Int = 20, asks: Int = 20) -> SourceBook {
        var snapshot = DepthSnapshot()
        snapshot.scales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)
        snapshot.lastUpdateID = UpdateID(id)
        snapshot.bids.assign((0..<Int64(bids)).map { PriceLevel(4_999 - $0, 1) })
        snapshot.asks.assign((0..<Int64(asks)).map { PriceLevel(5_001 + $0, 1) })
        let source = SourceBook(levelCountMax: 1_000)
        source.book.load(snapshot, limit: limit)
        return source
    }

    /// A bridge tells a range where somebody may take the side to be known further, and only there.
    @Test(arguments: [false, true]) func aBridgeTellsWhatItNarrows(isLinked: Bool) {
        let served = ServedBook("X", isLinked: isLinked, levelCountMax: 100)
        #expect(served.resume(source(at: 1, limit: 10, bids: 10, asks: 5).book) == .began)
        #expect(served.book.provenBids == .to(Price(4_990)) && served.book.provenAsks == .unbounded)
        let table: [(limit: Int?, bids: ProvenRange, asks: ProvenRange)] = [
            (10, .unbounded, .to(Price(5_010))), (5, .to(Price(4_995)), .to(Price(5_005))),
            (5, .to(Price(4_995)), .to(Price(5_005))), (nil, .unbounded, .unbounded),
            (15, .to(Price(4_985)), .to(Price(5_015))),
        ]
        for (index, row) in table.enumerated() {
            served.pause()
            let id = Int64(index) + 2
            let count = row.limit ?? 20
            let next = source(at: id, limit: row.limit, bids: count, asks: count)
            #expect(served.resume(next.book) == .bridged)
            let extras = served.bridge.extras
            let told = extras ?? UpdateExtras()
            #expect(told.provenBids == row.bids && told.provenAsks == row.asks, "\(row)")
            #expect((extras == nil) == (row.bids == .unbounded && row.asks == .unbounded))
        }
    }

    /// What is told by an update that is passed on holds for the served book too.
    @Test func anUpdateThatNarrowsIsHeeded() {
        let served = ServedBook("X", isLinked: false, levelCountMax: 100)
        #expect(served.resume(source(at: 7, limit: nil).book) == .began)
        var update = DepthUpdate()
        (update.first, update.last) = (UpdateID(8), UpdateID(9))
        var extras = UpdateExtras()
        (extras.provenAsks, extras.priceDecimals) = (.to(Price(50_030)), 1)
        update.extras = extras
        let isPassed = served.pass(update)
        #expect(isPassed)
        #expect(served.book.provenBids == .unbounded && served.book.provenAsks == .to(Price(5_003)))
        var snapshot = DepthSnapshot()
        #expect(served.fill(&snapshot, limit: 10) == 3)
    }

    /// A source that is deeper on one side and shallower on the other takes nothing back.
    @Test func deepeningOneSideKeepsTheOther() {
        let served = ServedBook("X", isLinked: false, levelCountMax: 100)
        #expect(served.resume(source(at: 7, limit: 10, bids: 10, asks: 5).book) == .began)
        let other = source(at: 7, limit: 5, bids: 15, asks: 5)
        served.deepen(other.book)
        #expect(served.book.provenBids == .to(Price(4_985)) && served.book.provenAsks == .unbounded)
        #expect(served.book.levels(.bid).count == 15 && served.book.levels(.ask).count == 5)
    }

    /// Several updates in one message: the narrowest range of any of them, once.
    @Test(arguments: [false, true]) func aSummaryTellsTheNarrowest(isLinked: Bool) {
        let served = ServedBook("X", isLinked: isLinked, levelCountMax: 100)
        #expect(served.resume(source(at: 7, limit: nil).book) == .began)
        var summary = UpdateSummary(since: UpdateID(7), isLinked: isLinked)
        var message = DepthUpdate()
        for (id, limit) in [(Int64(8), 10), (9, 5), (10, 15)] {
            served.pause()
            #expect(served.resume(source(at: id, limit: limit, bids: limit, asks: limit).book) == .bridged)
            summary.add(served.bridge)
        }
        summary.take(&message, from: served)
        let told = message.extras ?? UpdateExtras()
        #expect(told.provenBids == .to(Price(4_995)) && told.provenAsks == .to(Price(5_005)))
        var update = DepthUpdate()
        (update.first, update.last) = (UpdateID(11), UpdateID(11))
        update.previousLast = isLinked ? UpdateID(10) : nil
        let isPassed = served.pass(update)
        #expect(isPassed)
        summary.add(update)
        summary.take(&message, from: served)
        let (last, later) = (message.last, message.extras)
        #expect(last == UpdateID(11) && later == nil)
    }
}
