// Tickers and partial depths against a book, without an engine around them.

import DepthBook
import MarketData
import Testing

@testable import BookEngine

/// The answer of a mutating call, which `#expect` cannot make itself.
private func says(_ answer: Bool) -> Bool { answer }

@Suite struct CrossChecksTests {
    private let scales = SymbolScales(priceDecimals: 1, quantityDecimals: 1)

    /// A book at id 7 with bids 90 and 80 and asks 100 and 110.
    private func book(limit: Int?, bids: [PriceLevel]? = nil) -> OrderBook {
        var snapshot = DepthSnapshot(levelCapacity: 4)
        snapshot.lastUpdateID = UpdateID(7)
        snapshot.scales = scales
        for level in bids ?? [PriceLevel(90, 1), PriceLevel(80, 2)] { _ = snapshot.bids.append(level) }
        for level in [PriceLevel(100, 1), PriceLevel(110, 2)] { _ = snapshot.asks.append(level) }
        var book = OrderBook(levelCountMax: 10)
        book.load(snapshot, limit: limit)
        return book
    }

    private func ticker(_ id: Int64, bid: PriceLevel, ask: PriceLevel) -> BookTicker {
        var ticker = BookTicker()
        ticker.updateID = UpdateID(id)
        (ticker.bid, ticker.ask, ticker.scales) = (bid, ask, scales)
        return ticker
    }

    @Test func aTickerAgreesOrContradicts() throws {
        let book = book(limit: nil)
        func verdict(_ bid: PriceLevel, _ ask: PriceLevel) -> CrossChecks.Verdict {
            CrossChecks.compare(book, bid: bid, ask: ask, scales)
        }
        #expect(verdict(PriceLevel(90, 1), PriceLevel(100, 1)) == .agreed(isWhole: true))
        for (bid, ask) in [
            (PriceLevel(90, 2), PriceLevel(100, 1)), (PriceLevel(91, 1), PriceLevel(100, 1)),
            (PriceLevel(90, 1), PriceLevel(0, 0)),
        ] {
            guard case .contradicted(let mismatch) = verdict(bid, ask) else {
                Issue.record("\(bid) \(ask) is not contradicted")
                continue
            }
            #expect(mismatch.check == .ticker && mismatch.at == UpdateID(7))
        }
        // One more decimal that the book does not have is no level of it.
        let finer = SymbolScales(priceDecimals: 2, quantityDecimals: 1)
        #expect(
            CrossChecks.compare(book, bid: PriceLevel(900, 1), ask: PriceLevel(1000, 1), finer)
                == .agreed(isWhole: true))
        let odd = CrossChecks.compare(book, bid: PriceLevel(901, 1), ask: PriceLevel(1000, 1), finer)
        guard case .contradicted = odd else {
            Issue.record("a price between two of ours agrees")
            return
        }
    }

    @Test func nothingIsSaidOfWhatIsNotProven() {
        let empty = OrderBook(levelCountMax: 10)
        let verdict = CrossChecks.compare(empty, bid: PriceLevel(90, 1), ask: PriceLevel(100, 1), scales)
        #expect(verdict == .unknown)
        #expect(CrossChecks.compare(empty, bids: [], asks: [], scales) == .unknown)
    }

    @Test func aPartialDepthIsComparedLevelByLevel() {
        let book = book(limit: nil)
        let (bids, asks) = (
            [PriceLevel(90, 1), PriceLevel(80, 2)], [PriceLevel(100, 1), PriceLevel(110, 2)]
        )
        #expect(CrossChecks.compare(book, bids: bids, asks: asks, scales) == .agreed(isWhole: true))
        #expect(
            CrossChecks.compare(book, bids: [bids[0]], asks: [asks[0]], scales) == .agreed(isWhole: true))
        guard case .contradicted(let mismatch) = CrossChecks.compare(book, bids: bids, asks: bids, scales)
        else {
            Issue.record("asks that are bids agree")
            return
        }
        #expect(mismatch.check == .partialDepth && mismatch.rank == 0)
        // What lies beyond the snapshot is not compared.
        let bounded = self.book(limit: 2)
        let more = bids + [PriceLevel(70, 9)]
        #expect(CrossChecks.compare(bounded, bids: more, asks: asks, scales) == .agreed(isWhole: true))
    }

    @Test func whatIsAheadIsComparedWhenTheBookReachesIt() {
        var checks = CrossChecks(tickerCountMax: 2)
        let book = book(limit: nil)
        let good = (bid: PriceLevel(90, 1), ask: PriceLevel(100, 1))
        for id in [5, 7] as [Int64] {
            #expect(says(checks.remember(ticker(id, bid: good.bid, ask: good.ask), nowNs: 70)))
        }
        #expect(!says(checks.remember(ticker(9, bid: good.bid, ask: good.ask), nowNs: 90)))
        #expect(checks.hasTickers && !checks.hasPartials)
        #expect(checks.reachedTicker(UpdateID(6), book) == nil)
        #expect(checks.reachedTicker(UpdateID(7), book)! == (.agreed(isWhole: true), 70))
        #expect(checks.hasTickers)
        checks.forgetFormerTime()
        #expect(!checks.hasTickers)
        #expect(checks.reachedTicker(UpdateID(9), book) == nil)
        var partial = DepthSnapshot(levelCapacity: 1)
        partial.lastUpdateID = UpdateID(7)
        partial.scales = scales
        _ = partial.bids.append(good.bid)
        _ = partial.asks.append(good.ask)
        checks.remember(partial, nowNs: 70)
        #expect(checks.hasPartials)
        #expect(checks.reachedPartial(UpdateID(7), book)! == (.agreed(isWhole: true), 70))
        #expect(!checks.hasPartials)
    }

    @Test func theFirstContradictionOfEachKindIsKept() {
        var checks = CrossChecks(tickerCountMax: 2)
        let book = book(limit: nil)
        let first = VenueMismatch.ticker(book, PriceLevel(91, 1), PriceLevel(100, 1), scales)
        let second = VenueMismatch.ticker(book, PriceLevel(92, 1), PriceLevel(100, 1), scales)
        let partial = VenueMismatch.partial(book, [PriceLevel(91, 1)], [], scales)
        for mismatch in [first, second, partial] { checks.note(mismatch) }
        #expect(checks.mismatches == [first, partial])
        var next = CrossChecks(tickerCountMax: 2)
        next.replaces(checks)
        #expect(next.mismatches == [first, partial])
    }
}
