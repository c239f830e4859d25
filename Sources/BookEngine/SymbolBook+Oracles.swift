// What the venue says of the top of its book by other ways, compared with ours at the same update id.

import BinanceDepth
import DepthBook
import MarketData

extension SymbolBook {
    /// A ticker: compared at once if the book stands at its id, remembered if it is ahead.
    func receive(_ ticker: BookTicker, _ wishes: inout [EngineWish]) {
        guard let id = main.sync.lastID, ticker.updateID <= id else {
            if !tickers.remember(ticker) { counters.tickersForgotten += 1 }
            return
        }
        guard main.sync.isLive, ticker.updateID == id else { return }
        judge(bid: ticker.bid, ask: ticker.ask, scales: ticker.scales, &wishes)
    }

    /// Compares the remembered ticker of the id that the book has just reached, if there is one.
    func compareRemembered(_ wishes: inout [EngineWish]) {
        guard let entry = tickers.take(at: main.book.lastUpdateID) else { return }
        judge(bid: entry.bid, ask: entry.ask, scales: entry.scales, &wishes)
    }

    private func judge(
        bid: PriceLevel, ask: PriceLevel, scales: SymbolScales, _ wishes: inout [EngineWish]
    ) {
        // Other decimals announce a rescale, which the next event brings; until then nothing can be compared.
        if scales != main.book.scales { return }
        counters.tickersCompared += 1
        if agrees(.bid, bid) && agrees(.ask, ask) {
            counters.tickersAgreed += 1
        } else {
            note(bid: bid, ask: ask, scales)
            contradicted(&wishes)
        }
    }

    /// Whether the venue's best level of a side can be true if ours is. Two that differ contradict each other
    /// if either lies inside the proven range: there ours exists, and the venue's would not be missing.
    private func agrees(_ side: Side, _ venue: PriceLevel) -> Bool {
        let own = side == .bid ? main.book.bestBid : main.book.bestAsk
        let best = venue.quantity == .zero ? nil : venue
        return own == best || !isProven(side, own) && !isProven(side, best)
    }

    private func isProven(_ side: Side, _ level: PriceLevel?) -> Bool {
        level.map { main.book.isProven(side, $0.price) } ?? false
    }

    /// A partial-depth frame: compared, as far as our levels are proven, if the book stands at its id.
    func receivePartial(_ partial: borrowing DepthSnapshot, _ wishes: inout [EngineWish]) {
        guard main.sync.isLive, main.sync.lastID == partial.lastUpdateID, partial.scales == main.book.scales
        else { return }
        counters.partialsCompared += 1
        if agrees(.bid, partial.bids) && agrees(.ask, partial.asks) {
            counters.partialsAgreed += 1
        } else {
            note(partial)
            contradicted(&wishes)
        }
    }

    /// Level by level from the best one, until the venue's leave the proven range or the frame ends.
    private func agrees(_ side: Side, _ levels: borrowing LevelBuffer) -> Bool {
        var index = 0
        var same = true
        main.book.forEachLevel(side) { level in
            if index >= levels.count { return false }
            if !main.book.isProven(side, levels[index].price) {
                same = !main.book.isProven(side, level.price)
                return false
            }
            same = levels[index] == level
            index += 1
            return same
        }
        return same && (index >= levels.count || !main.book.isProven(side, levels[index].price))
    }

    private func contradicted(_ wishes: inout [EngineWish]) {
        if configuration.oraclePolicy == .resync { restart(.oracle, &wishes) }
    }
}
