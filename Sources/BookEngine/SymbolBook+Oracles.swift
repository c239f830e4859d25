// What the venue says of the top of its book by other ways, compared with ours at the same update id.

import BinanceDepth
import DepthBook
import MarketData

extension SymbolBook {
    /// A ticker: compared at once if the book stands at its id, remembered if it is ahead.
    func receive(_ ticker: BookTicker, _ wishes: inout [SnapshotWish]) {
        guard let id = main.sync.lastID, ticker.updateID <= id else {
            if !tickers.remember(ticker) { counters.tickersForgotten += 1 }
            return
        }
        guard main.sync.isLive, ticker.updateID == id else { return }
        judge(bid: ticker.bid, ask: ticker.ask, scales: ticker.scales, &wishes)
    }

    /// Compares the remembered ticker of the id that the book has just reached, if there is one.
    func compareRemembered(_ wishes: inout [SnapshotWish]) {
        guard let entry = tickers.take(at: main.book.lastUpdateID) else { return }
        judge(bid: entry.bid, ask: entry.ask, scales: entry.scales, &wishes)
    }

    private func judge(
        bid: PriceLevel, ask: PriceLevel, scales: SymbolScales, _ wishes: inout [SnapshotWish]
    ) {
        counters.tickersCompared += 1
        let agrees =
            scales == main.book.scales && SymbolBook.agrees(main.book.bestBid, bid)
            && SymbolBook.agrees(main.book.bestAsk, ask)
        if agrees { counters.tickersAgreed += 1 } else { contradicted(&wishes) }
    }

    private static func agrees(_ own: PriceLevel?, _ venue: PriceLevel) -> Bool {
        guard let own else { return venue.quantity == .zero }
        return own == venue
    }

    /// A partial-depth frame: compared if the book stands at its id.
    func receivePartial(_ partial: borrowing DepthSnapshot, _ wishes: inout [SnapshotWish]) {
        guard main.sync.isLive, main.sync.lastID == partial.lastUpdateID else { return }
        counters.partialsCompared += 1
        let agrees =
            partial.scales == main.book.scales && agrees(partial.bids, .bid) && agrees(partial.asks, .ask)
        if agrees { counters.partialsAgreed += 1 } else { contradicted(&wishes) }
    }

    private func agrees(_ levels: borrowing LevelBuffer, _ side: Side) -> Bool {
        var index = 0
        var same = true
        main.book.forEachLevel(side) { level in
            if index >= levels.count { return false }
            same = levels[index] == level
            index += 1
            return same
        }
        return same && index == levels.count
    }

    private func contradicted(_ wishes: inout [SnapshotWish]) {
        if configuration.oraclePolicy == .resync { restart(.oracle, &wishes) }
    }
}
