import MarketData
import Testing

@testable import DepthBook

/// Which views and tops tell a reader nothing new.
@Suite struct ShowsSameTests {
    private static let view: BookView = {
        var view = BookView()
        (view.symbol, view.lastUpdateID, view.checkedAtNs) = ("BTCUSDT", UpdateID(9), 5)
        (view.eventTimeUs, view.receivedAtNs, view.lagNs, view.state) = (3, 4, 2, .live)
        (view.bidCount, view.askCount) = (2, 1)
        (view.bids[0], view.bids[1], view.asks[0]) = (
            PriceLevel(90, 1), PriceLevel(80, 2), PriceLevel(100, 3)
        )
        (view.provenBids, view.provenAsks) = (.to(Price(80)), .unbounded)
        return view
    }()

    private static let news: [@Sendable (inout BookView) -> Void] = [
        { $0.symbol = "ETHUSDT" }, { $0.lastUpdateID = UpdateID(10) }, { $0.eventTimeUs = 4 },
        { $0.receivedAtNs = 5 }, { $0.lagNs = 3 }, { $0.state = .stale }, { $0.reason = .behind },
        { $0.bidCount = 1 }, { $0.askCount = 2 }, { $0.bids[1] = PriceLevel(80, 3) },
        { $0.asks[0] = PriceLevel(99, 3) }, { $0.provenBids = .unbounded },
        { $0.scales = SymbolScales(priceDecimals: 1, quantityDecimals: 0) },
    ]

    @Test func aRenewedProofIsNoNews() {
        var renewed = Self.view
        renewed.checkedAtNs = 6
        renewed.bids[5] = PriceLevel(7, 7)  // behind the last level: nothing
        #expect(renewed.showsSame(as: Self.view) && Self.view.showsSame(as: renewed))
        #expect(TopOfBook(renewed).showsSame(as: TopOfBook(Self.view)))
        #expect(TopOfBook(renewed) != TopOfBook(Self.view))
    }

    @Test(arguments: 0..<news.count) func everythingElseIs(_ index: Int) {
        var changed = Self.view
        Self.news[index](&changed)
        #expect(!changed.showsSame(as: Self.view) && !Self.view.showsSame(as: changed))
    }

    @Test func aTopShowsLess() {
        var deeper = Self.view
        deeper.bids[1] = PriceLevel(80, 3)
        #expect(TopOfBook(deeper).showsSame(as: TopOfBook(Self.view)))
        deeper.bids[0] = PriceLevel(90, 2)
        #expect(!TopOfBook(deeper).showsSame(as: TopOfBook(Self.view)))
    }
}
