// The server's own requests, about itself and the books, beside the venue's; see `APIRequest` for the paths.
// The document at `/v1/openapi.json` describes them, and a test compares the two.

import BookEngine
import BookService
import DepthBook
import LobMetrics
import LobTransport
import MarketData

extension ServerMachine {
    /// Answers a request unless it is one of the venue's.
    ///
    /// - Returns: false if it is one of the venue's.
    func answerOwn(_ request: HTTPRequest) -> Bool {
        if !APIRequest.isOwn(request.path) { return false }
        let caller = Caller(request, isKnown: isKnown(request))
        do throws(APIProblem) {
            // First of all, so that requests that cannot be read are no faster.
            if !isInPace(caller.payer) { throw .tooManyRequests }
            var query = request.query
            if !options.tokens.isEmpty { query.removeAll { $0.name == ServerMachine.tokenName } }
            guard let asked = try APIRequest.read(request.path, query) else { return false }
            if request.method != .get && request.method != .head { throw .method }
            if asked.isSecret && !caller.isKnown { throw .unknownCaller }
            let cost = RequestPace.cost(
                of: asked, symbolCount: places.count, slotCount: slotCount(of: asked))
            pace.charge(caller.payer, cost - 1)
            if isOverloaded(by: caller) && !asked.isShort { throw .overloaded }
            if case .stream(let names, let intervalMs) = asked {
                let indices = try names.map { (names) throws(APIProblem) in try Set(ownIndices(names)) }
                if request.method == .head {
                    request.respond(response([], EventHub.contentType))
                } else {
                    events.open(request, indices, intervalMs: intervalMs)
                }
            } else if case .history(let query) = asked {
                guard let history else { throw .noStore }
                if !history.ask(query, for: request) { throw .storeBusy }
            } else {
                request.respond(try answer(asked))
            }
        } catch {
            counters.refusalCount += 1
            request.respond(error.response)
        }
        return true
    }

    private func answer(_ asked: APIRequest) throws(APIProblem) -> HTTPResponse {
        switch asked {
        case .page(let page): return page.response
        case .document: return response(Page.document)
        case .metrics: return response(Array(metricsPage.text.utf8), MetricsPage.contentType)
        case .health, .ready: return healthAnswer(asked)
        case .books(let names):
            let indices = try names.map { (names) throws(APIProblem) in try ownIndices(names) }
            return json { json in
                json.member("market", rules.market.name)
                json.member("timeUs", Int(LoopClock.realtimeNs / 1_000))
                json.array("books") { json in
                    for index in indices ?? Array(places.indices) {
                        let document = document(index)
                        json.object { document.row(&$0) }
                    }
                }
            }
        case .book(let name, let levelCountMax):
            let document = document(try ownIndex(name))
            return json { document.levels(&$0, levelCountMax: levelCountMax) }
        case .analytics(let name, let analysis):
            let document = document(try ownIndex(name))
            var problem: APIProblem?
            let answer = json { json in
                document.head(&json)
                do throws(APIProblem) {
                    try AnalyticsDocument(document, analysis).write(&json)
                } catch {
                    problem = error
                }
            }
            if let problem { throw problem }
            return answer
        case .buffers: return json { buffers(&$0) }
        case .planner: return json { planner(&$0) }
        case .connections: return json { connections(&$0) }
        case .latency:
            latencies.receivedToPublished = service.publicationTimes
            return json { latencies.write(&$0) }
        case .stream, .history: throw .method
        }
    }

    /// Answers what was asked of the store.
    func answerHistory() {
        history?.takeAnswers { request, query, answer in
            switch answer {
            case .rows(let rows):
                request.respond(
                    json { json in
                        json.member("list", query.list.rawValue)
                        json.member("symbol", query.symbol)
                        json.member("day", query.day)
                        json.member("limit", query.countMax)
                        json.member("isCut", rows.count > query.countMax)
                        json.array("rows") { json in
                            for row in rows.suffix(query.countMax) { json.members(row) }
                        }
                    })
            case .noSuchDay: refuse(request, .noDay)
            case .failed: refuse(request, .storeFailed)
            }
        }
    }

    private func refuse(_ request: HTTPRequest, _ problem: APIProblem) {
        counters.refusalCount += 1
        request.respond(problem.response)
    }

    private func healthAnswer(_ asked: APIRequest) -> HTTPResponse {
        let numbers = health.numbers(nowNs: LoopClock.monotonicNs) {
            let standings = places.indices.map(standing)
            return Health.Numbers(
                live: standings.count(where: \.isServed),
                begun: places.indices.count { book($0).state != .empty },
                isBehind: standings.contains { $0.reason == Standing.backlog })
        }
        // One book lost now and then must not take a whole server out of service; a backlog is the server's
        // own.
        let isReady = numbers.live > 0 && numbers.begun == places.count && !numbers.isBehind
        var answer = json { json in
            json.member("books", places.count)
            json.member("live", numbers.live)
            if asked == .ready { json.member("isReady", isReady) }
        }
        if asked == .ready && !isReady { answer.status = 503 }
        return answer
    }

    private func json(_ body: (inout JSONWriter) -> Void) -> HTTPResponse {
        var json = JSONWriter()
        json.object(nil, body)
        return response(json.bytes)
    }

    private func response(_ bytes: [UInt8], _ contentType: String = "application/json") -> HTTPResponse {
        HTTPResponse(
            contentType: contentType, headers: APIProblem.headers.compactMap { HTTPHeader($0.0, $0.1) },
            body: bytes)
    }

    /// How far a walk through the book goes that a request is about; 0 if it is about none.
    private func slotCount(of asked: APIRequest) -> Int {
        switch asked {
        case .book(let name, _), .analytics(let name, _):
            SymbolName(name).flatMap { indices[$0] }.map { book($0).book.slotCount } ?? 0
        default: 0
        }
    }

    private func ownIndex(_ name: String) throws(APIProblem) -> Int {
        guard let symbol = SymbolName(name), let index = indices[symbol] else { throw .unknownSymbol(name) }
        return index
    }

    /// Indices without duplicates, in order of first mention.
    private func ownIndices(_ names: [String]) throws(APIProblem) -> [Int] {
        var (found, seen): ([Int], Set<Int>) = ([], [])
        for name in names {
            let index = try ownIndex(name)
            if seen.insert(index).inserted { found.append(index) }
        }
        return found
    }

    private func document(_ index: Int) -> BookDocument {
        let (shard, slot) = places[index]
        let symbol = shards[shard].symbols[slot]
        let status = service.readers(of: symbol)?.statuses.latest(SymbolStatus(symbol))
        return BookDocument(
            served: book(index), standing: standing(of: index), status: status ?? SymbolStatus(symbol),
            rate: rates.text(index, nowNs: LoopClock.monotonicNs))
    }

    /// Lets the event stream look at what has changed, and makes the loop turn again in time for its clients.
    func showEvents(_ nowNs: UInt64) {
        if !events.isAwake { return }
        events.turn(nowNs: nowNs, timeMs: LoopClock.realtimeNs / 1_000_000) { index in
            var top = EventLog.Top()
            top.standing = standingOfTurn(of: index)
            if !top.standing.isServed { return top }
            let served = book(index)
            top.updateID = served.book.lastUpdateID
            top.scales = served.book.scales
            top.best = BestLevels(bid: served.book.bestBid, ask: served.book.bestAsk)
            return top
        }
        if events.clientCount > 0 {
            alarm.set(atNs: nowNs + EventHub.lookEveryNs, nowNs: nowNs, on: loop)
        }
    }

    private var metricsPage: MetricsPage {
        var page = MetricsPage()
        page.add([(label: "", status: counters)])
        page.add(service.shardStatuses.enumerated().map { (label: "\($0)", status: $1) })
        page.add([(label: "", status: service.fetcherStatus)])
        var latencies = latencies
        latencies.receivedToPublished = service.publicationTimes
        page.add(latencies)
        page.add(
            service.symbols.compactMap { symbol in
                service.readers(of: symbol).map {
                    (label: "\(symbol)", status: $0.statuses.latest(SymbolStatus(symbol)))
                }
            })
        return page
    }
}
