// The server's own requests, parsed from path and query. Anything unknown is refused, not ignored: a misspelt
// parameter must not seem to have been obeyed.
//
//     path                          parameters
//     /health, /ready, /metrics
//     /v1/openapi.json
//     /v1/books                     symbols
//     /v1/books/{symbol}            limit
//     /v1/books/{symbol}/analytics  levels quantity notional price basisPoints
//     /v1/buffers, /v1/planner, /v1/connections, /v1/latency
//     /v1/history/{list}            symbol day limit
//     /v1/stream                    symbols intervalMs
//     /, /page/…                    anything: the dashboard

import MarketData

/// A request to the server itself.
enum APIRequest: Equatable {
    case health
    case ready
    case metrics
    case document
    case page(Page)
    /// Symbol names; nil: all.
    case books([String]?)
    case book(String, levelCountMax: Int)
    case analytics(String, Analysis)
    case buffers
    case planner
    case connections
    case latency
    case history(HistoryQuery)
    case stream([String]?, intervalMs: Int)

    /// A query about one book. Decimals are still text: their scale depends on the book.
    struct Analysis: Equatable {
        var levelCount = 5
        var quantity: String?
        var notional: String?
        var price: String?
        var basisPoints: Int?
    }

    /// Whether, if the server has tokens, this needs one: anything about a single book, a client or the
    /// venue. The number of books, how many of them are live, and the page's files are not secret.
    var isSecret: Bool {
        switch self {
        case .health, .ready, .document, .page: false
        case .metrics, .books, .book, .analytics, .buffers, .planner, .connections, .latency, .history,
            .stream:
            true
        }
    }

    /// Whether the answer is at most a line long.
    var isShort: Bool { self == .health || self == .ready }

    static let levelCountMax = 5_000
    static let intervalsMs = 100...10_000
    static let basisPointsMax = 10_000

    /// Whether a path is the server's own, though perhaps an unknown one: no venue has it.
    static func isOwn(_ path: String) -> Bool {
        switch path {
        case "/health", "/ready", "/metrics", "/v1": true
        default: path.hasPrefix("/v1/") || Page(path: path) != nil
        }
    }

    /// Parses a request; nil if the path is not the server's own.
    ///
    /// - Parameters:
    ///   - path: decoded.
    ///   - query: names and values, decoded.
    static func read(
        _ path: String, _ query: [(name: String, value: String)]
    ) throws(APIProblem) -> APIRequest? {
        // A shared link to the page may carry any parameters.
        if let page = Page(path: path) { return .page(page) }
        var query = Query(query)
        guard let request = try read(path, &query) else { return nil }
        try query.finish()
        return request
    }

    private static func read(_ path: String, _ query: inout Query) throws(APIProblem) -> APIRequest? {
        switch path {
        case "/health": return .health
        case "/ready": return .ready
        case "/metrics": return .metrics
        default: break
        }
        if !isOwn(path) { return nil }
        let parts = path.dropFirst(3).split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        switch (parts.count > 1 ? parts[1] : "", parts.count) {
        case ("openapi.json", 2): return .document
        case ("buffers", 2): return .buffers
        case ("planner", 2): return .planner
        case ("connections", 2): return .connections
        case ("latency", 2): return .latency
        case ("books", 2): return .books(try query.names("symbols"))
        case ("books", 3) where !parts[2].isEmpty:
            return .book(parts[2], levelCountMax: try query.number("limit", 1...levelCountMax) ?? 20)
        case ("books", 4) where !parts[2].isEmpty && parts[3] == "analytics":
            return .analytics(parts[2], try query.analysis())
        case ("history", 3):
            guard let list = HistoryQuery.List(rawValue: parts[2]) else { throw .unknownPath }
            return .history(try query.history(list))
        case ("stream", 2):
            return .stream(
                try query.names("symbols"), intervalMs: try query.number("intervalMs", intervalsMs) ?? 250)
        default: throw .unknownPath
        }
    }
}

/// Parameters consumed one by one.
private struct Query {
    private var parts: [(name: String, value: String)]

    init(_ parts: [(name: String, value: String)]) { self.parts = parts }

    mutating func take(_ name: String) -> String? {
        guard let index = parts.firstIndex(where: { $0.name == name }) else { return nil }
        return parts.remove(at: index).value
    }

    mutating func number(_ name: String, _ range: ClosedRange<Int>) throws(APIProblem) -> Int? {
        guard let text = take(name) else { return nil }
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text),
            range.contains(number)
        else { throw .badParameter(name, "a number, \(range.lowerBound) … \(range.upperBound)") }
        return number
    }

    mutating func names(_ name: String) throws(APIProblem) -> [String]? {
        guard let text = take(name) else { return nil }
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        if names.contains(where: \.isEmpty) { throw .badParameter(name, "symbols with commas between") }
        return names
    }

    /// A decimal without sign, with at most 18 digits before and 18 after the point.
    mutating func decimal(_ name: String) throws(APIProblem) -> String? {
        guard let text = take(name) else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isDecimal =
            parts.count <= 2
            && parts.allSatisfy { digits in
                (1...18).contains(digits.count) && digits.allSatisfy { (0x30...0x39).contains($0) }
            }
        if !isDecimal { throw .badParameter(name, "a decimal such as 0.25") }
        return text
    }

    mutating func analysis() throws(APIProblem) -> APIRequest.Analysis {
        var analysis = APIRequest.Analysis()
        if let count = try number("levels", 1...APIRequest.levelCountMax) { analysis.levelCount = count }
        analysis.quantity = try decimal("quantity")
        analysis.notional = try decimal("notional")
        analysis.price = try decimal("price")
        analysis.basisPoints = try number("basisPoints", 0...APIRequest.basisPointsMax)
        return analysis
    }

    mutating func history(_ list: HistoryQuery.List) throws(APIProblem) -> HistoryQuery {
        var wanted = HistoryQuery(list: list)
        if let text = take("symbol") {
            guard let symbol = SymbolName(text), !symbol.isEmpty else {
                throw .badParameter("symbol", "a symbol such as BTCUSDT")
            }
            wanted.symbol = "\(symbol)"
        }
        if let text = take("day") {
            let isDay = text.utf8.enumerated().allSatisfy { index, byte in
                index == 4 || index == 7 ? byte == UInt8(ascii: "-") : (0x30...0x39).contains(byte)
            }
            if text.utf8.count != 10 || !isDay { throw .noDay }
            wanted.day = text
        }
        wanted.countMax = try number("limit", HistoryQuery.countsMax) ?? wanted.countMax
        return wanted
    }

    func finish() throws(APIProblem) {
        if let stray = parts.first { throw .strayParameter(stray.name) }
    }
}
