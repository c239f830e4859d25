// What the server says of itself and of the books, beside the venue's own requests.
//
//     /health     how many books are live; 200 as long as the server turns
//     /metrics    every counter and gauge, for Prometheus
//     /v1/books   each book: state, reason, ids, best levels, how far it is known
//
// Decimals are strings, and what is not known is null. Best levels are shown only of a book that is live.

import BookEngine
import BookService
import DepthBook
import LobMetrics
import LobTransport
import MarketData

extension ServerMachine {
    /// The answer to a request that is not of the venue's; nil if it is none of these.
    func statusAnswer(_ path: String) -> HTTPResponse? {
        switch path {
        case "/health":
            let live = places.indices.count { book($0).isShown }
            return HTTPResponse(json: "{\"books\":\(places.count),\"live\":\(live)}")
        case "/metrics":
            return HTTPResponse(contentType: MetricsPage.contentType, body: Array(metricsPage.text.utf8))
        case "/v1/books":
            return HTTPResponse(json: "[" + places.indices.map(bookObject).joined(separator: ",") + "]")
        default: return nil
        }
    }

    private var metricsPage: MetricsPage {
        var page = MetricsPage()
        page.add([(label: "", status: counters)])
        page.add(service.shardStatuses.enumerated().map { (label: "\($0)", status: $1) })
        page.add([(label: "", status: service.fetcherStatus)])
        page.add(
            service.symbols.compactMap { symbol in
                service.readers(of: symbol).map {
                    (label: "\(symbol)", status: $0.statuses.latest(SymbolStatus(symbol)))
                }
            })
        return page
    }

    private func bookObject(_ index: Int) -> String {
        let (shard, slot) = places[index]
        let served = book(index)
        var text = "{\"symbol\":\"\(served.symbol)\""
        if let mark = shards[shard].mark(of: slot) {
            let reason = mark.reason == .none ? "null" : "\"\(mark.reason)\""
            text += ",\"state\":\"\(mark.state)\",\"reason\":\(reason)"
        }
        text += ",\"isServed\":\(served.isShown)"
        text += ",\"lastUpdateId\":" + (served.state == .empty ? "null" : "\(served.book.lastUpdateID)")
        for (name, side) in [("bids", Side.bid), ("asks", .ask)] {
            let isComplete = served.book.proven(side) == .unbounded
            text += ",\"\(name)\":{\"best\":\(best(served, side))"
            text += ",\"provenLevels\":\(served.book.provenLevelCount(side)),\"complete\":\(isComplete)}"
        }
        return text + "}"
    }

    private func best(_ served: ServedBook, _ side: Side) -> String {
        let level = side == .bid ? served.book.bestBid : served.book.bestAsk
        guard served.isShown, let level, let scales = served.book.scales else { return "null" }
        return "{\"price\":\"\(scales.text(level.price))\",\"quantity\":\"\(scales.text(level.quantity))\"}"
    }
}
