// The server's own requests over sockets, held against the document that describes them.

import BookEngine
import Foundation
import LobTransport
import MarketData
import TestSupport
import Testing
import VenueSupport

@testable import BookServer

extension ServerTests {
    /// Every path of the document answers as the document says, and every path of the table is in it.
    @Test func answersAreAsDescribed() throws {
        var options = BookServer.Options()
        options.history = { query, use in
            // Another thread has the rows later.
            Thread.detachNewThread {
                switch query.day {
                case "2026-02-30": use(.noSuchDay)
                case "2026-02-28": use(.failed)
                default: use(.rows(["{\"fromNs\":1,\"toNs\":null,\"symbol\":\"A\"}"]))
                }
            }
            return query.symbol != "BUSY"
        }
        let stack = try Stack(options: options)
        defer { stack.stop() }
        for symbol in stack.symbols { _ = try stack.depth(symbol) }
        let check = try SchemaCheck(stack.get("/v1/openapi.json").body)
        let requests: [(path: String, target: String, status: Int)] = [
            ("/health", "/health", 200), ("/ready", "/ready", 200),
            ("/v1/openapi.json", "/v1/openapi.json", 200),
            ("/v1/books", "/v1/books", 200), ("/v1/books", "/v1/books?symbols=SIM1USDT", 200),
            ("/v1/books", "/v1/books?symbols=NOPE", 404), ("/v1/books", "/v1/books?x=1", 400),
            ("/v1/books/{symbol}", "/v1/books/SIM0USDT?limit=3", 200),
            ("/v1/books/{symbol}", "/v1/books/NOPE", 404),
            ("/v1/books/{symbol}", "/v1/books/SIM0USDT?limit=x", 400),
            ("/v1/books/{symbol}/analytics", "/v1/books/SIM0USDT/analytics", 200),
            (
                "/v1/books/{symbol}/analytics",
                "/v1/books/SIM0USDT/analytics?quantity=1&notional=50&price=1&basisPoints=10", 200
            ),
            ("/v1/books/{symbol}/analytics", "/v1/books/SIM0USDT/analytics?quantity=x", 400),
            ("/v1/buffers", "/v1/buffers", 200), ("/v1/planner", "/v1/planner", 200),
            ("/v1/connections", "/v1/connections", 200), ("/v1/latency", "/v1/latency", 200),
            ("/v1/history/{list}", "/v1/history/gaps?day=2026-11-29&symbol=A&limit=1", 200),
            ("/v1/history/{list}", "/v1/history/losses", 404),
            ("/v1/history/{list}", "/v1/history/gaps?day=2026-02-30", 400),
            ("/v1/history/{list}", "/v1/history/gaps?day=2026-02-28", 503),
            ("/v1/history/{list}", "/v1/history/audits?symbol=BUSY", 503),
        ]
        for (path, target, status) in requests {
            let answer = try stack.get(target)
            #expect(answer.status == status, "\(target): \(answer.text)")
            let schema = check.schema(path, status)
            #expect(schema != .null, "\(target)")
            #expect(check.faults(try JSONValue(answer.body), schema) == [], "\(target)")
        }
        let others: Set = ["/metrics", "/v1/stream"]
        #expect(check.paths == Set(requests.map(\.path)).union(others))
    }

    /// A store that answers nobody keeps nothing else waiting, nor do more questions than may wait.
    @Test func aStoreThatIsSilent() throws {
        var options = BookServer.Options()
        options.history = { _, _ in true }
        let stack = try Stack(options: options)
        defer { stack.stop() }
        let waiting = (0..<HistoryRequests.waitingCountMax).map { _ in
            RawClient(
                stack.server.port, head: "GET /v1/history/gaps HTTP/1.1\r\nHost: localhost\r\n\r\n")
        }
        var answer = Answer()
        stack.drive("refused") {
            answer = (try? stack.get("/v1/history/gaps")) ?? Answer()
            return answer.text.contains("storeBusy")
        }
        #expect(answer.status == 503 && waiting.allSatisfy { $0.read().isEmpty })
        #expect(try stack.get("/health").status == 200)
        let other = try Stack()
        defer { other.stop() }
        let none = try other.get("/v1/history/gaps")
        #expect(none.status == 404 && none.text.contains("noStore"))
    }

    /// An answer is cut if there is one more row than may be in it, and not if there are just as many.
    @Test func historyIsCutIfThereIsMore() throws {
        var options = BookServer.Options()
        options.history = { query, use in
            let rows = (0..<3).map { "{\"number\":\($0)}" }
            use(.rows(Array(rows.suffix(query.countMax))))
            return true
        }
        let stack = try Stack(options: options)
        defer { stack.stop() }
        for (limit, wanted) in [(2, [1, 2]), (3, [0, 1, 2]), (4, [0, 1, 2])] {
            let answer = try JSONValue(stack.get("/v1/history/gaps?limit=\(limit)").body)
            let numbers = answer["rows"].items.compactMap { $0["number"].integer }
            #expect(answer["isCut"] == .flag(limit == 2) && numbers == wanted, "limit \(limit)")
            #expect(answer["limit"].integer == limit)
        }
    }

    /// A check that finds nothing proves nothing.
    @Test func whatIsNotDescribedIsFound() throws {
        let check = try SchemaCheck(Page.document)
        let schema = check.schema("/health", 200)
        #expect(check.faults(try JSONValue(Array(#"{"books":1,"live":1}"#.utf8)), schema) == [])
        for wrong in [
            #"{"books":1}"#, #"{"books":1,"live":"1"}"#, #"{"books":1,"live":1,"x":1}"#,
            #"{"books":-1,"live":1}"#,
        ] {
            #expect(check.faults(try JSONValue(Array(wrong.utf8)), schema).count == 1, "\(wrong)")
        }
    }

    /// `/v1` shows the book that REST shows.
    @Test func levelsAreThoseOfREST() throws {
        let stack = try Stack(speed: 1)
        defer { stack.stop() }
        var equalCount = 0
        stack.drive("no answers at the same id") {
            guard let rest = try? JSONValue(stack.depth("SIM0USDT", limit: 50).body),
                let own = try? JSONValue(stack.get("/v1/books/SIM0USDT?limit=50").body),
                let analytics = try? JSONValue(stack.get("/v1/books/SIM0USDT/analytics?levels=1").body),
                rest["lastUpdateId"] == own["lastUpdateId"], own["lastUpdateId"] == analytics["lastUpdateId"]
            else { return false }
            #expect(rest["bids"] == own["bids"]["levels"] && rest["asks"] == own["asks"]["levels"])
            #expect(own["bids"]["complete"] == .flag(true) && own["digest"].text?.utf8.count == 16)
            #expect(analytics["bid"]["price"] == own["bids"]["levels"].items[0].items[0])
            #expect(analytics["imbalance"]["asks"]["quantity"] == own["asks"]["levels"].items[0].items[1])
            equalCount += 1
            return equalCount == 3
        }
    }

    /// A book that is not live shows no level, no sum and no price, and says why.
    @Test func aBookThatIsNotLiveShowsNothing() throws {
        let stack = try Stack()
        defer { stack.stop() }
        _ = try stack.depth("SIM0USDT")
        stack.drive("never ready") { (try? stack.get("/ready").status) == 200 }
        stack.venue.stop()
        var book = JSONValue.null
        stack.drive("stale") {
            book = (try? JSONValue(stack.get("/v1/books/SIM0USDT").body)) ?? .null
            return book["state"].text == "stale"
        }
        #expect(book["reason"].text != nil && book["isServed"] == .flag(false))
        #expect(book["bids"]["levels"] == .null && book["bids"]["complete"] == .flag(false))
        #expect(book["digest"] == .null)
        let target = "/v1/books/SIM0USDT/analytics?quantity=1&basisPoints=10"
        let analytics = try JSONValue(stack.get(target).body)
        for name in ["bid", "ask", "spread", "mid", "microprice"] {
            #expect(analytics.members[name] == .null, "\(name)")
        }
        #expect(analytics["quantity"]["buy"] == .null && analytics["imbalance"]["value"] == .null)
        let row = try JSONValue(stack.get("/v1/books?symbols=SIM0USDT").body)["books"].items[0]
        #expect(row["spread"] == .null && row["bids"]["best"] == .null)
    }

    @Test func aClientFollowsTheEventStream() throws {
        let stack = try Stack()
        defer { stack.stop() }
        for symbol in stack.symbols { _ = try stack.depth(symbol) }
        let target = "http://127.0.0.1:\(stack.server.port)/v1/stream?intervalMs=100"
        let first = try Follower(target, on: stack.loop)
        stack.drive("tops of both books") {
            ["SIM0USDT", "SIM1USDT"].allSatisfy {
                first.text.contains("\"symbol\":\"\($0)\",\"state\":\"live\"")
            }
        }
        #expect(first.status == 200 && first.text.hasPrefix("retry: 1000\n\n"))
        let before = first.text
        stack.drive("more") { first.text.count > before.count && first.text.hasSuffix("\n\n") }
        let id = try #require(first.text.split(separator: "\n").last { $0.hasPrefix("id: ") })
        #expect(try stack.get("/v1/connections").text.contains("\"eventStreams\":1"))
        first.cancel()
        stack.drive("gone") {
            first.isOver && (try? stack.get("/v1/connections").text.contains("\"eventStreams\":0")) == true
        }
        stack.venue.stop()
        stack.drive("stale") { (try? stack.get("/health").text.contains("\"live\":0")) == true }
        // It was away when the state changed, and hears of it.
        let second = try Follower(target, on: stack.loop, after: String(id.dropFirst(4)))
        stack.drive("what was missed") {
            second.text.contains("event: state\n") && second.text.contains("\"before\":\"live\"")
        }
        // One that begins anew gets no history.
        let third = try Follower(target, on: stack.loop)
        stack.drive("tops") { third.text.contains("event: top\n") }
        #expect(!third.text.contains("event: state") && third.text.contains("\"bid\":null"))
    }

    @Test func otherMethodsAreRefused() throws {
        let stack = try Stack()
        defer { stack.stop() }
        let problem = APIProblem.method.response
        #expect(problem.status == 405 && problem.headers.contains { $0.name == "Allow" })
        #expect(try stack.get("/v1/nope").status == 404)
    }

    /// Where a server has tokens, nothing of books is told without one.
    @Test func tokensAreAskedFor() throws {
        var options = BookServer.Options()
        options.tokens = ["a-token-of-some-length"]
        let stack = try Stack(options: options)
        defer { stack.stop() }
        for target in ["/health", "/", "/page/app.js", "/v1/openapi.json"] {
            #expect(try stack.get(target).status == 200, "\(target)")
        }
        let bearer = HTTPHeader("Authorization", "Bearer a-token-of-some-length")
        for target in ["/metrics", "/v1/books", "/v1/books/SIM0USDT", "/v1/buffers", "/v1/latency"] {
            let refusal = try stack.get(target)
            #expect(refusal.status == 401 && refusal.text.contains("unknownCaller"), "\(target)")
            #expect(try stack.get(target, header: bearer).status == 200, "\(target)")
            #expect(try stack.get(target + "?token=a-token-of-some-length").status == 200, "\(target)")
        }
        #expect(try stack.get("/v1/stream").status == 401)
    }

    @Test func tooManyRequestsAreRefused() throws {
        var options = BookServer.Options()
        options.requestsPerSecondMax = 3
        let stack = try Stack(options: options)
        defer { stack.stop() }
        var answer = Answer()
        for _ in 0..<20 where answer.status != 429 { answer = try stack.get("/v1/planner") }
        #expect(answer.status == 429 && answer.headers["retry-after"] == "1")
    }

    /// The page comes from the executable, is small, and asks nobody else for anything.
    @Test func thePageIsSelfContained() throws {
        var length = 0
        for page in Page.allCases {
            let response = page.response
            length += response.body.count
            let text = String(decoding: response.body, as: UTF8.self)
            let outside = text.replacing("http://www.w3.org/2000/svg", with: "")
            #expect(!outside.contains("http://") && !outside.contains("https://"), "\(page)")
            #expect(!text.contains("style=\"") && !text.contains("onclick"), "\(page): against the policy")
            let policy = response.headers.first { $0.name == "Content-Security-Policy" }?.value ?? ""
            #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "\(page)")
            // What a file of the page asks for is there.
            for match in text.matches(of: #/["'](\/page\/[a-z]+\.[a-z]+)["']/#) {
                #expect(Page(path: String(match.1)) != nil, "\(page): \(match.1)")
            }
        }
        #expect(length < 200_000 && length > 20_000)
        let stack = try Stack()
        defer { stack.stop() }
        #expect(try stack.get("/").text.hasPrefix("<!doctype html>"))
        #expect(try stack.get("/page/nope.js").status == 404)
    }
}

/// A client of the event stream and what it heard.
private final class Follower {
    private(set) var text = ""
    private(set) var status: Int?
    private(set) var isOver = false
    private var fetch: HTTPFetch?

    init(_ url: String, on loop: EventLoop, after id: String? = nil) throws {
        var options = HTTPFetch.Options()
        if let id, let header = HTTPHeader("Last-Event-ID", id) { options.headers = [header] }
        var handlers = HTTPFetch.Handlers(
            body: { [self] bytes in
                text += String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
            }, finished: { [self] _ in isOver = true })
        handlers.answered = { [self] in status = $0 }
        fetch = HTTPFetch(try ServiceURL(url), on: loop, options: options, handlers: handlers)
    }

    func cancel() { fetch?.cancel() }
}
