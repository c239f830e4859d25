// What keeps a server standing: caps, pace, tokens, its own backlog.

import FeedPlan
import LobHandoff
import LobTransport
import MarketData
import TestSupport
import Testing
import VenueSupport

@testable import BinanceServing
@testable import BookServer

extension ServerTests {
    /// A book that is not live is shown where that was asked for, and called by its name.
    @Test func staleBooksAreShown() throws {
        let stack = try stack { $0.servesStale = true }
        defer { stack.stop() }
        let target = "/api/v3/depth?symbol=SIM0USDT&limit=5"
        #expect(try stack.get(target).headers["x-lob-stale"] == nil)
        stack.venue.stop()
        var answer = Answer()
        stack.drive("stale") {
            answer = (try? stack.get(target)) ?? Answer()
            return answer.headers["x-lob-stale"] != nil
        }
        #expect(answer.status == 200 && answer.text.hasPrefix("{\"lastUpdateId\":"))
        #expect(answer.headers["x-lob-stale"]?.contains("stale") == true)
    }

    /// Where there is a certificate, there is nothing else; it is read again when that is asked for.
    @Test func allIsSecure() throws {
        let files = CertificateFiles.shared
        var options = BookServer.Options()
        options.tls = TLSIdentity(certificatePath: files.good.certificate, keyPath: files.good.key)
        let stack = try Stack(options: options)
        defer { stack.stop() }
        var loopOptions = EventLoop.Options()
        loopOptions.authorityPath = files.authority
        let loop = try EventLoop(loopOptions)
        defer { loop.close() }
        let place = "localhost:\(stack.server.port)"
        let listener = Listener(
            try ServiceURL("wss://\(place)/ws/sim0usdt@depth@100ms"), on: loop)
        let asked = try Asked("https://\(place)/api/v3/ping", on: loop)
        stack.drive("answers") {
            loop.turn(waitAtMostNs: 0)
            return asked.isOver && !listener.texts.isEmpty
        }
        #expect(asked.answer.status == 200 && asked.answer.text == "{}")
        #expect(try stack.get("/api/v3/ping").error != nil, "without TLS")
        let answers = CommandQueue<String?>(capacity: 1)
        #expect(stack.server.reloadIdentity { _ = answers.post($0) })
        var told: [String?] = []
        stack.drive("read again") {
            told += answers.take()
            return !told.isEmpty
        }
        #expect(told == [nil])
    }

    /// What the venue says of its symbols is said here word for word.
    @Test func theListIsTheVenues() throws {
        let stack = try stack { _ in }
        defer { stack.stop() }
        let timeless = { (text: String) in text.replacing(#/"serverTime":[0-9]+/#, with: "") }
        for query in ["", "?symbol=SIM1USDT"] {
            let target = "/api/v3/exchangeInfo" + query
            let theirs = timeless(try stack.get(target, port: stack.venue.port).text)
            stack.drive("\(query): the venue's list") {
                (try? timeless(stack.get(target).text)) == theirs
            }
            #expect(theirs.contains("\"rateLimits\":[{") && theirs.contains("\"symbol\":\"SIM1USDT\""))
        }
        let stranger = try stack.get("/api/v3/exchangeInfo?symbol=NOPE")
        #expect(stranger.status == 400 && stranger.text.contains("-1121"))
    }

    /// A client that offers it gets its messages packed, if bytes on the way to it cost anything.
    @Test(arguments: [(BookServer.Deflation.always, true), (.remote, false), (.never, false)])
    func streamsArePacked(_ deflate: BookServer.Deflation, _ isPacked: Bool) throws {
        let stack = try stack { $0.deflate = deflate }
        defer { stack.stop() }
        let client = RawClient(
            stack.server.port,
            head: "GET /ws/sim0usdt@depth20@100ms HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                + "Connection: Upgrade\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        var first: UInt8?
        stack.drive("a message") {
            client.read()
            let end = client.received.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound
            first = end.flatMap { client.received.count > $0 ? client.received[$0] : nil }
            return first != nil
        }
        #expect(first == (isPacked ? 0xC1 : 0x81))
        for (address, isRemote) in [
            ("127.0.0.1", false), ("127.9.9.9", false), ("::1", false),
            ("::ffff:127.0.0.1", false), ("10.0.0.1", true), ("2001:db8::1", true),
        ] {
            #expect(
                BookServer.Deflation.remote.packs(for: ownerName(of: address)) == isRemote, "\(address)")
        }
    }

    @Test func requestsHaveAPace() throws {
        let stack = try stack { $0.requestsPerSecondMax = 5 }
        defer { stack.stop() }
        // What came before may have used up the second.
        var answers: [Int: Answer] = [:]
        stack.drive("both answers") {
            if let answer = try? stack.get("/api/v3/ping") { answers[answer.status] = answer }
            return answers.count == 2
        }
        let refused = answers[429]
        #expect(refused?.text.contains("-1003") == true && refused?.headers["retry-after"] == "1")
        #expect(answers[200] != nil)
    }

    @Test func refusalsCostWeight() throws {
        let stack = try stack { _ in }
        defer { stack.stop() }
        let used = { try Int(stack.get("/api/v3/ping").headers["x-mbx-used-weight-1m"] ?? "") ?? 0 }
        let before = try used()
        for _ in 0..<10 { #expect(try stack.get("/api/v3/depth").status == 400) }
        let spent = try used() - before
        // A minute may have begun meanwhile.
        #expect(spent == 11 || spent < 0)
    }

    @Test func namesOfStreamsHaveALength() throws {
        let stack = try stack { _ in }
        defer { stack.stop() }
        let long = String(repeating: "x", count: 129)
        let refused = try stack.listen("/ws/\(long)@depth")
        stack.drive { refused.end != nil }
        #expect(refused.end?.peerCode == nil)
        let client = try stack.listen("/ws")
        stack.drive { client.isOpen }
        client.send("{\"method\":\"SUBSCRIBE\",\"params\":[\"\(long)\"],\"id\":1}")
        stack.drive { client.texts.contains { $0.contains("name too long") } }
        client.send("{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":2}")
        stack.drive { client.texts.contains("{\"result\":[],\"id\":2}") }
    }

    @Test func whoHasNoTokenIsRefused() throws {
        let token = "0123456789abcdef"
        let stack = try Stack(tokens: [token])
        defer { stack.stop() }
        let status = { (header: HTTPHeader?) in try stack.get("/api/v3/ping", header: header).status }
        #expect(try status(nil) == 401)
        #expect(try status(HTTPHeader("Authorization", "Bearer 0123456789abcdeX")) == 401)
        #expect(try status(HTTPHeader("Authorization", "Bearer \(token)")) == 200)
        #expect(try status(HTTPHeader("X-MBX-APIKEY", token)) == 200)
        #expect(try stack.get("/api/v3/time?token=\(token)").status == 200)
        #expect(try stack.get("/api/v3/time?token=").text.contains("-2015"))
        let refused = try stack.listen("/ws/sim0usdt@depth@100ms")
        let admitted = try stack.listen("/ws/sim0usdt@depth@100ms?token=\(token)")
        stack.drive { refused.end != nil && !admitted.texts.isEmpty }
        let rules = AccessRules(["aaaa", "bb"])
        #expect(rules.admits(authorization: nil, key: "bb", token: nil))
        for wrong in ["", "a", "aaaaa", "aaaaaaaa", "b", "bbbb"] {
            #expect(!rules.admits(authorization: "Bearer \(wrong)", key: wrong, token: wrong))
        }
    }

    /// Where too much waits for slow readers, nothing long is added to it.
    @Test func memoryForAnswersIsBounded() throws {
        var options = BookServer.Options()
        options.queuedBytesTotalMax = -1
        let stack = try Stack(options: options)
        defer { stack.stop() }
        for target in ["/metrics", "/v1/books", "/v1/books/SIM0USDT", "/v1/openapi.json", "/v1/stream", "/"] {
            let answer = try stack.get(target)
            #expect(answer.status == 503 && answer.text.contains("overloaded"), "\(target)")
        }
        for target in ["exchangeInfo", "depth?symbol=SIM0USDT", "ticker/bookTicker"] {
            let answer = try stack.get("/api/v3/" + target)
            #expect(answer.status == 503 && answer.text.contains("-1008"), "\(target)")
        }
        for target in ["/health", "/api/v3/ping", "/api/v3/time"] {
            #expect(try stack.get(target).status == 200, "\(target)")
        }
    }

    /// A name that comes twice does not double the answer.
    @Test func twinsAreOne() throws {
        let stack = try stack { _ in }
        defer { stack.stop() }
        let books = try stack.get("/v1/books?symbols=SIM1USDT,SIM0USDT,SIM1USDT,SIM0USDT,SIM0USDT").text
        #expect(books.split(separator: "\"appliedAtUs\"").count == 3)
        let list = "exchangeInfo?symbols=%5B%22SIM1USDT%22,%22SIM0USDT%22,%22SIM1USDT%22%5D"
        let info = try stack.get("/api/v3/" + list).text
        #expect(info.split(separator: "\"symbol\":\"SIM1USDT\"").count == 2, "\(info)")
    }

    /// Guesses have the pace of other requests: over REST, `/v1`, upgrades and the WebSocket API.
    @Test func guessesHaveAPace() throws {
        var options = BookServer.Options()
        options.requestsPerSecondMax = 3
        let stack = try Stack(options: options, tokens: ["0123456789abcdef"])
        defer { stack.stop() }
        for target in ["/api/v3/ping", "/v1/books"] {
            var seen: Set<Int> = []
            stack.drive("\(target): pace") {
                if let answer = try? stack.get(target) { seen.insert(answer.status) }
                return seen == [401, 429]
            }
        }
        let clients = (0..<20).map { _ in RawClient(stack.server.port, path: "/ws") }
        stack.drive("refused") { clients.allSatisfy { !$0.read().isEmpty } }
        #expect(clients.contains { $0.read().hasPrefix("HTTP/1.1 429") })
    }

    /// Requests that cannot be read have a pace, and so have those of foreign pages, which leave others
    /// theirs.
    @Test func requestsThatAreRefusedHaveAPace() throws {
        let stack = try stack { $0.requestsPerSecondMax = 3 }
        defer { stack.stop() }
        for target in ["/v1/nosuch", "/v1/books?limit=3", "/health?x=1"] {
            var seen: Set<Int> = []
            stack.drive("\(target): pace") {
                if let answer = try? stack.get(target) { seen.insert(answer.status) }
                return seen.count == 2 && seen.contains(429)
            }
        }
        let header = HTTPHeader("Origin", "https://evil.example")
        stack.drive("pace of pages") {
            let second = LoopClock.monotonicNs / 1_000_000_000
            while LoopClock.monotonicNs / 1_000_000_000 == second { stack.loop.turn(waitAtMostNs: 1_000_000) }
            let statuses = [header, header, header, header, nil].map { header in
                try? stack.get("/api/v3/ping", header: header).status
            }
            return statuses == [403, 403, 403, 429, 200]
        }
    }

    /// Of a name that nobody knows an answer repeats the beginning.
    @Test func longNamesAreNotRepeated() {
        let name = String(repeating: "é", count: 1_000)
        for problem in [APIProblem.strayParameter(name), .unknownSymbol(name)] {
            #expect(problem.detail.contains(String(repeating: "é", count: 32)))
            #expect(problem.detail.utf8.count < 150, "\(problem.detail)")
        }
    }

    @Test func messagesThatCannotBeReadHaveAPace() throws {
        let stack = try stack { $0.requestsPerSecondMax = 100 }
        defer { stack.stop() }
        let client = try stack.listen("/ws-api/v3")
        stack.drive { client.isOpen }
        // A second may begin amid them.
        for _ in 0..<220 { client.send("x") }
        stack.drive("closed") { client.end != nil }
        #expect(client.texts.contains { $0.contains("-1135") })
        #expect(client.end?.peerCode == 1008 && client.end?.peerReason == "Too many requests")
        // It was warned before.
        let warnings = client.texts.suffix(ServerMachine.warningCountMax)
        #expect(warnings.count == 10)
        #expect(warnings.allSatisfy { $0.hasPrefix("{\"id\":null,\"status\":429,") })
    }

    /// Books of a server that lies too far behind its feed are not shown.
    @Test func theServersOwnBacklogIsJudged() throws {
        var options = BookServer.Options()
        options.lagMsMax = -1
        let stack = try Stack(options: options)
        defer { stack.stop() }
        let answer = try stack.get("/api/v3/depth?symbol=SIM0USDT")
        #expect(answer.status == 503 && answer.text.contains("behind"))
        // Nothing else shows them either, and everything says why.
        let head = "\"state\":\"stale\",\"reason\":\"backlog\",\"isServed\":false,"
        var book = Answer()
        stack.drive("known as late") {
            book = (try? stack.get("/v1/books/SIM0USDT")) ?? Answer()
            return book.text.contains("backlog")
        }
        #expect(book.text.contains(head) && book.text.contains("\"levels\":null"))
        #expect(book.text.contains("\"digest\":null"))
        let row = try stack.get("/v1/books?symbols=SIM0USDT").text
        #expect(row.contains(head) && row.contains("\"best\":null") && row.contains("\"spread\":null"))
        let analytics = try stack.get("/v1/books/SIM0USDT/analytics").text
        #expect(analytics.contains(head) && analytics.contains("\"bid\":null,\"ask\":null"))
        #expect(try stack.get("/health").text == "{\"books\":2,\"live\":0}")
        let ready = try stack.get("/ready")
        #expect(ready.status == 503 && ready.text.contains("\"isReady\":false"))
        let events = RawClient(stack.server.port, head: "GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        var heard = ""
        stack.drive("tops") {
            heard = events.read()
            return heard.contains("event: top\ndata: {\"symbol\":\"SIM0USDT\"," + head)
        }
        #expect(!heard.contains("\"price\""))
        // A new listener of a stream gets nothing of them.
        let names = ["depth5@100ms", "bookTicker", "depth@100ms"].map { "sim0usdt@" + $0 }
        let partial = RawClient(stack.server.port, path: "/ws/" + names.joined(separator: "/"))
        stack.drive("counted") { stack.server.counters.streamCount == 3 }
        for _ in 0..<50 { stack.loop.turn(waitAtMostNs: 2_000_000) }
        #expect(!partial.read().contains("SIM0USDT"))
    }

    @Test func theWebSocketAPIAnswersAsREST() throws {
        let stack = try stack { _ in }
        defer { stack.stop() }
        let client = try stack.listen("/ws-api/v3")
        stack.drive { client.isOpen }
        let ask = { (text: String) -> String in
            let count = client.texts.count
            client.send(text)
            stack.drive { client.texts.count > count }
            return client.texts.last ?? ""
        }
        #expect(ask("{\"id\":1,\"method\":\"ping\"}").hasPrefix("{\"id\":1,\"status\":200,\"result\":{},"))
        let depth = ask(
            "{\"id\":\"d\",\"method\":\"depth\",\"params\":{\"symbol\":\"SIM0USDT\",\"limit\":5}}")
        #expect(depth.hasPrefix("{\"id\":\"d\",\"status\":200,\"result\":{\"lastUpdateId\":"))
        #expect(depth.contains("\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\""))
        let tickers = ask(
            "{\"id\":2,\"method\":\"ticker.book\",\"params\":{\"symbols\":[\"SIM0USDT\",\"SIM1USDT\"]}}")
        #expect(tickers.contains("\"result\":[{\"symbol\":\"SIM0USDT\"") || tickers.contains("-1001"))
        let wrong = ask("{\"id\":3,\"method\":\"depth\",\"params\":{\"symbol\":\"NOSUCH\"}}")
        #expect(wrong.hasPrefix("{\"id\":3,\"status\":400,\"error\":{\"code\":-1121,"))
        #expect(ask("{\"id\":4,\"method\":\"order.place\"}").contains("-1099"))
        #expect(ask("[]").hasPrefix("{\"id\":null,\"status\":400,"))
        #expect(client.isOpen)
    }
}
