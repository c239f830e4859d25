// Snapshots that have come are used: nothing is requested twice that one answer can settle.

import BinanceVenue
import DepthBook
import LobHandoff
import MarketData
import Testing

@testable import BookEngine

private let btc = SymbolName("BTCUSDT")
private let second: Int64 = 1_000_000_000
private let bids = ["9.0:1.0", "8.0:2.0"]
private let asks = ["10.0:1.0", "11.0:2.0"]

@Suite struct EngineFirstSnapshotTests {
    /// What is missing between the book and an update is in a snapshot that has come already. So it is for a
    /// book that was kept, for one that an audit looks at, and for one that no update has reached.
    @Test(arguments: ["kept", "audited", "joined"]) func anUpdateThatContinuesTheCandidate(_ book: String) {
        var h = EngineHarness()
        switch book {
        case "kept":
            h.goLive()
            h.reconnect()
        case "audited":
            h.goLive()
            h.engine.audit(btc, atNs: h.nowNs)
        default:
            h.frame(.connected)
            h.snapshot(10, bids: bids, asks: asks)
            for _ in 0..<5 { h.tick(afterNs: second / 4) }
        }
        #expect(h.askedFor().last == btc)
        h.snapshot(14, bids: ["9.0:7.0"], asks: ["10.0:7.0"])
        #expect(h.status().lastUpdateID == UpdateID(10))
        let before = h.status().counters
        h.update(14, 16, bids: ["8.0:3.0"])
        #expect(h.status().state == .live && h.status().lastUpdateID == UpdateID(16))
        #expect(h.book(.bid) == ["9.0:7.0", "8.0:3.0"] && h.book(.ask) == ["10.0:7.0"])
        #expect(h.requests().isEmpty)
        let after = h.status().counters
        #expect(after.applied == before.applied + 1 && after.buffered == before.buffered)
        #expect(after.gaps + after.snapshotsTooOld == before.gaps + before.snapshotsTooOld + 1)
        #expect(after.resyncs == before.resyncs + (book == "audited" ? 1 : 0))
        h.update(17, 17)
        #expect(h.status().state == .live)
    }

    /// The same where ids are linked.
    @Test func aLinkedUpdateThatContinuesTheCandidate() {
        var h = EngineHarness(.usdm)
        h.frame(.connected)
        h.futuresUpdate(8, 9, 9)
        h.snapshot(9, bids: bids, asks: asks)
        h.futuresUpdate(9, 10, 10)
        h.reconnect()
        h.snapshot(14, bids: ["9.0:7.0"], asks: asks)
        h.futuresUpdate(12, 13, 16, bids: ["8.0:3.0"])
        #expect(h.status().state == .live && h.book(.bid) == ["9.0:7.0", "8.0:3.0"])
    }

    /// An update that continues neither of the two costs both.
    @Test func anUpdateThatContinuesNeither() {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        h.snapshot(14, bids: bids, asks: asks)
        _ = h.requests()
        h.update(16, 17)
        #expect(h.status().state == .stale && h.status().reason == .disconnected)
        #expect(h.requests() == [.ask(btc, .resync, attempt: 0)])
        h.snapshot(17, bids: bids, asks: asks)
        h.update(18, 18)
        #expect(h.status().state == .live)
    }

    /// What the update makes of the candidate is checked as of any book.
    @Test func aCandidateThatTheUpdateCrosses() {
        var h = EngineHarness()
        h.goLive()
        h.reconnect()
        h.snapshot(14, bids: ["9.0:7.0"], asks: asks)
        h.update(15, 15, bids: ["10.5:1.0"])
        #expect(h.status().state == .stale && h.status().reason == .crossed)
        h.snapshot(15, bids: ["9.0:7.0"], asks: asks)
        h.update(16, 16)
        #expect(h.status().state == .live)
    }

    /// A later update that hides what is wrong in a snapshot does not make it right.
    @Test func aCrossedSnapshotIsNoneWhateverFollows() {
        var h = EngineHarness()
        h.goLive()
        h.update(20, 20)
        h.update(21, 21, bids: ["10.5:0.0"])
        h.snapshot(19, bids: ["10.5:1.0", "9.0:7.0"], asks: asks)
        #expect(h.status().state == .stale && h.status().reason == .crossed)
        #expect(h.status().counters.crossings == 1)
        h.snapshot(21, bids: ["9.0:7.0"], asks: asks)
        h.update(22, 22)
        #expect(h.status().state == .live)
    }
}
