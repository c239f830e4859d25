// The layouts that readers in other languages rely on, field by field against the C header.

import CLobKernels
import MarketData
import Testing

@testable import DepthBook

@Suite struct LayoutTests {
    @Test func theTopIsAsTheHeaderSays() {
        #expect(MemoryLayout<TopOfBook>.size == MemoryLayout<lob_top>.size)
        #expect(MemoryLayout<TopOfBook>.stride == 64)
        let fields: [(String, Int?, Int?)] = [
            ("bid", MemoryLayout<TopOfBook>.offset(of: \.bid), MemoryLayout<lob_top>.offset(of: \.bid)),
            ("ask", MemoryLayout<TopOfBook>.offset(of: \.ask), MemoryLayout<lob_top>.offset(of: \.ask)),
            (
                "id", MemoryLayout<TopOfBook>.offset(of: \.updateID),
                MemoryLayout<lob_top>.offset(of: \.update_id)
            ),
            (
                "checked", MemoryLayout<TopOfBook>.offset(of: \.checkedAtNs),
                MemoryLayout<lob_top>.offset(of: \.checked_at_ns)
            ),
            (
                "received", MemoryLayout<TopOfBook>.offset(of: \.receivedAtNs),
                MemoryLayout<lob_top>.offset(of: \.received_at_ns)
            ),
            (
                "scales", MemoryLayout<TopOfBook>.offset(of: \.scales),
                MemoryLayout<lob_top>.offset(of: \.price_decimals)
            ),
            ("state", MemoryLayout<TopOfBook>.offset(of: \.state), MemoryLayout<lob_top>.offset(of: \.state)),
            (
                "reason", MemoryLayout<TopOfBook>.offset(of: \.reason),
                MemoryLayout<lob_top>.offset(of: \.reason)
            ),
            (
                "knows bid", MemoryLayout<TopOfBook>.offset(of: \.knowsBid),
                MemoryLayout<lob_top>.offset(of: \.knows_bid)
            ),
            (
                "knows ask", MemoryLayout<TopOfBook>.offset(of: \.knowsAsk),
                MemoryLayout<lob_top>.offset(of: \.knows_ask)
            ),
            (
                "version", MemoryLayout<TopOfBook>.offset(of: \.layoutVersion),
                MemoryLayout<lob_top>.offset(of: \.version)
            ),
        ]
        for (name, ours, theirs) in fields { #expect(ours != nil && ours == theirs, "\(name)") }
    }

    @Test func theViewIsAsTheHeaderSays() {
        #expect(MemoryLayout<BookView>.size == MemoryLayout<lob_book_view>.size)
        typealias C = lob_book_view
        let fields: [(String, Int?, Int?)] = [
            ("symbol", MemoryLayout<BookView>.offset(of: \.symbol), MemoryLayout<C>.offset(of: \.symbol)),
            (
                "id", MemoryLayout<BookView>.offset(of: \.lastUpdateID),
                MemoryLayout<C>.offset(of: \.last_update_id)
            ),
            (
                "time", MemoryLayout<BookView>.offset(of: \.eventTimeUs),
                MemoryLayout<C>.offset(of: \.event_time_us)
            ),
            (
                "received", MemoryLayout<BookView>.offset(of: \.receivedAtNs),
                MemoryLayout<C>.offset(of: \.received_at_ns)
            ),
            (
                "checked", MemoryLayout<BookView>.offset(of: \.checkedAtNs),
                MemoryLayout<C>.offset(of: \.checked_at_ns)
            ),
            ("lag", MemoryLayout<BookView>.offset(of: \.lagNs), MemoryLayout<C>.offset(of: \.lag_ns)),
            (
                "bid range", MemoryLayout<BookView>.offset(of: \.provenBidPrice),
                MemoryLayout<C>.offset(of: \.proven_bid_price)
            ),
            (
                "ask range", MemoryLayout<BookView>.offset(of: \.provenAskPrice),
                MemoryLayout<C>.offset(of: \.proven_ask_price)
            ),
            (
                "scales", MemoryLayout<BookView>.offset(of: \.scales),
                MemoryLayout<C>.offset(of: \.price_decimals)
            ),
            ("state", MemoryLayout<BookView>.offset(of: \.state), MemoryLayout<C>.offset(of: \.state)),
            ("reason", MemoryLayout<BookView>.offset(of: \.reason), MemoryLayout<C>.offset(of: \.reason)),
            ("bids", MemoryLayout<BookView>.offset(of: \.bidCount), MemoryLayout<C>.offset(of: \.bid_count)),
            ("asks", MemoryLayout<BookView>.offset(of: \.askCount), MemoryLayout<C>.offset(of: \.ask_count)),
            (
                "bid kind", MemoryLayout<BookView>.offset(of: \.provenBidKind),
                MemoryLayout<C>.offset(of: \.proven_bid_kind)
            ),
            (
                "ask kind", MemoryLayout<BookView>.offset(of: \.provenAskKind),
                MemoryLayout<C>.offset(of: \.proven_ask_kind)
            ),
            (
                "version", MemoryLayout<BookView>.offset(of: \.layoutVersion),
                MemoryLayout<C>.offset(of: \.version)
            ),
            ("bid levels", MemoryLayout<BookView>.offset(of: \.bids), MemoryLayout<C>.offset(of: \.bids)),
            ("ask levels", MemoryLayout<BookView>.offset(of: \.asks), MemoryLayout<C>.offset(of: \.asks)),
        ]
        for (name, ours, theirs) in fields { #expect(ours != nil && ours == theirs, "\(name)") }
    }

    /// What the numbers mean, read as C would.
    @Test func valuesReadAsTheHeaderSays() {
        var view = BookView()
        view.symbol = "BTCUSDT"
        view.lastUpdateID = UpdateID(77)
        view.state = .live
        view.scales = SymbolScales(priceDecimals: 2, quantityDecimals: 5)
        view.bidCount = 1
        view.askCount = 1
        view.bids[0] = PriceLevel(6_000_000, 12)
        view.asks[0] = PriceLevel(6_000_001, 34)
        view.provenBids = .to(Price(5_900_000))
        view.provenAsks = .unbounded
        let read = withUnsafeBytes(of: view) { $0.loadUnaligned(as: lob_book_view.self) }
        #expect(read.symbol.0 == UInt8(ascii: "B") && read.symbol.47 == 7)
        #expect(read.last_update_id == 77 && read.state == UInt8(LOB_LIVE))
        #expect(read.price_decimals == 2 && read.quantity_decimals == 5)
        #expect(read.proven_bid_kind == UInt8(LOB_PROVEN_TO) && read.proven_bid_price == 5_900_000)
        #expect(read.proven_ask_kind == UInt8(LOB_PROVEN_UNBOUNDED))
        #expect(read.bids.0.price == 6_000_000 && read.asks.0.quantity == 34)
        #expect(read.version == UInt16(LOB_LAYOUT_VERSION))
        let top = withUnsafeBytes(of: TopOfBook(view)) { $0.loadUnaligned(as: lob_top.self) }
        #expect(top.bid.price == 6_000_000 && top.ask.quantity == 34 && top.update_id == 77)
        #expect(top.knows_bid == 1 && top.knows_ask == 1 && top.version == read.version)
        for range in [ProvenRange.nothing, .to(Price(.max)), .to(Price(0)), .unbounded] {
            view.provenBids = range
            view.provenAsks = .nothing
            #expect(view.provenBids == range && view.provenAsks == .nothing)
        }
    }
}
