// What an audit leaves for people: both checksums, and both books where they differ.

import BinanceVenue
import BookEngine
import DepthBook
import MarketData
import Testing

private let btc: SymbolName = "BTCUSDT"

@Suite struct AuditOutcomeTests {
    /// Checksums cover what both books know; what differed stays readable as a whole.
    @Test func aDifferenceIsKeptWithBothSides() {
        var h = EngineHarness()
        h.goLive()
        h.engine.audit(btc, atNs: h.nowNs)
        h.snapshot(10, bids: ["9.5:7.0"], asks: ["10.0:1.0"])
        let outcome = h.status().lastAudit
        let sides = h.engine.auditSides(of: btc)
        #expect(outcome?.isEqual == false && outcome?.number == 1 && outcome?.at == UpdateID(10))
        #expect(outcome?.snapshotID == UpdateID(10) && outcome?.checksum != outcome?.venueChecksum)
        #expect(sides?.number == 1 && sides?.venue.bids == [PriceLevel(95, 70)])
        #expect(sides?.own.lastUpdateID == UpdateID(10) && sides?.own.bids != sides?.venue.bids)
    }

    /// A venue that contradicts all books at once costs the memory of a few.
    @Test func ofManyDifferencesTheLatestAreKept() {
        let names = (0..<20).map { "S\($0)USDT" }
        var h = EngineHarness(symbols: names)
        for name in names {
            h.goLive(symbol: name)
            h.engine.audit(SymbolName(name)!, atNs: h.nowNs)
            h.snapshot(10, bids: ["9.5:7.0"], asks: ["10.0:1.0"], symbol: name)
        }
        let kept = names.map { h.engine.auditSides(of: SymbolName($0)!) != nil }
        #expect(kept == (0..<20).map { $0 >= 4 })
    }

    @Test func booksThatAgreeHaveEqualChecksums() {
        var h = EngineHarness()
        h.goLive()
        #expect(h.status().lastAudit == nil)
        h.engine.audit(btc, atNs: h.nowNs)
        let own = h.engine.withBook(btc) { ($0.levels(.bid), $0.levels(.ask)) }
        let scales = SymbolScales(priceDecimals: 1, quantityDecimals: 1)
        func text(_ levels: [PriceLevel]) -> [String] {
            levels.map { "\(scales.text($0.price)):\(scales.text($0.quantity))" }
        }
        h.snapshot(10, bids: text(own?.0 ?? []), asks: text(own?.1 ?? []))
        let outcome = h.status().lastAudit
        #expect(outcome?.isEqual == true && outcome?.checksum == outcome?.venueChecksum)
        #expect(outcome?.levelCount == max(own?.0.count ?? 0, own?.1.count ?? 0))
        #expect(h.engine.auditSides(of: btc) == nil)
    }
}
