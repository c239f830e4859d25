import BinanceVenue
import BookEngine
import DepthBook
import LobHandoff
import MarketData
import Testing

private let btc = SymbolName("BTCUSDT")

@Suite struct TopOfBookTests {
    @Test func itHas64Bytes() {
        #expect(MemoryLayout<TopOfBook>.size == 64)
        #expect(MemoryLayout<TopOfBook>.stride == 64)
    }

    /// What both mailboxes hold, taken one after the other on the engine's thread.
    private static func expectEqual(
        _ engine: borrowing BookEngine, at location: SourceLocation = #_sourceLocation
    ) {
        var view = BookView()
        var top = TopOfBook()
        let viewReading = engine.views(of: btc)!.read(into: &view)
        let topReading = engine.tops(of: btc)!.read(into: &top)
        #expect(viewReading == topReading, sourceLocation: location)
        #expect(top == TopOfBook(view), sourceLocation: location)
        #expect(top.bestBid == view.bestBid && top.bestAsk == view.bestAsk, sourceLocation: location)
        #expect(top.updateID == view.lastUpdateID, sourceLocation: location)
        #expect(top.state == view.state && top.reason == view.reason, sourceLocation: location)
        #expect(top.checkedAtNs == view.checkedAtNs, sourceLocation: location)
        #expect(top.receivedAtNs == view.receivedAtNs, sourceLocation: location)
        #expect(top.scales == view.scales, sourceLocation: location)
    }

    @Test func itSaysWhatTheViewOfItsVersionSays() {
        var h = EngineHarness()
        Self.expectEqual(h.engine)
        h.goLive()
        Self.expectEqual(h.engine)
        for id in 11...60 {
            h.update(id, id, bids: ["\(id % 7 + 1).0:\(id % 3).0"], asks: ["\(id % 5 + 11).0:\(id % 2).0"])
            Self.expectEqual(h.engine)
        }
        h.update(70, 71)
        Self.expectEqual(h.engine)
        h.frame(.disconnected)
        Self.expectEqual(h.engine)
    }

    @Test func whatIsNotProvenIsNil() {
        var view = BookView()
        #expect(TopOfBook(view).bestBid == nil && TopOfBook(view).bestAsk == nil)
        view.bids[0] = PriceLevel(100, 5)
        view.asks[0] = PriceLevel(101, 6)
        (view.bidCount, view.askCount) = (1, 1)
        (view.provenBids, view.provenAsks) = (.to(Price(101)), .unbounded)
        #expect(TopOfBook(view).bestBid == nil)
        #expect(TopOfBook(view).bestAsk == PriceLevel(101, 6))
        view.provenBids = .to(Price(100))
        #expect(TopOfBook(view).bestBid == PriceLevel(100, 5))
    }

    /// A bell is rung once for a batch, and only if something is new.
    @Test func theBellIsRungOncePerBatch() {
        let bell = Bell()
        var engine = BookEngine(EngineConfiguration(rules: Market.spot.rules), bell: bell)
        engine.addSymbol(btc)
        engine.publish()
        var waiter = LatestValueWaiter(engine.views(of: btc)!, bell: bell, room: BookView())
        let first = waiter.next(timeout: .zero)
        #expect(first?.state == .syncing)
        engine.publish()
        let none = waiter.next(timeout: .zero)
        #expect(none == nil)
        engine.connect(receivedAtNs: 1)
        let body = Array(#"{"lastUpdateId":9,"bids":[["9.0","1.0"]],"asks":[["10.0","1.0"]]}"#.utf8)
        engine.receiveSnapshot(body.span, of: btc, limit: 5, receivedAtNs: 2)
        let update = Array(#"{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":10,"u":10,"b":[],"a":[]}"#.utf8)
        engine.receive(update.span, receivedAtNs: 3)
        engine.publish()
        let last = waiter.next()
        #expect(last?.state == .live && last?.lastUpdateID == UpdateID(10))
    }
}
