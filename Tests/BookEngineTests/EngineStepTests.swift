import BinanceVenue
import DepthBook
import LobHandoff
import MarketData
import TestSupport
import Testing

@testable import BookEngine

private let btc = SymbolName("BTCUSDT")

@Suite struct EngineStepTests {
    @Test func fromConnectionToLive() {
        var h = EngineHarness()
        #expect(h.requests().isEmpty)
        h.frame(.connected)
        #expect(h.requests() == [.ask(btc, .initial, attempt: 0)])
        h.update(5, 6, bids: ["9.0:1.0"])
        h.update(7, 8, asks: ["10.0:4.0"])
        #expect(h.status().state == .syncing)
        h.snapshot(6, bids: ["9.0:1.0"], asks: ["10.0:3.0", "11.0:1.0"])
        let status = h.status()
        #expect(status.state == .live)
        #expect(status.lastUpdateID == UpdateID(8))
        #expect(h.book(.ask) == ["10.0:4.0", "11.0:1.0"])
        h.update(9, 9, bids: ["9.5:2.0"])
        #expect(h.book(.bid) == ["9.5:2.0", "9.0:1.0"])
        let c = h.status().counters
        #expect(c.applied == 2 && c.buffered == 2 && c.snapshots == 1 && c.gaps == 0 && c.resyncs == 0)
    }

    @Test func snapshotOlderThanTheFirstUpdateIsAskedForAgain() {
        var h = EngineHarness()
        h.frame(.connected)
        _ = h.requests()
        h.update(5, 6)
        h.snapshot(3, bids: ["1.0:1.0"], asks: ["2.0:1.0"])
        #expect(h.requests() == [.ask(btc, .initial, attempt: 1)])
        h.snapshotFailed()
        #expect(h.requests() == [.ask(btc, .initial, attempt: 2)])
        h.snapshot(4, bids: ["1.0:1.0"], asks: ["2.0:1.0"])
        #expect(h.status().state == .live)
        #expect(h.status().counters.snapshotsTooOld == 1)
        #expect(h.status().counters.snapshotsFailed == 1)
    }

    @Test func aGapIsStaleUntilTheNextSnapshotAndTouchesNoOtherSymbol() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.update(12, 12, bids: ["9.0:7.0"])
        #expect(h.status().state == .stale && h.status().reason == .gap)
        #expect(h.book(.bid).first == "9.0:1.0")
        #expect(h.requests() == [.ask(btc, .resync, attempt: 0)])
        h.update(11, 11, bids: ["9.0:3.0"], symbol: "ETHUSDT")
        #expect(h.status("ETHUSDT").state == .live)
        h.update(13, 13, bids: ["8.5:1.0"])
        h.snapshot(12, bids: ["9.0:7.0"], asks: ["10.0:1.0"])
        #expect(h.status().state == .live)
        #expect(h.book(.bid) == ["9.0:7.0", "8.5:1.0"])
        let c = h.status().counters
        #expect(c.gaps == 1 && c.resyncs == 1)
    }

    @Test func anUnreadableMessageIsADoubtUntilTheNextUpdate() {
        var h = EngineHarness()
        h.goLive()
        h.message(
            "{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":11,\"u\":11,"
                + "\"b\":[[\"9.0\",\"-1\"]],\"a\":[]}"
        )
        #expect(h.engine.counters.malformed == 1)
        #expect(h.engine.lastParseError != nil)
        #expect(h.status().state == .stale && h.status().reason == .unreadable)
        h.update(12, 12)
        #expect(h.status().reason == .gap)
    }

    @Test func reconnectWithoutLossNeedsOnlyAProof() {
        var h = EngineHarness()
        h.goLive()
        h.frame(.disconnected)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
        h.source = 2
        h.frame(.connected)
        #expect(h.requests() == [.ask(btc, .resync, attempt: 0)])
        h.update(11, 12, bids: ["9.0:5.0"])
        #expect(h.status().reason == .disconnected)
        h.snapshot(12, bids: ["9.0:5.0"], asks: ["10.0:1.0"], limit: 1)
        #expect(h.status().state == .live && h.book(.bid) == ["9.0:5.0", "8.0:2.0"])
        h.frame(.disconnected)
        h.source = 3
        h.frame(.connected)
        #expect(h.requests() == [.ask(btc, .resync, attempt: 0)])
        h.update(14, 15)
        #expect(h.status().state == .stale)
        #expect(h.requests() == [.ask(btc, .resync, attempt: 0)])
    }

    @Test func aReplacementConnectionTakesOverByID() {
        var h = EngineHarness()
        h.goLive()
        h.frame(.connected, source: 2)
        // Ahead of the book: not used yet, and no gap.
        h.update(13, 14, source: 2)
        #expect(h.status().state == .live)
        h.update(11, 12, source: 1)
        h.update(12, 13, bids: ["9.0:4.0"], source: 2)
        #expect(h.status().lastUpdateID == UpdateID(13))
        // The old connection counts no more, whatever it says, and its end costs nothing.
        h.update(20, 21, source: 1)
        h.frame(.disconnected, source: 1)
        #expect(h.status().state == .live)
        h.update(14, 14, source: 2)
        #expect(h.status().lastUpdateID == UpdateID(14))
        #expect(h.status().counters.gaps == 0)
    }

    /// The newer connection is always a little later than the older one: the symbol moves over all the same,
    /// and the end of the older one costs nothing.
    @Test(arguments: [Market.spot, .usdm]) func handsOverToASlowerConnection(_ market: Market) {
        var h = EngineHarness(market)
        func update(_ id: Int, _ source: UInt16) {
            h.source = source
            market == .spot ? h.update(id, id) : h.futuresUpdate(id * 10 - 10, id * 10 - 3, id * 10)
        }
        h.frame(.connected, source: 1)
        update(9, 1)
        h.snapshot(market == .spot ? 9 : 90, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        update(10, 1)
        h.frame(.connected, source: 2)
        update(11, 1)
        update(10, 2)  // behind the book: not used
        update(12, 1)
        update(12, 2)  // where the book is: used from here on
        update(13, 1)
        #expect(h.status().lastUpdateID == UpdateID(market == .spot ? 12 : 120))
        update(13, 2)
        h.frame(.disconnected, source: 1)
        update(14, 2)
        #expect(h.status().state == .live && h.status().counters.resyncs == 0)
        #expect(h.status().lastUpdateID == UpdateID(market == .spot ? 14 : 140))
        #expect(h.status().counters.gaps == 0)
    }

    /// A symbol without an update while two connections deliver it keeps its trust when the older one ends as
    /// planned, and what follows is judged as ever.
    @Test(arguments: [true, false]) func aPlannedEndCostsAQuietBookNothing(_ follows: Bool) {
        var h = EngineHarness()
        h.goLive()
        h.frame(.connected, source: 2)
        h.frame(.retired, source: 1)
        #expect(h.status().state == .live && h.status().counters.resyncs == 0 && h.requests() == [])
        h.update(follows ? 11 : 12, 12, source: 2)
        #expect(h.status().state == (follows ? .live : .stale))
        #expect(h.status().counters.gaps == (follows ? 0 : 1))
    }

    /// The newer connection has shown an update that the older one never brought.
    @Test func aPlannedEndDoesNotHideAnUpdate() {
        var h = EngineHarness()
        h.goLive()
        h.frame(.connected, source: 2)
        h.update(12, 13, source: 2)
        h.frame(.retired, source: 1)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
    }

    /// Without another connection there is nothing to hand over to.
    @Test func aPlannedEndOfTheOnlyConnectionIsAnEnd() {
        var h = EngineHarness()
        h.goLive()
        h.frame(.retired, source: 1)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
    }

    /// The calls for whoever has no ring, from a failed snapshot to a planned renewal.
    @Test func callsInsteadOfFrames() {
        var engine = BookEngine(EngineConfiguration(rules: Market.spot.rules))
        func requests() -> [String] {
            var requests: [String] = []
            engine.takeRequests { requests.append("\($0)") }
            return requests
        }
        func update(_ first: Int, _ last: Int) -> [UInt8] {
            Array(#"{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":\#(first),"u":\#(last),"b":[],"a":[]}"#.utf8)
        }
        engine.addSymbol(btc)
        engine.connect(source: 1, receivedAtNs: 0)
        #expect(requests() == ["snapshot of BTCUSDT, initial"])
        engine.snapshotFailed(of: btc, receivedAtNs: 1)
        #expect(requests() == ["snapshot of BTCUSDT, initial, after 1 in vain"])
        engine.receive(update(8, 9).span, source: 1, receivedAtNs: 2)
        let body = Array(#"{"lastUpdateId":9,"bids":[["9.0","1.0"]],"asks":[["10.0","1.0"]]}"#.utf8)
        engine.receiveSnapshot(body.span, of: btc, limit: 5, receivedAtNs: 3)
        engine.receive(update(10, 10).span, source: 1, receivedAtNs: 4)
        engine.connect(source: 2, receivedAtNs: 5)
        engine.retire(source: 1, receivedAtNs: 6)
        engine.tick(receivedAtNs: 7)
        #expect(engine.status(btc)!.state == .live && requests() == [])
        engine.receive(update(11, 11).span, source: 2, receivedAtNs: 8)
        #expect(engine.status(btc)!.lastUpdateID == UpdateID(11))
        engine.disconnect(source: 2, receivedAtNs: 9)
        #expect(engine.status(btc)!.state == .stale && engine.status(btc)!.reason == .disconnected)
    }

    @Test func aCrossedBookIsRebuilt() {
        var h = EngineHarness()
        h.goLive()
        h.update(11, 11, bids: ["10.5:1.0"])
        #expect(h.status().state == .stale && h.status().reason == .crossed)
        #expect(h.requests() == [.ask(btc, .resync, attempt: 0)])
    }

    /// More decimals are the same numbers; the widest seen are kept. Only what does not fit is asked for
    /// anew.
    @Test func otherDecimalsWidenTheBook() {
        var h = EngineHarness()
        h.goLive()
        h.update(11, 11, bids: ["9.01:1.0"])
        #expect(h.status().state == .live && h.book(.bid) == ["9.01:1.0", "9.00:1.0", "8.00:2.0"])
        h.update(12, 12, bids: ["8:0", "7:1.25"], asks: ["10.5:1"])
        #expect(h.book(.bid) == ["9.01:1.00", "9.00:1.00", "7.00:1.25"])
        #expect(h.book(.ask) == ["10.00:1.00", "10.50:1.00", "11.00:2.00"])
        #expect(h.status().state == .live && h.requests().isEmpty)
        h.update(13, 13, bids: ["0.000000000000000001:1.0"])
        #expect(h.status().reason == .rescale)
        #expect(h.requests() == [.ask(btc, .resync, attempt: 0)])
    }

    @Test func futuresFollowTheLink() {
        var h = EngineHarness(.usdm)
        h.frame(.connected)
        h.futuresUpdate(90, 95, 100, bids: ["9.0:1.0"])
        h.futuresUpdate(100, 130, 140, bids: ["9.0:2.0"])
        h.snapshot(100, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(140))
        h.futuresUpdate(140, 170, 180, asks: ["10.0:0.0", "10.5:1.0"])
        #expect(h.status().state == .live)
        h.futuresUpdate(181, 185, 190)
        #expect(h.status().reason == .gap)
    }

    @Test func bufferedMessagesAreBounded() {
        var h = EngineHarness { $0.bufferBytesMax = 1000 }
        h.frame(.connected)
        for id in 1...20 { h.update(id, id, bids: ["9.0:1.0"]) }
        #expect(h.status().counters.bufferOverflows > 0)
        #expect(h.status().bufferedBytes <= 1000)
        _ = h.requests()
        h.snapshot(20, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        h.update(21, 21)
        #expect(h.status().state == .live)
    }

    @Test func unknownSymbolsAreCountedOrAddedUpToTheLimit() {
        var h = EngineHarness()
        h.frame(.connected)
        h.update(1, 1, symbol: "XYZ")
        #expect(h.engine.counters.unknownSymbol == 1)
        var open = EngineHarness(symbols: []) {
            $0.addsUnknownSymbols = true
            $0.symbolCountMax = 2
        }
        open.frame(.connected)
        for symbol in ["A", "B", "C"] { open.update(1, 1, symbol: symbol) }
        #expect(open.engine.symbols.map(\.description) == ["A", "B"])
        #expect(open.engine.counters.unknownSymbol == 1)
        #expect(open.requests().count == 2)
    }

    @Test func viewsAppearInTheMailbox() {
        var h = EngineHarness()
        let reader = h.engine.views(of: btc)!
        h.goLive()
        var view = BookView()
        #expect(reader.read(into: &view) == .new(version: reader.version))
        #expect(
            view.state == .live && view.bestBid == PriceLevel(90, 10) && view.bestAsk == PriceLevel(100, 10))
        #expect(view.provenBids == .unbounded)
        let version = reader.version
        h.message("{\"e\":\"trade\"}")
        #expect(reader.version == version)
        h.frame(.disconnected)
        #expect(reader.read(into: &view) == .new(version: version + 1))
        #expect(view.state == .stale && view.reason == .disconnected)
    }

    @Test func conflatedViewsAppearWhenAskedFor() {
        var h = EngineHarness { $0.publication = .conflated }
        let reader = h.engine.views(of: btc)!
        h.goLive()
        for id in 11...30 { h.update(id, id, bids: ["9.0:\(id).0"]) }
        #expect(reader.version == 0)
        h.engine.publish()
        #expect(reader.version == 1)
    }

    @Test func statusAppearsWithTheTickAndNotBefore() {
        var h = EngineHarness { $0.statusEveryNs = 1_000_000_000 }
        let statuses = h.engine.statuses(of: btc)!
        let counters = h.engine.counterReadings()
        h.goLive()
        #expect(statuses.version == 0)
        var status = SymbolStatus(btc)
        for second in 1...3 {
            h.nowNs = Int64(second) * 1_000_000_000
            h.frame(.tick)
            h.nowNs += 999_999_999
            h.frame(.tick)
            #expect(statuses.read(into: &status) == .new(version: UInt64(second)))
        }
        let own = h.status()
        #expect(status.state == .live && status.lastUpdateID == own.lastUpdateID)
        #expect(status.counters == own.counters && status.provenBidCount == own.provenBidCount)
        var totals = EngineCounters()
        #expect(counters.read(into: &totals) == .new(version: 3))
        #expect(totals.frames == h.engine.counters.frames - 1)
    }

    @Test func steadyStateAllocatesNothing() throws {
        var h = EngineHarness()
        h.goLive()
        let text = { (id: Int) -> [UInt8] in
            Array(
                ("{\"e\":\"depthUpdate\",\"E\":1700000000000,\"s\":\"BTCUSDT\",\"U\":\(id),\"u\":\(id),"
                    + "\"b\":[[\"9.0\",\"\(id).0\"],[\"8.5\",\"0.0\"]],\"a\":[[\"10.5\",\"\(id % 3).0\"]]}")
                    .utf8)
                + [UInt8](repeating: 0, count: 128)
        }
        let messages = (11...400).map(text)
        func run(_ range: Range<Int>) {
            for message in messages[range] {
                message.withUnsafeBufferPointer { all in
                    h.engine.step(
                        Frame(
                            kind: .message, source: 1, receivedAtNs: 5,
                            bytes: UnsafeBufferPointer(rebasing: all[..<(all.count - 128)])))
                }
            }
        }
        run(0..<100)
        let bytes = allocatedBytes { run(100..<390) }
        #expect(h.status().counters.applied == 391)
        // Only optimised code is on the hot path; unoptimised Swift boxes what it passes around.
        #if !DEBUG
            if let bytes { #expect(bytes == 0) }
        #endif
    }
}
