// Requests of each address in this second, by what they cost: a ping costs 1, and longer answers more.
//
//     request                                     | cost
//     --------------------------------------------|-----------------------------------------
//     depth                                       | 1, and 1 for each 500 levels a side
//     /v1/books/{symbol}                          | the same, and 1 for each 500 held levels
//     /v1/books/{symbol}/analytics                | 1, and 1 for each 500 held levels
//     exchangeInfo, bookTicker of many, /v1/books | 1, and 1 for each 25 symbols
//     /v1/buffers                                 | the same
//     /metrics                                    | 1, and 1 for each 5 symbols
//     /v1/history                                 | 10
//     an upgrade, or a message that subscribes    | 1, and 1 for each 4 streams
//     anything else                               | 1
//
// Digest and sums walk through a book's levels, however few of them are asked for. Who subscribes to a stream
// gets its state at once.
//
// A request is admitted if those before it have not used up the second, so the most expensive one can always
// be made.
//
// Bounds: `countMax` addresses; all further ones share one count.

import BinanceServing

/// Counts what addresses ask for in a second.
struct RequestPace {
    private static let countMax = 4_096
    private var second: UInt64 = 0
    private var counts: [String: Int] = [:]

    /// Counts a request; false if it exceeds the limit in this second.
    mutating func admits(_ address: String, nowNs: UInt64, most: Int) -> Bool {
        let now = nowNs / 1_000_000_000
        if now != second {
            second = now
            counts.removeAll(keepingCapacity: counts.count < RequestPace.countMax)
        }
        return charge(address, 1) < most
    }

    /// Counts what an admitted request costs beyond 1.
    ///
    /// - Returns: what was counted before.
    @discardableResult
    mutating func charge(_ address: String, _ cost: Int) -> Int {
        let isKnown = counts[address] != nil || counts.count < RequestPace.countMax
        let key = isKnown ? address : ""
        let count = counts[key, default: 0]
        counts[key] = count + cost
        return count
    }

    /// What one of the venue's requests costs a server of so many symbols.
    static func cost(of request: RestRequest, _ rules: ServingRules, symbolCount: Int) -> Int {
        switch request {
        case .ping, .time, .bookTicker: 1
        case .depth(_, let limit, _): cost(ofLevels: rules.levelCount(of: limit))
        case .exchangeInfo(let names, _), .bookTickers(let names, _):
            cost(ofSymbols: names?.count ?? symbolCount)
        case .bookTickersOfPair: cost(ofSymbols: symbolCount)
        }
    }

    /// What one of the server's own requests costs it.
    ///
    /// - Parameter slotCount: levels that a walk through its book passes, if it is about one.
    static func cost(of request: APIRequest, symbolCount: Int, slotCount: Int) -> Int {
        switch request {
        case .book(_, let levelCount): cost(ofLevels: levelCount) + slotCount / 500
        case .analytics: cost(ofLevels: slotCount)
        case .buffers: cost(ofSymbols: symbolCount)
        case .books(let names): cost(ofSymbols: names?.count ?? symbolCount)
        case .metrics: 1 + symbolCount / 5
        case .history: 10
        case .health, .ready, .document, .page, .planner, .connections, .latency, .stream: 1
        }
    }

    /// What the subscription to so many streams costs.
    static func cost(ofStreams count: Int) -> Int { 1 + count / 4 }

    private static func cost(ofLevels count: Int) -> Int { 1 + count / 500 }

    private static func cost(ofSymbols count: Int) -> Int { 1 + count / 25 }
}
