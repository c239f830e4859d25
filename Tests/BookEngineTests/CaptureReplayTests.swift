// Every captured session through the engine, compared level by level with a dictionary that was filled from
// what Foundation read, by rules written a second time and more plainly.

import BinanceVenue
import BookEngine
import BookSync
import Foundation
import LobHandoff
import MarketData
import TestSupport
import Testing

/// A book by the published procedure, errata applied.
private struct ModelSymbol {
    var book = NaiveOrderBook()
    var snapshotID: Int64
    var last: Int64 = 0
    var isLive = false
    var applied = 0
    var tickers: [Int64: [String]] = [:]
    var agreed = 0
    var compared = 0

    mutating func receive(_ update: [String: Any], _ market: Market) -> Bool {
        guard let first = (update["U"] as? NSNumber)?.int64Value,
            let final = (update["u"] as? NSNumber)?.int64Value,
            let bids = naiveLevels(update["b"]), let asks = naiveLevels(update["a"])
        else { return false }
        let previous = (update["pu"] as? NSNumber)?.int64Value
        if !isLive {
            if market == .spot ? final <= snapshotID : final < snapshotID { return true }
            let connects = market == .spot ? first <= snapshotID + 1 : (previous ?? .max) <= snapshotID
            if !connects { return false }
            isLive = true
        } else if market == .spot ? first != last + 1 : previous != last {
            return false
        }
        book.apply(bids: bids, asks: asks)
        last = final
        applied += 1
        if let ticker = tickers.removeValue(forKey: final) { compare(ticker) }
        return true
    }

    mutating func receiveTicker(_ ticker: [String: Any]) {
        guard let id = (ticker["u"] as? NSNumber)?.int64Value else { return }
        let parts = ["b", "B", "a", "A"].compactMap { ticker[$0] as? String }
        if id == (isLive ? last : snapshotID) { compare(parts) } else { tickers[id] = parts }
    }

    private mutating func compare(_ parts: [String]) {
        compared += 1
        guard let bid = book.levels(.bid).first, let ask = book.levels(.ask).first else { return }
        let own = [bid.price.mantissa, bid.quantity.mantissa, ask.price.mantissa, ask.quantity.mantissa]
        if own == parts.compactMap(naiveMantissa) { agreed += 1 }
    }
}

@Suite struct CaptureReplayTests {
    /// All messages in optimised code, the first of each set otherwise.
    #if DEBUG
        static let messageCountMax = 1_500
    #else
        static let messageCountMax = 200_000
    #endif

    @Test(
        .enabled(if: CapturedSet.root != nil, "the captured sets are absent: set LOB_CAPTURES"),
        arguments: CapturedSet.sessions)
    func equalsTheDictionary(_ set: CapturedSet) throws {
        let market = try #require(set.market)
        let messages = try set.messages(limit: Self.messageCountMax)
        var harness = EngineHarness(market, symbols: []) {
            $0.addsUnknownSymbols = true
            $0.mismatchPolicy = .count
            $0.publication = .conflated
            $0.tickerCountMax = 100_000
        }
        var models: [String: ModelSymbol] = [:]
        harness.frame(.connected)
        let only = try #require(Self.objects(messages).compactMap { $0["s"] as? String }.first)
        for (symbol, body) in try set.snapshots() {
            let name = symbol ?? only
            let json = try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
            var model = ModelSymbol(snapshotID: try #require((json["lastUpdateId"] as? NSNumber)?.int64Value))
            model.book.apply(
                bids: try #require(naiveLevels(json["bids"])), asks: try #require(naiveLevels(json["asks"])))
            models[name] = model
            let header = SnapshotEnvelope(symbol: try #require(SymbolName(name)), limit: 1000).bytes
            harness.engine.addSymbol(try #require(SymbolName(name)))
            harness.frame(.depthSnapshot, header + Array(body.utf8))
        }
        for message in messages { harness.message(message) }
        for update in Self.objects(messages) {
            guard let symbol = update["s"] as? String, models[symbol] != nil else { continue }
            if update["e"] as? String == "depthUpdate" {
                let follows = models[symbol]!.receive(update, market)
                #expect(follows, "\(set) \(symbol)")
            } else if update["B"] is String {
                models[symbol]!.receiveTicker(update)
            }
        }
        #expect(harness.engine.counters.malformed == 0)
        for (symbol, model) in models where model.applied > 0 {
            expectSame(harness, symbol, model, "\(set) \(symbol)")
        }
    }

    private func expectSame(
        _ harness: borrowing EngineHarness, _ symbol: String, _ model: ModelSymbol, _ what: Comment
    ) {
        let status = harness.status(symbol)
        #expect(status.state == .live, what)
        #expect(status.lastUpdateID.value == model.last, what)
        #expect(status.counters.applied == model.applied, what)
        let name = SymbolName(symbol)!
        let bids = harness.engine.withBook(name) { $0.levels(.bid) }
        let asks = harness.engine.withBook(name) { $0.levels(.ask) }
        #expect(bids == model.book.levels(.bid), what)
        #expect(asks == model.book.levels(.ask), what)
        #expect(status.counters.tickersCompared == model.compared, what)
        #expect(status.counters.tickersAgreed == model.agreed, what)
    }

    private static func objects(_ messages: [String]) -> [[String: Any]] {
        messages.compactMap { message in
            let json = try? JSONSerialization.jsonObject(with: Data(message.utf8)) as? [String: Any]
            return json?["data"] as? [String: Any] ?? json
        }
    }
}
