// What clients are owed: levels that an answer lacked, levels that nobody knew for a while, levels that are
// forgotten.

import DepthBook
import MarketData
import Testing

@testable import BookServer

@Suite struct OwedLevelTests {
    /// A source at an id, from a snapshot of so many levels a side at consecutive prices, cut at a limit.
    private func source(
        at id: Int64, levelCount: Int, limit: Int?, levelCountMax: Int = 1_000, quantity: Int64 = 1
    ) -> SourceBook {
        var snapshot = DepthSnapshot()
        snapshot.scales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)
        snapshot.lastUpdateID = UpdateID(id)
        snapshot.bids.assign((0..<levelCount).map { PriceLevel(4_999 - Int64($0), quantity) })
        snapshot.asks.assign((0..<levelCount).map { PriceLevel(5_001 + Int64($0), quantity) })
        let source = SourceBook(levelCountMax: levelCountMax)
        source.book.load(snapshot, limit: limit)
        return source
    }

    private func update(_ id: Int64, bids: [PriceLevel], asks: [PriceLevel] = []) -> DepthUpdate {
        var update = DepthUpdate()
        update.scales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)
        (update.first, update.last) = (UpdateID(id), UpdateID(id))
        update.bids.assign(bids)
        update.asks.assign(asks)
        return update
    }

    /// What a client asked for and did not get comes with the next update after it is proven; new answers
    /// show it at once.
    @Test(arguments: [5, 10, 30]) func whatAnAnswerLacksIsOwed(asked: Int) throws {
        let served = ServedBook("X", isLinked: false, levelCountMax: 100)
        let shallow = source(at: 7, levelCount: 10, limit: 10)
        #expect(served.resume(shallow.book) == .began)
        var snapshot = DepthSnapshot()
        #expect(served.answer(&snapshot, limit: asked) == min(asked, 10))
        var client = NaiveClient(snapshot, asked: asked)
        let deep = source(at: 7, levelCount: 20, limit: nil)
        served.deepen(deep.book)
        #expect(served.fill(&snapshot, limit: 50) == 50 && snapshot.bids.count == 20)
        let next = update(8, bids: [PriceLevel(4_999, 3)])
        try deep.book.apply(next)
        // Who got what it asked for is owed nothing, unless it may know as far as we did.
        #expect(served.isOwing == (asked > 10))
        let leadsOn = served.continues(next)
        #expect(leadsOn, "what is owed makes no hole")
        if served.pass(next) {
            client.apply(next)
        } else {
            #expect(served.resume(deep.book) == .bridged && served.bridge.bids.count == 11)
            client.apply(served.bridge)
        }
        for side in Side.allCases {
            let own = client.levels(side, within: .unbounded)
            #expect(own == Array(deep.book.levels(side).prefix(asked > 10 ? 20 : asked)))
        }
        #expect(!served.isOwing)
    }

    /// Beyond what is proven of a new book nothing is said of what clients hold, and it is corrected as soon
    /// as it is known.
    @Test func aBridgeLeavesAloneWhatIsNotProven() throws {
        let served = ServedBook("X", isLinked: true, levelCountMax: 100)
        #expect(served.resume(source(at: 7, levelCount: 20, limit: 20).book) == .began)
        var snapshot = DepthSnapshot()
        _ = served.answer(&snapshot, limit: 20)
        var client = NaiveClient(snapshot, asked: 20)
        served.pause()
        let shallow = source(at: 9, levelCount: 5, limit: 5, quantity: 2)
        #expect(served.resume(shallow.book) == .bridged)
        #expect(served.bridge.bids.count == 5 && served.bridge.asks.count == 5)
        #expect(served.bridge.first == UpdateID(7) && served.bridge.previousLast == UpdateID(7))
        client.apply(served.bridge)
        #expect(client.book.levels(.bid).count == 20)
        #expect(served.fill(&snapshot, limit: 20) == 5 && snapshot.asks.count == 5)
        let deep = source(at: 9, levelCount: 15, limit: nil, quantity: 2)
        served.deepen(deep.book)
        #expect(served.isOwing)
        // Answers at this id know more than the stream has told.
        #expect(served.fill(&snapshot, limit: 20) == 20 && snapshot.bids.count == 15)
        #expect(client.book.levels(.bid) != served.book.levels(.bid))
        var next = update(10, bids: [PriceLevel(4_999, 3)])
        next.previousLast = UpdateID(9)
        try deep.book.apply(next)
        #expect(!served.pass(next) && served.resume(deep.book) == .bridged)
        client.apply(served.bridge)
        for side in Side.allCases { #expect(client.book.levels(side) == deep.book.levels(side)) }
    }

    /// Levels far away that come and come are removed from the clients' books too.
    @Test func whatIsForgottenHereIsRemovedThere() throws {
        let source = source(at: 7, levelCount: 10, limit: nil, levelCountMax: 32)
        let served = ServedBook("X", isLinked: false, levelCountMax: 32)
        #expect(served.resume(source.book) == .began)
        var snapshot = DepthSnapshot()
        _ = served.answer(&snapshot, limit: 100)
        var client = NaiveClient(snapshot, asked: 100)
        var bridgeCount = 0
        for id in Int64(8)..<200 {
            let next = update(id, bids: [PriceLevel(4_980 - id, 1)])
            try source.book.apply(next)
            if served.pass(next) {
                client.apply(next)
            } else {
                #expect(served.resume(source.book) == .bridged)
                client.apply(served.bridge)
                bridgeCount += 1
            }
            #expect(client.book.levels(.bid) == served.book.levels(.bid))
            #expect(client.book.levels(.bid).count <= 64)
        }
        #expect(bridgeCount > 2 && bridgeCount < 20)
    }

    /// A source that learns more decimals is the same book.
    @Test func moreDecimalsAreNoOtherBook() throws {
        let served = ServedBook("X", isLinked: false, levelCountMax: 100)
        let source = source(at: 7, levelCount: 10, limit: 10)
        #expect(served.resume(source.book) == .began)
        served.pause()
        let isWidened = source.book.widen(to: SymbolScales(priceDecimals: 2, quantityDecimals: 1))
        #expect(isWidened)
        #expect(served.resume(source.book) == .unchanged)
        #expect(served.promises.bids.claimed == .to(Price(499_000)))
    }
}
