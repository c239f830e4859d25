// REST: the venue's requests, answered from the books that the streams continue.

import BinanceServing
import BinanceVenue
import DepthBook
import LobTransport
import MarketData

extension RequestTarget {
    /// The target of a request.
    init(_ request: HTTPRequest) {
        self.init(
            method: request.method.name, path: request.path,
            parameters: request.query.map { Parameter($0.name, $0.value) })
    }
}

extension HTTPResponse {
    /// An answer of the serving rules.
    init(_ answer: ServingAnswer) {
        self.init(
            status: answer.status, headers: answer.headers.compactMap { HTTPHeader($0.name, $0.value) },
            json: answer.json)
    }
}

/// The body of an answer and its metadata.
struct RestAnswer {
    var status = 200
    var body: [UInt8]
    var headers: [(name: String, value: String)] = []
    /// The address's weight in this minute.
    var usedWeight = 0
    var retryAfterSeconds: Int?

    init(_ body: [UInt8]) { self.body = body }

    init(_ text: String) { body = Array(text.utf8) }
}

extension RestRequest {
    /// Whether the answer may be longer than a line.
    fileprivate var isLong: Bool {
        switch self {
        case .ping, .time: false
        case .exchangeInfo, .depth, .bookTicker, .bookTickers: true
        }
    }
}

/// Who asks.
struct Caller {
    /// Whose shares it is.
    var owner: String
    /// Bytes that wait for the sockets of all that is that owner's.
    var queuedBytes: Int
    /// Whether it has a token, if the server has any.
    var isKnown = true

    /// - Parameter isKnown: see `ServerMachine.isKnown`.
    init(_ request: HTTPRequest, isKnown: Bool) {
        (owner, queuedBytes, self.isKnown) = (request.owner, request.ownerQueuedBytes, isKnown)
    }

    init(_ peer: WebSocketPeer) { (owner, queuedBytes) = (peer.owner, peer.ownerQueuedBytes) }

    /// Whose pace and weight it is. Who has no token must not use up those of the ones that have: a page that
    /// has moved its name here comes from the same address as this machine's bots.
    var payer: String { isKnown ? owner : "strangers at " + owner }
}

extension ServerMachine {
    /// Names what is served, in answers to what is not.
    private static let servedHeader = "X-Lob-Served"
    private static let served = "ping time exchangeInfo depth ticker/bookTicker"
    /// Says why a book is stale, in answers that show it anyway.
    private static let staleHeader = "X-Lob-Stale"
    /// The query parameter that carries a token.
    static let tokenName = "token"
    /// Number of levels of the shorter side of a depth answer that was cut because no more is proven: a side
    /// of at least that length continues, and its further levels come with updates.
    static let depthLimitHeader = "X-Lob-Depth-Limit"

    /// Answers a request.
    func answer(_ request: HTTPRequest) {
        counters.requestCount += 1
        if !admits(request) { return refuseStranger(request) }
        if isClosing { return refuseLate(request) }
        if answerOwn(request) { return }
        var target = RequestTarget(request)
        if !options.tokens.isEmpty { target.parameters.removeAll { $0.name == ServerMachine.tokenName } }
        let timeUs = LoopClock.realtimeNs / 1_000
        let answer = answer(
            to: Caller(request, isKnown: isKnown(request)), atUs: timeUs,
            isMicroseconds: rules.asksForMicroseconds(request.header(ServingRules.timeUnitHeader))
        ) { () throws(RestRefusal) in try rules.route(target) }
        let headers = rules.headers(
            usedWeight: answer.usedWeight, retryAfterSeconds: answer.retryAfterSeconds, atUs: timeUs)
        request.respond(
            HTTPResponse(
                status: answer.status, contentType: ServingRules.contentType(of: answer.body),
                headers: (headers + answer.headers).compactMap { HTTPHeader($0.name, $0.value) },
                body: answer.body))
    }

    /// The answer to a request, and its cost. A refusal costs too.
    func answer(
        to caller: Caller, atUs timeUs: Int64, isMicroseconds: Bool,
        _ route: () throws(RestRefusal) -> RestRequest
    ) -> RestAnswer {
        var address = addresses[caller.payer, rules.market, atUs: timeUs]
        defer { addresses[caller.payer, rules.market, atUs: timeUs] = address }
        var answer: RestAnswer
        var retryAfterSeconds: Int?
        var isCharged = false
        do throws(RestRefusal) {
            if !isInPace(caller.payer) {
                retryAfterSeconds = 1
                throw .tooManyRequests
            }
            if !caller.isKnown { throw .stranger }
            let asked = try route()
            isCharged = true
            pace.charge(caller.payer, RequestPace.cost(of: asked, rules, symbolCount: places.count) - 1)
            try charge(rules.weight(of: asked), &address, timeUs, &retryAfterSeconds)
            if asked.isLong && isOverloaded(by: caller) { throw .overloaded }
            answer = try self.answer(asked, atUs: timeUs, isMicroseconds: isMicroseconds)
        } catch {
            counters.refusalCount += 1
            var refusal = error
            if !isCharged {
                do throws(RestRefusal) {
                    try charge(error.weight, &address, timeUs, &retryAfterSeconds)
                } catch { refusal = error }
            }
            answer = RestAnswer(refusal.body)
            answer.status = refusal.status
            switch refusal.status {
            case 404: answer.headers.append((ServerMachine.servedHeader, ServerMachine.served))
            case 503: answer.headers.append(("Retry-After", "1"))
            default: break
            }
        }
        answer.usedWeight = address.budget.usedWeight(atUs: timeUs)
        answer.retryAfterSeconds = retryAfterSeconds
        return answer
    }

    /// Whether a request carries a token, if the server has any.
    func isKnown(_ request: HTTPRequest) -> Bool {
        if options.tokens.isEmpty { return true }
        return access.admits(
            authorization: request.header("authorization"), key: request.header("x-mbx-apikey"),
            token: request.query.first { $0.name == ServerMachine.tokenName }?.value)
    }

    /// Counts a request, before anything else is done for it. False if it exceeds the limit in this second.
    ///
    /// - Parameter payer: see `Caller`.
    func isInPace(_ payer: String) -> Bool {
        pace.admits(payer, nowNs: LoopClock.monotonicNs, most: options.requestsPerSecondMax)
    }

    /// Whether a request does not come from a foreign web page.
    func admits(_ request: HTTPRequest) -> Bool {
        CallerRules(options).admits(
            host: request.header("host"), origin: request.header("origin"),
            fetch: (request.header("sec-fetch-site"), request.header("sec-fetch-dest")))
    }

    /// Refuses a request that has come while the server is closing.
    private func refuseLate(_ request: HTTPRequest) {
        counters.refusalCount += 1
        let isOwn = APIRequest.isOwn(request.path)
        request.respond(isOwn ? APIProblem.closing.response : ServerMachine.closingAnswer)
    }

    /// The answer to whatever else comes while the server is closing.
    static var closingAnswer: HTTPResponse {
        let refusal = RestRefusal.notServed("the server is closing")
        return HTTPResponse(
            status: refusal.status, headers: [HTTPHeader("Retry-After", "1")].compactMap(\.self),
            body: refusal.body)
    }

    private func refuseStranger(_ request: HTTPRequest) {
        counters.refusalCount += 1
        request.respond(strangersAnswer(request))
    }

    /// The answer to a request from a foreign web page. Those have a pace of their own: a page open in a
    /// browser of this machine must not use up that of the machine's bots.
    func strangersAnswer(_ request: HTTPRequest) -> HTTPResponse {
        if isInPace("pages at " + request.owner) { return HTTPResponse(ServingAnswer.stranger) }
        let refusal = RestRefusal.tooManyRequests
        return HTTPResponse(
            status: refusal.status, headers: [HTTPHeader("Retry-After", "1")].compactMap(\.self),
            body: refusal.body)
    }

    /// Charges an address.
    ///
    /// - Throws: the refusal, if weights are limited and this one is too much.
    private func charge(
        _ weight: Int, _ address: inout ClientAddress, _ timeUs: Int64, _ retryAfterSeconds: inout Int?
    ) throws(RestRefusal) {
        if !options.isWeightLimited { return address.budget.count(weight: weight, atUs: timeUs) }
        switch address.budget.request(weight: weight, atUs: timeUs) {
        case .admitted: return
        case .limited(let seconds):
            retryAfterSeconds = seconds
            throw .tooManyRequests
        case .banned(let seconds):
            retryAfterSeconds = seconds
            throw .banned(untilMs: (timeUs / 1_000_000 + Int64(seconds)) * 1_000)
        }
    }

    private func answer(
        _ request: RestRequest, atUs timeUs: Int64, isMicroseconds: Bool
    ) throws(RestRefusal) -> RestAnswer {
        switch request {
        case .ping: return RestAnswer("{}")
        case .time: return RestAnswer(rules.timeBody(atUs: timeUs, isMicroseconds: isMicroseconds))
        case .exchangeInfo(let names):
            let listed = try names.map { (names) throws(RestRefusal) in try indexed(names) }
            let indices = listed ?? Array(places.indices)
            if !texts.members.isEmpty {
                return RestAnswer(
                    rules.exchangeInfoBody(
                        as: texts, symbols: indices.map(words), atUs: timeUs,
                        isMicroseconds: isMicroseconds))
            }
            return RestAnswer(
                rules.exchangeInfoBody(
                    symbols: indices.map(listing), marginAssets: [], atUs: timeUs,
                    isMicroseconds: isMicroseconds))
        case .depth(let name, let limit): return try depth(name, rules.levelCount(of: limit))
        case .bookTicker(let name): return RestAnswer(try best(try index(of: name)))
        case .bookTickers(let names):
            var parts: [String] = []
            if let names {
                for index in try indexed(names) { parts.append(try best(index)) }
            } else {
                // Everything that can be shown now.
                for index in places.indices {
                    if let part = try? best(index) { parts.append(part) }
                }
            }
            return RestAnswer("[" + parts.joined(separator: ",") + "]")
        }
    }

    private func depth(_ name: SymbolName, _ levelCount: Int) throws(RestRefusal) -> RestAnswer {
        let index = try index(of: name)
        let why = refusal(of: index)
        if let why, !options.servesStale || book(index).state == .empty { throw .notServed(why) }
        let key = DepthAnswers.Key(index: index, levelCount: levelCount, version: book(index).version)
        guard let known = depthAnswers.answer(to: key) ?? makeDepth(key) else {
            throw .notServed("the book has no levels")
        }
        var answer = RestAnswer(known.body)
        if let why { answer.headers.append((ServerMachine.staleHeader, why)) }
        if known.cut < levelCount { answer.headers.append((ServerMachine.depthLimitHeader, "\(known.cut)")) }
        return answer
    }

    private func makeDepth(_ key: DepthAnswers.Key) -> DepthAnswers.Answer? {
        let cut = book(key.index).answer(&snapshot, limit: key.levelCount)
        guard let body = encoded({ (encoder) throws(EncoderError) in try encoder.append(snapshot) }) else {
            return nil
        }
        let answer = DepthAnswers.Answer(body: body, cut: cut)
        depthAnswers.keep(answer, to: key)
        return answer
    }

    private func best(_ index: Int) throws(RestRefusal) -> String {
        if let why = refusal(of: index) { throw .notServed(why) }
        book(index).fill(&snapshot, limit: 1)
        return rules.bestPrices(of: snapshot)
    }

    private func index(of name: SymbolName) throws(RestRefusal) -> Int {
        guard let index = indices[name] else { throw .badSymbol }
        return index
    }

    /// Indices without duplicates, in order of first mention.
    private func indexed(_ names: [SymbolName]) throws(RestRefusal) -> [Int] {
        var (found, seen): ([Int], Set<Int>) = ([], [])
        for name in names {
            let index = try index(of: name)
            if seen.insert(index).inserted { found.append(index) }
        }
        return found
    }

    /// A symbol's object in `exchangeInfo`: the venue's own, or generated.
    private func words(_ index: Int) -> [UInt8] {
        let (shard, slot) = places[index]
        return texts.symbols[shards[shard].symbols[slot]] ?? Array(listing(index).utf8)
    }

    /// The object generated from what is known.
    private func listing(_ index: Int) -> String {
        let (shard, slot) = places[index]
        let symbol = shards[shard].symbols[slot]
        let known = facts[symbol]
        var filters: [String] = []
        if let tick = known?.tickSize {
            filters.append("{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"\(tick)\"}")
        }
        if let step = known?.stepSize {
            filters.append("{\"filterType\":\"LOT_SIZE\",\"stepSize\":\"\(step)\"}")
        }
        var text = "{\"symbol\":\"\(symbol)\""
        if let known, !known.baseAsset.isEmpty { text += ",\"baseAsset\":\"\(known.baseAsset)\"" }
        if let known, !known.quoteAsset.isEmpty { text += ",\"quoteAsset\":\"\(known.quoteAsset)\"" }
        if let kind = known?.contractType { text += ",\"contractType\":\"\(kind)\"" }
        if let known, rules.market != .spot {
            // Positions are held in the quote asset, on COIN-M in the base asset.
            let margin = rules.market == .coinm ? known.baseAsset : known.quoteAsset
            let pair = "\(symbol)".prefix { $0 != "_" }
            text += ",\"pair\":\"\(pair)\",\"marginAsset\":\"\(margin)\""
        }
        let status = rules.market == .coinm ? "contractStatus" : "status"
        text += ",\"\(status)\":\"\(known?.status ?? "TRADING")\""
        return text + ",\"filters\":[\(filters.joined(separator: ","))]}"
    }
}
