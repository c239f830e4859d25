// Snapshots over REST: weights, refusals, lag, caching, and what goes wrong.
//
// A snapshot shows the state of a moment that lies a lag before the request, rounded down to the cache's
// grid; without faults that moment never goes back. It may lie inside an event of the stream, as on the
// venue.

import BinanceDepth
import MarketData

/// The answer to a REST request.
public struct VenueResponse: Hashable, Sendable {
    /// When it arrives.
    public var dueUs: Int64
    /// HTTP status; 0 if the connection broke and there is no answer.
    public var status: Int
    /// Weight used in this minute, `X-MBX-USED-WEIGHT-1M`.
    public var usedWeight: Int
    /// `Retry-After`, with 429 and 418.
    public var retryAfterSeconds: Int?
    /// The body, possibly cut short.
    public var body: [UInt8]

    /// The headers a client looks at.
    public var headers: [(name: String, value: String)] {
        if status == 0 { return [] }
        var headers = [(name: "X-MBX-USED-WEIGHT-1M", value: "\(usedWeight)")]
        if let retryAfterSeconds { headers.append((name: "Retry-After", value: "\(retryAfterSeconds)")) }
        return headers
    }
}

extension Venue {
    private static let futuresLimits = [5, 10, 20, 50, 100, 500, 1_000]

    /// Requests a depth snapshot now.
    ///
    /// - Parameters:
    ///   - symbol: name in upper case.
    ///   - limit: levels a side; spot takes any and clamps it to 5000, futures only those the venue lists.
    public mutating func requestDepth(symbol: String, limit: Int) -> VenueResponse {
        var random = SeededRandom(
            configuration.seed, purpose: SeededRandom.mix(UInt64(counters.requestCount)) ^ 0x4E)
        counters.requestCount += 1
        var response = VenueResponse(
            dueUs: nowUs + random.within(configuration.requestLatencyUs), status: 200, usedWeight: 0, body: []
        )
        let weight = VenueBudget.weight(configuration.market, limit: limit)
        let verdict = budget.request(weight: weight, atUs: nowUs)
        response.usedWeight = budget.usedWeight
        switch verdict {
        case .admitted: answer(&response, symbol, limit, &random)
        case .limited(let seconds):
            counters.limitedCount += 1
            response.retryAfterSeconds = seconds
            refuse(&response, status: 429, code: -1003, "Too many requests.")
        case .banned(let seconds):
            counters.bannedCount += 1
            response.retryAfterSeconds = seconds
            let untilMs = (nowUs / 1_000_000 + Int64(seconds)) * 1_000
            refuse(
                &response, status: 418, code: -1003,
                "Way too many requests; IP banned until \(untilMs).")
        }
        return response
    }

    private mutating func answer(
        _ response: inout VenueResponse, _ symbol: String, _ limit: Int, _ random: inout SeededRandom
    ) {
        guard let name = SymbolName(symbol), let index = indices[name] else {
            return refuse(&response, status: 400, code: -1121, "Invalid symbol.")
        }
        let isSpot = configuration.market == .spot
        if isSpot ? limit < 1 : !Venue.futuresLimits.contains(limit) {
            return refuse(&response, status: 400, code: -4021, "\(limit) is not valid depth limit.")
        }
        if counters.strikes(.slow, of: faults, &random) {
            response.dueUs += random.within(1_000_000...15_000_000)
        }
        fillSnapshot(index, limit: min(limit, 5_000), &random)
        snapshot.eventTimeUs = nowUs
        encoder.removeAll()
        // Cannot fail: scales are set, and 5000 levels a side stay below the encoder's bound.
        try! encoder.append(snapshot)
        encoder.append(to: &response.body)
        if counters.strikes(.fail, of: faults, &random) { fail(&response, &random) }
    }

    /// Fills the snapshot with the state the venue's memory shows.
    private mutating func fillSnapshot(_ index: Int, limit: Int, _ random: inout SeededRandom) {
        if listings[index].frozenCount == 0, counters.strikes(.frozen, of: faults, &random) {
            listings[index].frozenCount = 3 + random.below(6)
            listings[index].frozenUs = nowUs - random.within(5_000_000...30_000_000)
        }
        let cacheUs = max(configuration.snapshotCacheUs, 1)
        var timeUs = (nowUs - random.within(configuration.snapshotLagUs)) / cacheUs * cacheUs
        var isPast = false
        if listings[index].frozenCount > 0 {
            listings[index].frozenCount -= 1
            timeUs = listings[index].frozenUs
            isPast = true
        } else if counters.strikes(.stale, of: faults, &random) {
            timeUs -= random.within(2_000_000...20_000_000)
            isPast = true
        }
        let printed = listings[index].flow.printed
        if isPast {
            var cursor = listings[index].history.start
            listings[index].history.move(&cursor, toUs: timeUs)
            cursor.book.copy(limit: limit, printed: printed, into: &snapshot)
        } else {
            listings[index].history.move(&listings[index].replica, toUs: timeUs)
            listings[index].replica.book.copy(limit: limit, printed: printed, into: &snapshot)
        }
        snapshot.symbol = listings[index].name
        snapshot.transactionTimeUs = timeUs
    }

    /// One of the ways in which a request comes to nothing.
    private mutating func fail(_ response: inout VenueResponse, _ random: inout SeededRandom) {
        switch random.below(6) {
        case 0:
            response.status = 0
            response.body = []
        case 1: refuse(&response, status: 500, code: -1000, "An unknown error occurred.")
        case 2:
            response.status = 503
            response.body = Array("<html><body>Service Unavailable</body></html>".utf8)
        case 3:
            response.dueUs += 10_000_000
            refuse(&response, status: 504, code: -1007, "Timeout waiting for response from backend server.")
        case 4: random.truncate(&response.body, from: 0)
        default: random.corrupt(&response.body, from: 0)
        }
    }

    private mutating func refuse(
        _ response: inout VenueResponse, status: Int, code: Int, _ message: String
    ) {
        response.status = status
        encoder.removeAll()
        // Cannot fail: the body is shorter than any encoder's bound.
        try! encoder.append(errorCode: code, message: message)
        response.body = []
        encoder.append(to: &response.body)
    }
}
