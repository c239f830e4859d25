// A server says that its book is proven less far than before: so is the book that follows it.

import BinanceVenue
import DepthBook
import FeedPlan
import MarketData
import Testing

@testable import BookEngine

private let btc: SymbolName = "BTCUSDT"
private let second: Int64 = 1_000_000_000

extension EngineHarness {
    /// An update that tells how far its sender's book is proven.
    fileprivate mutating func told(
        _ id: Int, bids: [String] = [], provenBids: String? = nil, provenAsks: String? = nil
    ) {
        let members =
            (provenBids.map { ",\"lobBidsProvenTo\":\($0)" } ?? "")
            + (provenAsks.map { ",\"lobAsksProvenTo\":\($0)" } ?? "")
        message(
            "{\"e\":\"depthUpdate\",\"E\":1700000000000,\"s\":\"BTCUSDT\",\"U\":\(id),\"u\":\(id),"
                + "\"b\":\(EngineHarness.levels(bids)),\"a\":[]\(members)}")
    }

    fileprivate func view() -> BookView {
        var view = BookView()
        engine.withBook(btc) { $0.publish(into: &view) }
        return view
    }

    fileprivate var ranges: [ProvenRange] { [status().provenBids, status().provenAsks] }
}

@Suite struct EngineNarrowingTests {
    @Test func aLiveBookClaimsNoMore() {
        var h = EngineHarness { $0.provenLevelCountMin = 50 }
        h.goLive()
        #expect(h.ranges == [.unbounded, .unbounded])
        h.told(11, bids: ["7.0:1.0"], provenBids: "\"8.0\"")
        #expect(h.ranges == [.to(Price(80)), .unbounded] && h.status().state == .live)
        #expect(h.view().provenBids == .to(Price(80)) && h.book(.bid) == ["9.0:1.0", "8.0:2.0", "7.0:1.0"])
        // A narrow book is deepened as any other is; what is told later widens nothing.
        h.tick()
        #expect(h.requests() == [.ask(btc, .deepen, attempt: 0)])
        h.told(12, provenBids: "\"1.0\"", provenAsks: "\"10.00\"")
        #expect(h.ranges == [.to(Price(80)), .to(Price(100))] && h.status().state == .live)
        h.update(13, 13)
        #expect(h.ranges == [.to(Price(80)), .to(Price(100))])
        h.snapshot(13, bids: ["9.0:1.0", "8.0:2.0", "7.0:1.0"], asks: ["10.0:1.0", "11.0:2.0"])
        #expect(h.ranges == [.unbounded, .unbounded] && h.status().counters.deepenings == 1)
    }

    @Test(arguments: ["\"9.1\"", "\"nothing\"", "\"9.01\""])
    func aBookWithoutProvenBestsIsShallow(_ value: String) {
        var h = EngineHarness { $0.provenLevelCountMin = 50 }
        h.goLive()
        h.told(11, provenBids: value)
        #expect(h.status().state == .stale && h.status().reason == .shallow)
        h.tick()
        #expect(h.requests() == [.ask(btc, .shallow, attempt: 0)])
        h.update(12, 12, bids: ["9.2:1.0"])
        #expect(h.status().state == (value == "\"nothing\"" ? .stale : .live))
        h.snapshot(12, bids: ["9.2:1.0", "9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"])
        #expect(h.status().state == .live && h.ranges == [.unbounded, .unbounded])
    }

    /// Told by an update that waited for the first snapshot, and by one that the snapshot contains.
    @Test(arguments: [10, 11]) func told(with snapshotID: Int) {
        var h = EngineHarness()
        h.frame(.connected)
        h.update(9, 10)
        h.told(11, bids: ["9.5:1.0"], provenBids: "\"9.0\"")
        h.snapshot(
            snapshotID, bids: (snapshotID == 11 ? ["9.5:1.0"] : []) + ["9.0:1.0", "8.0:2.0"],
            asks: ["10.0:1.0"])
        #expect(h.status().lastUpdateID.value == 11)
        #expect(h.ranges == [snapshotID == 10 ? .to(Price(90)) : .unbounded, .unbounded])
    }

    /// A candidate is told the same by an update that waits for its snapshot. A snapshot of the very id of
    /// the update was made after it, and may know more again.
    @Test(arguments: [10, 11]) func aCandidateClaimsNoMore(from snapshotID: Int) {
        var h = EngineHarness { $0.auditEveryNs = second }
        h.goLive()
        var isAsked = false
        for _ in 0..<40 where !isAsked {
            h.tick(afterNs: second / 4)
            isAsked = h.requests().contains(.ask(btc, .audit, attempt: 0))
        }
        #expect(isAsked)
        h.told(11, provenAsks: "\"10.0\"")
        #expect(h.ranges == [.unbounded, .to(Price(100))])
        h.snapshot(snapshotID, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"])
        #expect(h.status().counters.auditsAgreed == 1 && h.status().state == .live)
        #expect(h.ranges == [.unbounded, snapshotID == 10 ? .to(Price(100)) : .unbounded])
    }

    /// Futures chain otherwise, and say the same.
    @Test func futures() {
        var h = EngineHarness(.usdm)
        h.frame(.connected)
        h.futuresUpdate(7, 8, 9)
        h.snapshot(9, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0"])
        h.futuresUpdate(9, 10, 10)
        h.message(
            "{\"e\":\"depthUpdate\",\"E\":1700000000000,\"T\":1700000000000,\"s\":\"BTCUSDT\",\"U\":10,"
                + "\"u\":12,\"pu\":10,\"b\":[],\"a\":[],\"st\":1,\"lobBidsProvenTo\":\"9.0\"}")
        #expect(h.status().lastUpdateID.value == 12 && h.ranges == [.to(Price(90)), .unbounded])
    }

    @Test func aMalformedOneIsUnreadable() {
        var h = EngineHarness()
        h.goLive()
        h.told(11, provenBids: "\"9.x\"")
        #expect(h.status().state == .stale && h.status().reason == .unreadable)
        #expect(h.engine.counters.malformed == 1 && h.status().lastUpdateID.value == 10)
    }
}
