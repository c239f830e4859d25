// A snapshot fetcher against real servers on loopback: good answers, bad ones, none, and what becomes of a
// request.

import BinanceVenue
import FeedSockets
import LobHandoff
import MarketData
import Testing

@testable import DepthFeed
@testable import LobTransport

extension FeedSocketTests {
    @Suite struct Fetcher {
        @Test func bodiesAreDelivered() throws {
            let d = try FetcherHarness()
            d.venue.rest = { _, query in
                ok(
                    "{\"lastUpdateId\":7,\"of\":\"\(query["symbol"]!)\",\"limit\":\(query["limit"]!)}",
                    weight: 777)
            }
            d.want()
            d.drive { d.deliveries.count == 1 }
            d.want(FetcherHarness.key("币安人生USDT"), .deepen, levels: 3000)
            d.drive { d.deliveries.count == 2 }
            #expect(
                d.words == [
                    #"BTCUSDT 100 {"lastUpdateId":7,"#,
                    #"币安人生USDT 5000 {"lastUpdateId":7,"#,
                ])
            #expect(d.venue.restRequests.map(\.path) == ["/api/v3/depth", "/api/v3/depth"])
            // The venue's count of the first answer, and the second request on top.
            #expect(d.fetcher.plan.weightSpent == 777 + 250)
            d.drive { d.status.delivered == 1 && d.status.sentCount == 2 && d.status.inFlight == 0 }
            #expect(d.status.sentCount == 2 && d.status.bytes > 100 && d.status.weightSpent == 1027)
            d.finish()
        }

        @Test func marketsOfOneBudget() throws {
            let d = try FetcherHarness([.usdm, .coinm])
            d.venue.rest = { _, _ in ok("{}") }
            d.want(FetcherHarness.key("BTCUSDT", .usdm))
            d.want(FetcherHarness.key("BTCUSD_PERP", .coinm))
            d.drive { d.deliveries.count == 2 }
            #expect(d.venue.restRequests.map(\.path) == ["/fapi/v1/depth", "/dapi/v1/depth"])
            d.finish()
        }

        /// A body of half a megabyte, whole.
        @Test func largeBodies() throws {
            let d = try FetcherHarness()
            let body = "{\"x\":\"" + String(repeating: "y", count: 500_000) + "\"}"
            d.venue.rest = { _, _ in ok(body) }
            d.want(levels: 5000)
            d.drive { d.deliveries.count == 1 }
            guard case .snapshot(let frame) = d.deliveries[0].news else { return #expect(Bool(false)) }
            #expect(Array(frame.dropFirst(64)) == Array(body.utf8))
            d.finish()
        }

        @Test func unknownSymbol() throws {
            let d = try FetcherHarness()
            d.venue.rest = { _, _ in
                HTTPResponse(status: 400, json: #"{"code":-1121,"msg":"Invalid symbol."}"#)
            }
            d.want()
            d.drive { d.deliveries.count == 1 }
            #expect(d.words == ["BTCUSDT failed"] && d.log == ["spot has no symbol BTCUSDT"])
            #expect(d.venue.restRequests.count == 1)
            d.drive { "\(d.status.lastError)" == "BTCUSDT: 400 -1121 Invalid symbol." }
            d.finish()
        }

        @Test(arguments: [429, 418]) func toldToStayAway(_ status: Int) throws {
            let d = try FetcherHarness()
            let body = #"{"code":-1003,"msg":"Too many requests."}"#
            let retryAfter = HTTPHeader("Retry-After", "1")!
            d.venue.rest = { [unowned venue = d.venue] _, _ in
                venue.restRequests.count == 1
                    ? HTTPResponse(status: status, headers: [retryAfter], json: body) : ok("{}")
            }
            d.want()
            d.want(FetcherHarness.key("ETHUSDT"))
            d.drive { d.log.count == 1 }
            let begin = monotonicNs()
            #expect(d.log[0].hasPrefix("the venue answered \(status): no request for"))
            #expect(d.fetcher.plan.obstacle == (status == 429 ? .limited : .banned))
            d.drive { d.status.refusalCount == 1 && d.status.waitingUntilMs > 0 }
            d.drive { d.deliveries.count == 2 }
            #expect((monotonicNs() - begin) / 1_000_000 > 900)
            #expect(d.words.sorted() == ["BTCUSDT 100 {}", "ETHUSDT 100 {}"])
            d.finish()
        }

        @Test func troubleIsRetried() throws {
            let d = try FetcherHarness()
            d.venue.rest = { [unowned venue = d.venue] _, _ in
                switch venue.restRequests.count {
                case 1: HTTPResponse(status: 503, json: "<html>")
                case 2: HTTPResponse(status: 403, json: "")
                case 3: nil
                default: ok("{}")
                }
            }
            d.want()
            d.drive { d.deliveries.count == 1 }
            #expect(d.words == ["BTCUSDT 100 {}"] && d.venue.restRequests.count == 4)
            d.drive { d.status.transientFailureCount == 2 && d.status.refusalCount == 1 }
            #expect(d.log.count { $0 == "the venue answered 403: no request for 80 ms" } == 1)
            #expect(d.log.count { $0.hasPrefix("snapshot of BTCUSDT: ") } == 2 && d.log.count == 3)
            d.venue.release(ok("late"))
            d.finish()
        }

        @Test(arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"lastUpdateId\":7,\"bi", "HTTP/1.1 200 OK\r\n",
            "no HTTP", "",
        ]) func cutShort(_ answer: String) throws {
            let d = try FetcherHarness(raw: RawServer(answer))
            d.want()
            d.drive { d.raw!.answered == 3 }
            d.drive { d.fetcher.plan.transientFailureCount >= 3 }
            #expect(d.deliveries.isEmpty)
            d.finish()
        }

        @Test func nobodyListens() throws {
            let d = try FetcherHarness(port: RawServer("").port)
            d.want()
            d.drive { d.fetcher.plan.transientFailureCount == 3 }
            #expect(d.deliveries.isEmpty && d.log[0].contains("refused"))
            d.finish()
        }

        @Test func tooLong() throws {
            let d = try FetcherHarness { $0.bodyBytesMax = 1000 }
            d.venue.rest = { _, _ in ok(String(repeating: "x", count: 2000)) }
            d.want()
            d.drive { d.fetcher.plan.transientFailureCount == 2 }
            #expect(d.deliveries.isEmpty && d.log[0].contains("longer than 1000 bytes"))
            d.finish()
        }

        @Test func cancelled() throws {
            let d = try FetcherHarness()
            d.venue.rest = { _, _ in nil }
            d.want()
            d.want(FetcherHarness.key("ETHUSDT"))
            d.drive { d.venue.restRequests.count == 2 }
            d.fetcher.want([.cancel(FetcherHarness.key())])
            d.fetcher.want([.cancel(FetcherHarness.key("ETHUSDT"))])
            d.venue.release(ok("{}"))
            d.drive { d.fetcher.openCount == 0 }
            d.pass(ms: 30)
            #expect(d.deliveries.isEmpty && d.venue.restRequests.count == 2)
            d.finish()
        }

        /// A shard that takes nothing: what is there waits, and nothing more is asked for.
        @Test func undelivered() throws {
            let d = try FetcherHarness()
            d.venue.rest = { _, query in ok(query["symbol"]!) }
            d.isTaking = false
            for number in 0..<20 { d.want(FetcherHarness.key("S\(number)")) }
            d.drive { d.status.undelivered > 0 && d.status.inFlight == 0 }
            d.pass(ms: 50)
            let asked = d.venue.restRequests.count
            #expect(asked <= 8 && d.status.undelivered == asked)
            d.isTaking = true
            d.drive { d.deliveries.count == 20 }
            #expect(Set(d.deliveries.map(\.key)).count == 20)
            d.drive { d.status.undelivered == 0 }
            d.finish()
        }

        @Test func requestsFromOtherThreads() throws {
            let d = try FetcherHarness()
            d.venue.rest = { _, _ in ok("{}") }
            let remote = d.remote
            let keys = (0..<500).map { FetcherHarness.key("S\($0)") }
            #expect(remote.want(keys.map { .want($0, .initial, levelCount: 100, attempt: 0) }))
            #expect(remote.want(keys.dropFirst(10).map { .cancel($0) }))
            d.drive { d.deliveries.count >= 10 }
            d.pass(ms: 30)
            #expect(d.deliveries.count == 10)
            #expect(remote.stop())
            d.drive { d.fetcher.isStopped }
            d.finish()
        }

        @Test func aPlaceThatIsNone() throws {
            let loop = try EventLoop()
            defer { loop.close() }
            let nowhere = Endpoints(market: .spot, streamBase: "ws://localhost", restBase: "nowhere")
            #expect(throws: TransportError.self) {
                try SnapshotFetcher([nowhere], on: loop, deliver: { _ in true })
            }
        }

        /// Whoever is told may call in.
        @Test func stoppedByItsOwnReport() throws {
            let d = try FetcherHarness()
            d.venue.rest = { _, _ in HTTPResponse(status: 400, json: #"{"code":-1121,"msg":"x"}"#) }
            d.onReport = { [unowned d] in d.fetcher.stop() }
            d.want()
            d.drive { d.fetcher.isStopped }
            #expect(d.deliveries.isEmpty)
            d.finish()
        }

        // MARK: - Lists of symbols

        @Test func listOfSymbols() throws {
            let d = try FetcherHarness()
            let list =
                #"{"symbols":[{"symbol":"BTCUSDT","status":"TRADING"},{"symbol":"X","status":"BREAK"}]}"#
            d.venue.rest = { [unowned venue = d.venue] _, _ in
                venue.restRequests.count == 1 ? HTTPResponse(status: 500, json: "{}") : ok(list, weight: 40)
            }
            var answer: Result<ExchangeInfo, ExchangeInfoError>?
            d.fetcher.fetchExchangeInfo(.spot) { answer = $0 }
            d.drive { answer != nil }
            #expect(try answer!.get().symbols.map(\.isTrading) == [true, false])
            #expect(d.venue.restRequests.map(\.path) == ["/api/v3/exchangeInfo", "/api/v3/exchangeInfo"])
            #expect(d.fetcher.plan.weightSpent == 40)
            d.finish()
        }

        /// A list that is damaged, cut short or something else is asked for again, as one that does not come.
        @Test(arguments: [
            "{\"symbols\":", "", "null", "<html></html>", "[]",
            #"{"symbols":[{"symbol":"BTCUSDT","status":"TRA"#, #"{"code":-1000,"msg":"An unknown error"}"#,
        ]) func damagedLists(_ damage: String) throws {
            let d = try FetcherHarness()
            let list = #"{"symbols":[{"symbol":"BTCUSDT","status":"TRADING"}]}"#
            d.venue.rest = { [unowned venue = d.venue] _, _ in
                ok(venue.restRequests.count < 4 ? damage : list)
            }
            var answer: Result<ExchangeInfo, ExchangeInfoError>?
            d.fetcher.fetchExchangeInfo(.spot) { answer = $0 }
            d.drive { answer != nil }
            #expect(try answer!.get().symbols.count == 1)
            #expect(d.venue.restRequests.count == 4 && d.fetcher.plan.transientFailureCount == 3)
            let retries = d.log.filter { $0.hasPrefix("symbols of spot: unreadable: ") }
            #expect(retries.count == 3 && retries.allSatisfy { $0.contains(", again in ") })
            d.finish()
        }

        /// Books do not wait for the end of a long list.
        @Test func longListBesideSnapshots() throws {
            let d = try FetcherHarness { $0.requestLimitMs = 2000 }
            let list = #"{"symbols":["# + String(repeating: " ", count: 4 << 20) + "]}"
            d.venue.rest = { path, _ in path.hasSuffix("depth") ? ok("{}") : ok(list) }
            var answer: Result<ExchangeInfo, ExchangeInfoError>?
            d.fetcher.fetchExchangeInfo(.spot) { answer = $0 }
            d.want()
            d.drive { !d.deliveries.isEmpty }
            #expect(answer == nil && d.venue.restRequests.map(\.path).first == "/api/v3/exchangeInfo")
            d.drive { answer != nil }
            #expect(try answer!.get().symbols.isEmpty)
            d.finish()
        }

        @Test func listsThatDoNotCome() throws {
            let d = try FetcherHarness { $0.listAttemptsMax = 3 }
            var answers: [String] = []
            func ask() {
                d.fetcher.fetchExchangeInfo(.spot) { answer in
                    switch answer {
                    case .success: answers.append("success")
                    case .failure(let error): answers.append("\(error)")
                    }
                }
            }
            d.venue.rest = { _, _ in ok("{\"symbols\":") }
            ask()
            d.drive { answers.count == 1 }
            #expect(d.venue.restRequests.count == 3)
            d.venue.rest = { _, _ in HTTPResponse(status: 404, json: "{}") }
            ask()
            d.drive { answers.count == 2 }
            d.venue.rest = { _, _ in HTTPResponse(status: 500, json: #"{"code":-1000,"msg":"oh"}"#) }
            ask()
            d.drive { answers.count == 3 }
            #expect(d.venue.restRequests.count == 7)
            d.venue.rest = { _, _ in nil }
            ask()
            d.drive { d.venue.restRequests.count == 8 }
            d.fetcher.stop()
            d.drive { answers.count == 4 }
            #expect(answers[0].hasPrefix("unreadable: "))
            #expect(answers.dropFirst() == ["404", "500 -1000 oh", "stopped"])
            d.finish()
        }
    }
}
