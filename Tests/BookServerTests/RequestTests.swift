// REST answers of the server.

import BinanceVenue
import LobTransport
import MarketData
import Testing
import VenueSupport

@testable import BookServer

extension ServerTests {
    @Test func requestsAreAnsweredAsTheVenueDoes() throws {
        let stack = try Stack()
        defer { stack.stop() }
        #expect(try stack.get("/api/v3/ping").text == "{}")
        #expect(try stack.get("/api/v3/time").text.hasPrefix("{\"serverTime\":"))
        let depth = try stack.depth("SIM0USDT", limit: 5)
        #expect(depth.text.hasPrefix("{\"lastUpdateId\":") && depth.text.contains("\"bids\":[[\""))
        #expect(depth.headers["x-mbx-used-weight-1m"] != nil)
        #expect(depth.headers["x-lob-depth-limit"] == nil)
        let best = try stack.get("/api/v3/ticker/bookTicker?symbol=SIM0USDT")
        #expect(best.text.hasPrefix("{\"symbol\":\"SIM0USDT\",\"bidPrice\":\""))
        stack.drive("tickers of all books") {
            (try? stack.get("/api/v3/ticker/bookTicker").text.contains("SIM1USDT")) ?? false
        }
        stack.drive("the venue's list") {
            (try? stack.get("/api/v3/exchangeInfo?symbol=SIM0USDT").text.contains("PRICE_FILTER")) ?? false
        }
    }

    /// Clients of the futures read what positions are held in.
    @Test(arguments: [(Market.usdm, "USDT"), (.coinm, "SIM0")])
    func futuresAreListedWithTheirMargin(_ market: Market, _ margin: String) throws {
        let stack = try Stack(market)
        defer { stack.stop() }
        let path = market.requestPath + "/exchangeInfo"
        stack.drive("the venue's list") {
            (try? stack.get(path).text.contains("\"marginAsset\":\"\(margin)\"")) ?? false
        }
    }

    /// On COIN-M best prices come in a list, also those of one symbol; a pair stands for its symbols.
    @Test func bestPricesOfCoinsAreLists() throws {
        let stack = try Stack(.coinm)
        defer { stack.stop() }
        for symbol in stack.symbols { _ = try stack.depth(symbol) }
        let path = "/dapi/v1/ticker/bookTicker"
        for query in ["symbol=SIM1USD_PERP", "pair=SIM1USD"] {
            let text = try stack.get("\(path)?\(query)").text
            #expect(text.hasPrefix("[{\"lastUpdateId\":") && text.hasSuffix("}]"), "\(query): \(text)")
            #expect(text.contains("\"symbol\":\"SIM1USD_PERP\",\"pair\":\"SIM1USD\""), "\(text)")
            #expect(!text.contains("SIM0USD"), "\(query): \(text)")
        }
        #expect(try stack.get("\(path)?pair=NOSUCH").text.contains("-1121"))
        #expect(try stack.get("\(path)?pair=SIM1USD&symbol=SIM1USD_PERP").text.contains("-1128"))
    }

    @Test func refusalsAreTheVenues() throws {
        let stack = try Stack()
        defer { stack.stop() }
        let unknown = try stack.get("/api/v3/depth?symbol=NOSUCH")
        #expect(unknown.status == 400 && unknown.text == "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}")
        #expect(try stack.get("/api/v3/depth").text.contains("-1102"))
        #expect(try stack.get("/api/v3/depth?symbol=SIM0USDT&limit=x").text.contains("-1100"))
        let path = try stack.get("/api/v3/ticker/price?symbol=SIM0USDT")
        #expect(path.status == 404 && path.headers["x-lob-served"]?.contains("depth") == true)
    }

    /// A page of another site gets nothing, not even under a name that points here.
    @Test func pagesOfElsewhereAreRefused() throws {
        let stack = try Stack()
        defer { stack.stop() }
        let status = { (value: String) in
            try stack.get("/api/v3/ping", header: HTTPHeader("Origin", value)).status
        }
        #expect(try status("https://evil.example") == 403)
        #expect(try status("null") == 403)
        #expect(try status("http://127.0.0.1.evil.example") == 403)
        #expect(try status("http://localhost:3000") == 200)
        let rules = CallerRules(BookServer.Options())
        #expect(rules.admits(host: "localhost:9443", origin: nil) && rules.admits(host: nil, origin: nil))
        #expect(rules.admits(host: "[::1]:9443", origin: nil) && rules.admits(host: "127.9.9.9", origin: nil))
        #expect(!rules.admits(host: "evil.example:9443", origin: nil))
        for (site, goal, isAdmitted) in [
            ("cross-site", "image", false), ("cross-site", "empty", false), ("cross-site", "document", true),
            ("same-origin", "empty", true), ("none", "document", true),
        ] {
            let admits = rules.admits(host: "127.0.0.1", origin: nil, fetch: (site, goal))
            #expect(admits == isAdmitted, "\(site), \(goal)")
        }
        #expect(!rules.admits(host: "127.0.0.evil", origin: nil))
        // On every address: a name may be one that was moved here, unless a token is needed.
        var options = BookServer.Options()
        options.address = nil
        let every = CallerRules(options)
        for host in ["10.1.2.3:9443", "[2001:db8::1]:9443", "localhost", "127.0.0.1:1", "[::1]"] {
            #expect(every.admits(host: host, origin: nil), "\(host)")
        }
        for host in ["books.example", "10.1.2.3.evil.example", "1.2.3", "1.2.3.256", "[evil.example]", ""] {
            #expect(!every.admits(host: host, origin: nil), "\(host)")
        }
        #expect(every.admits(host: nil, origin: nil))
    }

    /// Names are refused only where nothing else tells a client from a page that has moved its name here.
    @Test(arguments: [nil, "10.1.2.3", "127.0.0.1"])
    func namesAreAdmittedWherePagesGetNothing(_ address: String?) {
        var open = BookServer.Options()
        open.address = address
        #expect(!CallerRules(open).admits(host: "books.example", origin: nil))
        var (known, secure) = (open, open)
        known.tokens = ["0123456789abcdef"]
        secure.tls = TLSIdentity(certificatePath: "cert.pem", keyPath: "key.pem")
        for options in [known, secure] {
            let rules = CallerRules(options)
            #expect(rules.admits(host: "books.example:9443", origin: nil))
            #expect(rules.admits(host: "books.example", origin: "http://localhost:3000"))
            #expect(!rules.admits(host: "books.example", origin: "https://evil.example"))
        }
    }

    @Test func theServerSpeaksOfItself() throws {
        let stack = try Stack()
        defer { stack.stop() }
        for symbol in stack.symbols { _ = try stack.depth(symbol) }
        #expect(try stack.get("/health").text == "{\"books\":2,\"live\":2}")
        let books = try stack.get("/v1/books").text
        #expect(books.hasPrefix("{\"market\":\"spot\",\"timeUs\":"))
        #expect(books.contains("{\"symbol\":\"SIM0USDT\",\"state\":\"live\",\"reason\":null,"))
        let page = try stack.get("/metrics").text
        #expect(faults(ofMetrics: page) == [])
        let lines = page.split(separator: "\n")
        #expect(lines.contains("# TYPE lob_server_bridges_total counter"))
        #expect(lines.contains { $0.hasPrefix("lob_book_state{symbol=\"SIM1USDT\",state=\"live\"} ") })
    }

    /// A book that is not live is not shown.
    @Test func aBookThatIsNotLiveIsRefused() throws {
        let stack = try Stack()
        defer { stack.stop() }
        _ = try stack.depth("SIM0USDT")
        stack.venue.stop()
        var refusal = Answer()
        stack.drive("refused") {
            refusal = (try? stack.get("/api/v3/depth?symbol=SIM0USDT")) ?? Answer()
            return refusal.status == 503
        }
        #expect(refusal.text.contains("\"code\":-1001") && refusal.text.contains("stale"))
        #expect(refusal.headers["retry-after"] == "1")
    }
}
