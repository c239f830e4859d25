// What is shown of a served book.

import DepthBook
import MarketData

extension ServedBook {
    /// Whether it may be shown: it equals the source's book, and its best prices are known.
    var isShown: Bool { state == .live && book.hasProvenBest(.bid) && book.hasProvenBest(.ask) }

    /// Fills in the best levels, but no more of a side than is proven.
    ///
    /// - Parameter limit: levels per side requested.
    /// - Returns: number of levels of the shorter side that was cut because no more is proven; `limit` if
    ///   none was.
    @discardableResult
    func fill(_ snapshot: inout DepthSnapshot, limit: Int) -> Int {
        snapshot.reset()
        snapshot.symbol = symbol
        snapshot.lastUpdateID = book.lastUpdateID
        snapshot.eventTimeUs = eventTimeUs
        snapshot.transactionTimeUs = eventTimeUs
        snapshot.scales = book.scales
        let bidLimit = known(.bid, limit)
        let askLimit = known(.ask, limit)
        if bidLimit > 0 {
            book.forEachLevel(.bid) {
                snapshot.bids.append($0)
                return snapshot.bids.count < bidLimit
            }
        }
        if askLimit > 0 {
            book.forEachLevel(.ask) {
                snapshot.asks.append($0)
                return snapshot.asks.count < askLimit
            }
        }
        return min(bidLimit, askLimit)
    }

    /// Fills in the answer to a client's book request: as `fill`, but missing levels are owed to it from now
    /// on.
    func answer(_ snapshot: inout DepthSnapshot, limit: Int) -> Int {
        let cut = fill(&snapshot, limit: limit)
        if cut == limit { return cut }
        if known(.bid, limit) < limit { promises.bids.claimed = .unbounded }
        if known(.ask, limit) < limit { promises.asks.claimed = .unbounded }
        return cut
    }

    /// How many of this number of levels of a side can be shown; a fully known side may have fewer.
    private func known(_ side: Side, _ limit: Int) -> Int {
        book.proven(side) == .unbounded ? limit : min(limit, book.provenLevelCount(side))
    }

    /// Fills in the partial depth of a market whose partial depths look like updates.
    func fill(_ partial: inout DepthUpdate, from snapshot: borrowing DepthSnapshot) {
        partial.reset()
        partial.symbol = symbol
        (partial.first, partial.last, partial.previousLast) = (ids.first, ids.last, ids.previousLast)
        (partial.eventTimeUs, partial.transactionTimeUs) = (eventTimeUs, eventTimeUs)
        partial.scales = book.scales
        for index in 0..<snapshot.bids.count { partial.bids.append(snapshot.bids[index]) }
        for index in 0..<snapshot.asks.count { partial.asks.append(snapshot.asks[index]) }
    }

    /// Fills in an update that changes nothing and ends at the last id sent.
    func fillAnchor(_ update: inout DepthUpdate) {
        update.reset()
        update.symbol = symbol
        (update.first, update.last) = (ids.last, ids.last)
        update.previousLast = UpdateID(ids.last.value &- 1)
        (update.eventTimeUs, update.transactionTimeUs) = (eventTimeUs, eventTimeUs)
        update.scales = book.scales
    }

    /// The best prices; a side without levels shows zeros.
    var ticker: BookTicker {
        var ticker = BookTicker()
        ticker.symbol = symbol
        ticker.updateID = book.lastUpdateID
        (ticker.eventTimeUs, ticker.transactionTimeUs) = (eventTimeUs, eventTimeUs)
        ticker.scales = book.scales ?? ticker.scales
        ticker.bid = book.bestBid ?? PriceLevel(0, 0)
        ticker.ask = book.bestAsk ?? PriceLevel(0, 0)
        return ticker
    }
}
