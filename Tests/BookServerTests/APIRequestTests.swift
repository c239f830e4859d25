// What paths and queries mean, and what is refused.

import Testing

@testable import BookServer

@Suite struct APIRequestTests {
    private func read(_ path: String, _ query: [(String, String)] = []) throws -> APIRequest? {
        try APIRequest.read(path, query.map { (name: $0.0, value: $0.1) })
    }

    @Test func pathsAreRead() throws {
        #expect(try read("/health") == .health && read("/ready") == .ready && read("/metrics") == .metrics)
        #expect(try read("/") == .page(.index) && read("/page/app.js") == .page(.app))
        #expect(try read("/", [("from", "mail"), ("x", "")]) == .page(.index))
        #expect(try read("/v1/openapi.json") == .document)
        #expect(try read("/v1/books") == .books(nil))
        #expect(try read("/v1/books", [("symbols", "A,B")]) == .books(["A", "B"]))
        #expect(try read("/v1/books/A") == .book("A", levelCountMax: 20))
        #expect(try read("/v1/books/A", [("limit", "5000")]) == .book("A", levelCountMax: 5_000))
        var analysis = APIRequest.Analysis()
        #expect(try read("/v1/books/A/analytics") == .analytics("A", analysis))
        analysis.levelCount = 9
        (analysis.quantity, analysis.notional, analysis.price) = ("1.5", "7", "0.1")
        analysis.basisPoints = 0
        let query = [
            ("levels", "9"), ("quantity", "1.5"), ("notional", "7"), ("price", "0.1"), ("basisPoints", "0"),
        ]
        #expect(try read("/v1/books/A/analytics", query) == .analytics("A", analysis))
        #expect(try read("/v1/stream", [("intervalMs", "100")]) == .stream(nil, intervalMs: 100))
        #expect(try read("/v1/buffers") == .buffers && read("/v1/planner") == .planner)
        var history = HistoryQuery(list: .gaps)
        #expect(try read("/v1/history/gaps") == .history(history))
        (history.symbol, history.day, history.countMax) = ("A", "2026-11-29", 7)
        let rows = [("symbol", "A"), ("day", "2026-11-29"), ("limit", "7")]
        #expect(try read("/v1/history/gaps", rows) == .history(history))
        #expect(try read("/v1/connections") == .connections && read("/v1/latency") == .latency)
    }

    /// Other paths are the venue's.
    @Test(arguments: ["/api/v3/depth", "/v12/books", "/page", "/page/", "/page/../app.js", "/index.html", ""])
    func othersAreNotOurs(_ path: String) throws { #expect(try read(path) == nil) }

    @Test(arguments: [
        "/v1", "/v1/", "/v1/nope", "/v1/books/", "/v1/books/A/", "/v1/books/A/levels", "/v1/books//analytics",
        "/v1/books/A/analytics/x", "/v1/stream/A", "/v1/history", "/v1/history/losses", "/v1/history/gaps/1",
    ])
    func unknownPaths(_ path: String) {
        #expect(throws: APIProblem.unknownPath) { try read(path) }
    }

    @Test(arguments: [
        ("/v1/books/A", "limit", "0"), ("/v1/books/A", "limit", "5001"), ("/v1/books/A", "limit", ""),
        ("/v1/books/A", "limit", "+5"), ("/v1/books/A", "limit", "99999999999999999999"),
        ("/v1/books", "symbols", ""), ("/v1/books", "symbols", "A,,B"), ("/v1/stream", "intervalMs", "99"),
        ("/v1/books/A/analytics", "quantity", "-1"), ("/v1/books/A/analytics", "quantity", "1e3"),
        ("/v1/books/A/analytics", "price", "1."), ("/v1/books/A/analytics", "price", ".1"),
        ("/v1/books/A/analytics", "notional", "1234567890123456789"),
        ("/v1/books/A/analytics", "notional", "1.2.3"), ("/v1/books/A/analytics", "levels", "0"),
        ("/v1/books/A/analytics", "basisPoints", "10001"), ("/v1/history/gaps", "day", "2026-11"),
        ("/v1/history/gaps", "day", "2026-11-2x"), ("/v1/history/gaps", "day", "20261129xx"),
        ("/v1/history/gaps", "symbol", ""), ("/v1/history/audits", "limit", "1001"),
    ])
    func badValues(_ path: String, _ name: String, _ value: String) {
        let problem = #expect(throws: APIProblem.self) { try read(path, [(name, value)]) }
        #expect(problem?.status == 400 && problem?.code == "badParameter", "\(path) \(name) \(value)")
    }

    @Test func strangersAndTwinsAreRefused() {
        #expect(throws: APIProblem.strayParameter("limt")) { try read("/v1/books/A", [("limt", "5")]) }
        #expect(throws: APIProblem.strayParameter("limit")) {
            try read("/v1/books/A", [("limit", "5"), ("limit", "6")])
        }
        #expect(throws: APIProblem.strayParameter("x")) { try read("/health", [("x", "")]) }
    }

    @Test func textIsQuoted() {
        var json = JSONWriter()
        json.object { json in
            json.member("a\"b", "x\\y\u{1}\n€")
            json.member("none", nil as String?)
            json.array("list") { json in
                json.element("1")
                json.object { $0.member("n", 5) }
                json.array { _ in }
            }
            json.members("")
            json.members("\"k\":1")
            json.nothing("z")
        }
        #expect(
            json.text
                == #"{"a\"b":"x\\y\u0001\u000a€","none":null,"list":["1",{"n":5},[]],"k":1,"z":null}"#)
    }
}
