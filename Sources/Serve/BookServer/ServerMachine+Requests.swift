// REST: the venue's requests, answered from the books that the streams continue.

import BinanceServing
import BinanceVenue
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

    /// A refusal.
    ///
    /// - Parameter retryAfterSeconds: when to come back; nil if it does not depend on time.
    init(_ refusal: RestRefusal, retryAfterSeconds: Int? = nil) {
        let header = retryAfterSeconds.flatMap { HTTPHeader("Retry-After", "\($0)") }
        self.init(status: refusal.status, headers: header.map { [$0] } ?? [], body: refusal.body)
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
    /// Number of levels of the shorter side of a depth answer that was cut because no more is proven: a side
    /// of at least that length continues, and its further levels come with updates. Nil if none was.
    var depthLimit: Int?

    init(_ body: [UInt8]) { self.body = body }

    init(_ text: String) { body = Array(text.utf8) }
}

extension RestRequest {
    /// Whether the answer may be longer than a line.
    fileprivate var isLong: Bool {
        switch self {
        case .ping, .time: false
        case .exchangeInfo, .depth, .bookTicker, .bookTickers, .bookTickersOfPair: true
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
    /// Whether what is said in headers reaches it.
    var readsHeaders = true

    /// - Parameter isKnown: see `ServerMachine.isKnown`.
    init(_ request: HTTPRequest, isKnown: Bool) {
        (owner, queuedBytes, self.isKnown) = (request.owner, request.ownerQueuedBytes, isKnown)
    }

    init(_ peer: WebSocketPeer) {
        (owner, queuedBytes, readsHeaders) = (peer.owner, peer.ownerQueuedBytes, false)
    }

    /// Whose pace and weight it is. Who has no token must not use up those of the ones that have: a page that
    /// has moved its name here comes from the same address as this machine's bots.
    var payer: String { isKnown ? owner : "strangers at " + owner }
}

extension ServerMachine {
    /// Names what is served, in answers to what is not.
    private static let servedHeader = "X-Lob-Served"
    private static let served = "ping time exchangeInfo depth ticker/bookTicker"
    /// The query parameter that carries a token.
    static let tokenName = "token"
    /// See `RestAnswer.depthLimit`.
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
            answer = try self.answer(asked, of: caller, atUs: timeUs, isMicroseconds: isMicroseconds)
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
        HTTPResponse(RestRefusal.notServed("the server is closing"), retryAfterSeconds: 1)
    }

    private func refuseStranger(_ request: HTTPRequest) {
        counters.refusalCount += 1
        request.respond(strangersAnswer(request))
    }

    /// The answer to a request from a foreign web page. Those have a pace of their own: a page open in a
    /// browser of this machine must not use up that of the machine's bots.
    func strangersAnswer(_ request: HTTPRequest) -> HTTPResponse {
        if isInPace("pages at " + request.owner) { return HTTPResponse(ServingAnswer.stranger) }
        return HTTPResponse(RestRefusal.tooManyRequests, retryAfterSeconds: 1)
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
}
