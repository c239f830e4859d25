// Where gaps are passed on: who sees one takes a new snapshot, and who sees none must not keep wrong levels.

import DepthBook
import LobTransport
import MarketData
import Testing
import VenueSupport

@testable import BookServer

@Suite struct GapChainTests {
    /// A source at an id with these levels: all there are, or the best of them.
    private func source(
        at id: Int64, bids: [PriceLevel], asks: [PriceLevel] = [PriceLevel(11, 1)], limit: Int? = nil
    ) -> SourceBook {
        var snapshot = DepthSnapshot()
        snapshot.scales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)
        snapshot.lastUpdateID = UpdateID(id)
        snapshot.bids.assign(bids)
        snapshot.asks.assign(asks)
        let source = SourceBook(levelCountMax: 100)
        source.book.load(snapshot, limit: limit)
        return source
    }

    /// An update of one side; `previous` is the one before it.
    private func update(
        _ first: Int64, _ last: Int64, previous: Int64? = nil, bids: [PriceLevel] = []
    ) -> DepthUpdate {
        var update = DepthUpdate()
        (update.first, update.last) = (UpdateID(first), UpdateID(last))
        update.previousLast = previous.map { UpdateID($0) }
        if !bids.isEmpty { update.scales = SymbolScales(priceDecimals: 0, quantityDecimals: 0) }
        update.bids.assign(bids)
        return update
    }

    /// A book at 100, which has just been lost.
    private func paused(isLinked: Bool) -> ServedBook {
        let served = ServedBook("X", isLinked: isLinked, levelCountMax: 100)
        #expect(served.resume(source(at: 100, bids: [PriceLevel(9, 1), PriceLevel(8, 1)]).book) == .began)
        served.pause()
        return served
    }

    /// Whether those who get updates as they come are wrong, once the source is back.
    private func isWrong(_ served: ServedBook, at source: SourceBook) -> Bool {
        #expect(served.resume(source.book) == .bridged)
        return served.keepBridge()
    }

    /// What went on without a gap leads to the book, or does not.
    @Test(arguments: [false, true]) func correctionsAreMissed(isLinked: Bool) {
        let table: [(bids: [PriceLevel], asks: [PriceLevel], isWrong: Bool)] = [
            ([PriceLevel(9, 2), PriceLevel(8, 1)], [PriceLevel(11, 1)], false),
            // A level that was wrong before, one that an update has set, one that nobody has sent.
            ([PriceLevel(9, 2), PriceLevel(8, 3)], [PriceLevel(11, 1)], true),
            ([PriceLevel(9, 1), PriceLevel(8, 1)], [PriceLevel(11, 1)], true),
            ([PriceLevel(9, 2), PriceLevel(8, 1)], [PriceLevel(11, 1), PriceLevel(12, 1)], true),
            ([PriceLevel(9, 2)], [PriceLevel(11, 1)], true),
        ]
        for row in table {
            let served = paused(isLinked: isLinked)
            served.passGap(update(101, 105, previous: 100, bids: [PriceLevel(9, 2)]))
            served.passGap(update(106, 110, previous: 105))
            #expect(isWrong(served, at: source(at: 110, bids: row.bids, asks: row.asks)) == row.isWrong)
            #expect(served.ids.last == UpdateID(110))
        }
    }

    /// Who sees a gap, before the book is back or after, takes a new snapshot.
    @Test(arguments: [false, true]) func gapsAreSeen(isLinked: Bool) {
        let bids = [PriceLevel(9, 5)]
        let early = paused(isLinked: isLinked)
        early.passGap(update(103, 105, previous: 102))
        early.passGap(update(106, 110, previous: 105))
        #expect(!isWrong(early, at: source(at: 110, bids: bids)))
        // The book is further than they are: the next update shows it.
        let late = paused(isLinked: isLinked)
        late.passGap(update(101, 105, previous: 100))
        #expect(!isWrong(late, at: source(at: 108, bids: bids)))
        let isTaken = late.pass(update(109, 110, previous: 108))
        #expect(isTaken)
        late.pause()
        late.passGap(update(111, 112, previous: 110, bids: [PriceLevel(9, 6)]))
        #expect(!isWrong(late, at: source(at: 112, bids: [PriceLevel(9, 6)])), "all is even again")
        // An update around the id of the book chains on, and what was kept back before it is still missed.
        let around = paused(isLinked: true)
        #expect(!isWrong(around, at: source(at: 105, bids: bids)))
        around.passGap(update(101, 110, previous: 100, bids: [PriceLevel(9, 6)]))
        #expect(isWrong(around, at: source(at: 110, bids: [PriceLevel(9, 6)])), "the bid at 8")
    }

    /// A book that is proven less far is news to whoever follows it as this package does, if it is another
    /// one. After a mere pause what lies beyond is as right as before.
    @Test(arguments: [true, false]) func narrowerBooksAreMissed(isLost: Bool) {
        let served = paused(isLinked: false)
        served.sourceWasLost = isLost
        served.passGap(update(101, 105, bids: [PriceLevel(9, 2)]))
        let bids = [PriceLevel(9, 2), PriceLevel(8, 1)]
        #expect(isWrong(served, at: source(at: 105, bids: bids, limit: 1)) == isLost)
        #expect(!served.sourceWasLost)
    }

    /// More than is remembered counts as a contradiction.
    @Test func memoryIsBounded() {
        let served = paused(isLinked: false)
        // They change nothing.
        served.passGap(update(101, 105, bids: (0..<300).map { PriceLevel(1_000 + Int64($0), 0) }))
        #expect(isWrong(served, at: source(at: 105, bids: [PriceLevel(9, 1), PriceLevel(8, 1)])))
    }
}

extension ServerTests {
    /// Updates went on without a gap while the book was corrected: who gets them as they come is sent away.
    @Test func whoSeesNoGapStartsOver() throws {
        let server = try DrivenServer { $0.passesGaps = true }
        defer { server.stop() }
        server.begin()
        let port = server.machine.port
        let raw = try server.stack.listen("/ws/sim0usdt@depth@100ms", port: port)
        let summed = try server.stack.listen("/ws/sim0usdt@depth@1000ms", port: port)
        server.drive("updates") { !raw.texts.isEmpty && !summed.texts.isEmpty }
        let book = server.machine.book(0)
        book.pause()
        var update = DepthUpdate()
        (update.symbol, update.first) = (book.symbol, UpdateID(book.ids.last.value + 1))
        update.last = UpdateID(book.ids.last.value + 2)
        server.machine.gap(0, update)
        var snapshot = DepthSnapshot()
        (snapshot.symbol, snapshot.lastUpdateID) = (book.symbol, update.last)
        snapshot.scales = book.book.scales
        let best = (bid: book.book.bestBid, ask: book.book.bestAsk)
        let bid = try #require(best.bid)
        let ask = try #require(best.ask)
        snapshot.bids.assign([PriceLevel(price: bid.price, quantity: Quantity(bid.quantity.mantissa + 1))])
        snapshot.asks.assign([ask])
        var source = OrderBook()
        source.load(snapshot, limit: nil)
        #expect(book.resume(source) == .bridged)
        server.machine.bridged(0)
        #expect(server.machine.counters.brokenCount == 1)
        server.drive("ended") { raw.end != nil }
        #expect(raw.end?.peerCode == 1001 && summed.end == nil)
    }
}
