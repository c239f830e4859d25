// REST: weights, refusals, lag, caching and faults.
//
// A snapshot shows a state that is a lag older than the request, rounded down to the cache's grid; without
// faults that moment never goes back. It may lie inside an update of the stream, as on the real venue. Best
// prices show the same moment.
//
// A request is admitted or refused by `admit`, answered, and handed to `finish`, which lets faults strike. A
// driver that gets its market from elsewhere does the middle part itself.

import BinanceServing
import BinanceVenue
import MarketData

/// The answer to a REST request.
package struct VenueResponse: Hashable, Sendable {
    /// When it arrives.
    package var dueUs: Int64
    /// HTTP status; 0 if the connection broke and there is no answer.
    package var status: Int
    /// Weight used in this minute, `X-MBX-USED-WEIGHT-1M`.
    package var usedWeight: Int
    /// `Retry-After`, with 429 and 418.
    package var retryAfterSeconds: Int?
    /// The body, possibly cut short.
    package var body: [UInt8]
    /// The fault that made the body contradict the venue's book, nil if none did.
    package internal(set) var oddity: Fault?
    /// Whether a fault made it show a state of long ago: true once, but useless for an audit.
    package internal(set) var isPast = false
    var random: SeededRandom

    /// The headers that a client looks at.
    package var headers: [(name: String, value: String)] {
        if status == 0 { return [] }
        return ServingRules.limitHeaders(usedWeight: usedWeight, retryAfterSeconds: retryAfterSeconds)
    }
}

extension Venue {
    /// Answers a request as it came from a client.
    ///
    /// - Parameter isMicroseconds: times of the body in µs instead of ms; spot only, ignored elsewhere.
    package mutating func request(_ target: RequestTarget, isMicroseconds: Bool = false) -> VenueResponse {
        let request: RestRequest
        do throws(RestRefusal) {
            request = try rules.route(target)
        } catch {
            return refused(error)
        }
        var response = begin()
        if admit(request, &response) {
            answer(request, isMicroseconds: isMicroseconds && configuration.market == .spot, &response)
            finish(&response)
        }
        return response
    }

    /// Requests a depth snapshot now.
    ///
    /// - Parameters:
    ///   - symbol: name in upper case.
    ///   - limit: levels per side; spot takes any number and clamps it to 5000, futures only those that the
    ///     venue lists.
    package mutating func requestDepth(symbol: String, limit: Int) -> VenueResponse {
        request(
            RequestTarget(
                path: rules.market.requestPath + "/depth",
                parameters: [.init("symbol", symbol), .init("limit", "\(limit)")]))
    }

    /// A response with a due time and no content yet.
    package mutating func begin() -> VenueResponse {
        var random = SeededRandom(
            configuration.seed, purpose: SeededRandom.mix(UInt64(counters.requestCount)) ^ 0x4E)
        counters.requestCount += 1
        let dueUs = nowUs + random.within(configuration.requestLatencyUs)
        return VenueResponse(dueUs: dueUs, status: 200, usedWeight: 0, body: [], random: random)
    }

    /// The answer to a request that the venue does not understand.
    package mutating func refused(_ refusal: RestRefusal) -> VenueResponse {
        var response = begin()
        if charge(refusal.weight, &response) { refuse(&response, refusal) }
        return response
    }

    /// Charges a request to the address; if it is refused, returns false and the response says why.
    package mutating func admit(_ request: RestRequest, _ response: inout VenueResponse) -> Bool {
        charge(rules.weight(of: request), &response)
    }

    /// The request budget of the address that makes the next request.
    package var budget: AddressBudget {
        get { address.budget }
        set { address.budget = newValue }
    }

    /// Until when the address is banned, nil if it is not.
    package var banEndUs: Int64? { bannedUntilUs > nowUs ? bannedUntilUs : nil }

    private mutating func charge(_ weight: Int, _ response: inout VenueResponse) -> Bool {
        // A request that was on its way when the ban was imposed does not defy it.
        if nowUs < bannedUntilUs && nowUs > banKnownUs { counters.defianceCount += 1 }
        if nowUs < bannedUntilUs || counters.strikes(.ban, of: faults, &response.random) {
            if nowUs >= bannedUntilUs { banKnownUs = nowUs + 500_000 }
            bannedUntilUs = max(bannedUntilUs, nowUs + response.random.within(60_000_000...180_000_000))
            response.usedWeight = budget.usedWeight
            refuseBanned(&response, seconds: Int((bannedUntilUs - nowUs + 999_999) / 1_000_000))
            return false
        }
        let verdict = budget.request(weight: weight, atUs: nowUs)
        response.usedWeight = budget.usedWeight
        switch verdict {
        case .admitted: return true
        case .limited(let seconds):
            counters.limitedCount += 1
            response.retryAfterSeconds = seconds
            refuse(&response, .tooManyRequests)
        case .banned(let seconds):
            counters.bannedCount += 1
            refuseBanned(&response, seconds: seconds)
        }
        return false
    }

    private mutating func refuseBanned(_ response: inout VenueResponse, seconds: Int) {
        response.retryAfterSeconds = seconds
        let untilMs = (nowUs / 1_000_000 + Int64(seconds)) * 1_000
        refuse(&response, .banned(untilMs: untilMs))
    }

    private mutating func answer(
        _ request: RestRequest, isMicroseconds: Bool, _ response: inout VenueResponse
    ) {
        switch request {
        case .ping, .time, .exchangeInfo:
            let facts = configuration.symbols.map(\.facts)
            answerFacts(request, facts, isMicroseconds: isMicroseconds, &response)
        case .depth(let name, let limit, let status):
            guard let index = indices[name] else { return refuse(&response, .badSymbol) }
            if !Venue.have(status) { return refuse(&response, .otherStatus) }
            fillSnapshot(index, limit: rules.levelCount(of: limit), &response)
            oddSnapshot(&response)
            Venue.encode(snapshot, with: &encoder, into: &response)
            if let grid = coarseGrid(of: index) { OddNumbers.keepOldDecimals(&response.body, grid: grid) }
        case .bookTicker(let name, let status):
            guard let index = indices[name] else { return refuse(&response, .badSymbol) }
            if !Venue.have(status) { return refuse(&response, .otherStatus) }
            fillSnapshot(index, limit: 1, &response)
            response.body = Array(rules.bookTickerBody(rules.bestPrices(of: snapshot)).utf8)
        case .bookTickers(let names, let status):
            let known = (names ?? []).allSatisfy { indices[$0] != nil }
            if !known { return refuse(&response, .badSymbol) }
            let listed = names ?? configuration.symbols.map(\.name)
            answerTickers(Venue.have(status) ? listed : [], &response)
        case .bookTickersOfPair(let pair):
            let names = configuration.symbols.map(\.name).filter { ServingRules.pair(of: $0) == pair }
            if names.isEmpty { return refuse(&response, .badSymbol) }
            answerTickers(names, &response)
        }
    }

    private mutating func answerTickers(_ names: [SymbolName], _ response: inout VenueResponse) {
        var parts: [String] = []
        for name in names {
            guard let index = indices[name] else { return refuse(&response, .badSymbol) }
            fillSnapshot(index, limit: 1, &response)
            parts.append(rules.bestPrices(of: snapshot))
        }
        response.body = Array("[\(parts.joined(separator: ","))]".utf8)
    }

    /// Answers a depth request with this state.
    package mutating func answerSnapshot(
        _ snapshot: borrowing DepthSnapshot, _ response: inout VenueResponse
    ) {
        Venue.encode(snapshot, with: &encoder, into: &response)
    }

    private static func encode(
        _ snapshot: borrowing DepthSnapshot, with encoder: inout MessageEncoder,
        into response: inout VenueResponse
    ) {
        encoder.removeAll()
        // Cannot fail: scales are set, and 5000 levels per side stay below the encoder's limit.
        try! encoder.append(snapshot)
        response.body.removeAll(keepingCapacity: true)
        encoder.append(to: &response.body)
    }

    /// Fills the snapshot with the state that the venue's history shows.
    private mutating func fillSnapshot(_ index: Int, limit: Int, _ response: inout VenueResponse) {
        if listings[index].frozenCount == 0, counters.strikes(.frozen, of: faults, &response.random) {
            listings[index].frozenCount = 3 + response.random.below(6)
            listings[index].frozenUs = nowUs - response.random.within(5_000_000...30_000_000)
        }
        let cacheUs = max(configuration.snapshotCacheUs, 1)
        var timeUs = (nowUs - response.random.within(configuration.snapshotLagUs)) / cacheUs * cacheUs
        var isPast = false
        if listings[index].frozenCount > 0 {
            listings[index].frozenCount -= 1
            timeUs = listings[index].frozenUs
            isPast = true
        } else if counters.strikes(.stale, of: faults, &response.random) {
            timeUs -= response.random.within(2_000_000...20_000_000)
            isPast = true
        } else if counters.strikes(.tardy, of: faults, &response.random) {
            timeUs -= response.random.within(100_000...3_000_000)
            isPast = true
        }
        response.isPast = isPast
        let printed = listings[index].flow.printed
        if isPast {
            var cursor = listings[index].history.start
            listings[index].history.move(&cursor, toUs: timeUs)
            cursor.book.copy(limit: limit, printed: printed, into: &snapshot)
        } else {
            let perMille = configuration.wholeSnapshotPerMille
            let isWhole =
                perMille > 0 && response.random.chance(perMille: perMille)
                || counters.strikes(.whole, of: faults, &response.random)
            listings[index].history.move(&listings[index].replica, toUs: timeUs, isWhole: isWhole)
            listings[index].replica.book.copy(limit: limit, printed: printed, into: &snapshot)
        }
        snapshot.symbol = listings[index].name
        snapshot.transactionTimeUs = timeUs
        snapshot.eventTimeUs = nowUs
    }

    /// Lets faults strike an answer that is ready.
    package mutating func finish(_ response: inout VenueResponse) {
        if response.status != 200 { return }
        if counters.strikes(.slow, of: faults, &response.random) {
            response.dueUs += response.random.within(1_000_000...15_000_000)
        }
        if counters.strikes(.fail, of: faults, &response.random) { fail(&response) }
    }

    /// One of the ways in which a request fails.
    private mutating func fail(_ response: inout VenueResponse) {
        switch response.random.below(6) {
        case 0:
            response.status = 0
            response.body = []
        case 1: refuse(&response, .failure)
        case 2:
            response.status = 503
            response.body = Array("<html><body>Service Unavailable</body></html>".utf8)
        case 3:
            response.dueUs += 10_000_000
            refuse(&response, .timeout)
        case 4: response.random.truncate(&response.body, from: 0)
        default: response.random.corrupt(&response.body, from: 0)
        }
    }

    /// Turns an answer into a refusal.
    package mutating func refuse(_ response: inout VenueResponse, _ refusal: RestRefusal) {
        response.status = refusal.status
        response.body = refusal.body
    }
}
