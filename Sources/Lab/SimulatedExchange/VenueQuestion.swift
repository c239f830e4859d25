// What a REST request asks, out of its path and query: the venue's parameter rules, and its refusals word for
// word.
//
//     path               parameters                                             weight: spot, USD-M, COIN-M
//     -------------------|------------------------------------------------------|--------------------------
//     ping               none                                                   1, 1, 1
//     time               none                                                   1, 1, 1
//     exchangeInfo       symbol or symbols, permissions, … (spot)               20, 1, 1
//     depth              symbol, limit, symbolStatus (spot)                     by limit
//     ticker/bookTicker  symbol, symbols (spot), pair (COIN-M), symbolStatus    2, 4 or 5 for several
//
// Spot refuses parameters it does not know, and lower-case symbols; the futures ignore the one and accept the
// other.

import BinanceVenue
import MarketData

/// A REST request that the venue understands.
public enum VenueQuestion: Hashable, Sendable {
    /// Nothing.
    case ping
    /// The venue's time.
    case time
    /// The facts of these symbols; nil: of all.
    case exchangeInfo([SymbolName]?)
    /// The best levels of a symbol; nil: as many as the market gives who does not say.
    case depth(SymbolName, limit: Int?)
    /// The best prices of one symbol.
    case bookTicker(SymbolName)
    /// The best prices of several symbols; nil: of all.
    case bookTickers([SymbolName]?)

    /// What it costs.
    public func weight(_ market: Market) -> Int {
        switch self {
        case .ping, .time: 1
        case .exchangeInfo: market.exchangeInfoWeight
        case .depth(_, let limit?): VenueBudget.weight(market, limit: limit)
        case .depth(_, nil): market == .spot ? 5 : 1
        case .bookTicker: 2
        case .bookTickers: market == .spot ? 4 : 5
        }
    }
}

/// Why a request is refused, in the venue's words.
public struct RequestRefusal: Error, Hashable, Sendable {
    /// HTTP status.
    public var status: Int
    /// The venue's code.
    public var code: Int
    /// The venue's text.
    public var message: String
    /// What the refused request costs all the same.
    public var weight = 1

    /// The venue has no book of a symbol that it lists.
    public static let noBook = RequestRefusal(
        status: 503, code: -1008, message: "Server is currently overloaded with other requests.")

    /// No such symbol.
    public static let badSymbol = RequestRefusal(status: 400, code: -1121, message: "Invalid symbol.")

    static func missing(_ name: String) -> RequestRefusal {
        RequestRefusal(
            status: 400, code: -1102,
            message: "Mandatory parameter '\(name)' was not sent, was empty/null, or malformed.")
    }

    static func illegal(_ name: String, legal: String) -> RequestRefusal {
        RequestRefusal(
            status: 400, code: -1100,
            message: "Illegal characters found in parameter '\(name)'; legal range is '\(legal)'.")
    }
}

/// Path and query of a request, decoded.
public struct VenueTarget: Hashable, Sendable {
    /// Method as HTTP spells it.
    public var method: String
    /// Path, for example `/api/v3/depth`.
    public var path: String
    /// Names and values of the query, in order.
    public var parameters: [Parameter]

    /// One of the query's parameters.
    public struct Parameter: Hashable, Sendable {
        /// Name.
        public var name: String
        /// Value, "" if it has none.
        public var value: String

        /// A parameter.
        public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
    }

    /// A target.
    public init(method: String = "GET", path: String, parameters: [Parameter] = []) {
        (self.method, self.path, self.parameters) = (method, path, parameters)
    }

    /// What it asks of a market.
    ///
    /// - Throws: the refusal to answer with.
    public func question(_ market: Market) throws(RequestRefusal) -> VenueQuestion {
        let prefix = market == .spot ? "/api/v3/" : market == .usdm ? "/fapi/v1/" : "/dapi/v1/"
        guard path.hasPrefix(prefix), method == "GET" || method == "HEAD" else { throw unknownPath }
        switch path.dropFirst(prefix.count) {
        case "ping":
            try allow([], market)
            return .ping
        case "time":
            try allow([], market)
            return .time
        case "exchangeInfo": return try exchangeInfo(market)
        case "depth": return try depth(market)
        case "ticker/bookTicker": return try bookTicker(market)
        default: throw unknownPath
        }
    }

    private var unknownPath: RequestRefusal {
        RequestRefusal(
            status: 404, code: -5000, message: "Path \(path), Method \(method) is invalid", weight: 0)
    }

    private func value(_ name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// Spot answers only if it reads every parameter.
    private func allow(_ names: Set<String>, _ market: Market) throws(RequestRefusal) {
        if market != .spot { return }
        let read = parameters.count { names.contains($0.name) }
        if read == parameters.count { return }
        throw RequestRefusal(
            status: 400, code: -1104,
            message: "Not all sent parameters were read; read '\(read)' parameter(s) but was sent "
                + "'\(parameters.count)'.")
    }

    private func exchangeInfo(_ market: Market) throws(RequestRefusal) -> VenueQuestion {
        if market != .spot { return .exchangeInfo(nil) }
        try allow(["symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus"], market)
        return .exchangeInfo(try symbols(market))
    }

    private func bookTicker(_ market: Market) throws(RequestRefusal) -> VenueQuestion {
        try allow(["symbol", "symbols", "symbolStatus"], market)
        if market == .spot && value("symbols") != nil { return .bookTickers(try symbols(market)) }
        if let text = value("symbol") { return .bookTicker(try symbol(text, market)) }
        return .bookTickers(nil)
    }

    private func depth(_ market: Market) throws(RequestRefusal) -> VenueQuestion {
        try allow(["symbol", "limit", "symbolStatus"], market)
        guard let text = value("symbol"), !text.isEmpty else { throw .missing("symbol") }
        let name = try symbol(text, market)
        guard let limitText = value("limit") else { return .depth(name, limit: nil) }
        guard !limitText.isEmpty, limitText.utf8.count <= 20,
            limitText.utf8.allSatisfy({ $0 &- 0x30 <= 9 })
        else { throw .illegal("limit", legal: "^[0-9]{1,20}$") }
        return .depth(name, limit: Int(limitText) ?? .max)
    }

    /// The symbols of `symbol` or `symbols`; nil if the request names none.
    private func symbols(_ market: Market) throws(RequestRefusal) -> [SymbolName]? {
        switch (value("symbol"), value("symbols")) {
        case (nil, nil): return nil
        case (.some, .some):
            throw RequestRefusal(
                status: 400, code: -1128, message: "Combination of optional parameters invalid.")
        case (let one?, nil): return [try symbol(one, market)]
        case (nil, let many?):
            guard let names = namesOfList(many), !names.isEmpty else {
                throw .illegal(
                    "symbols", legal: #"^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$"#
                )
            }
            var found: [SymbolName] = []
            for name in names { found.append(try symbol(name, market)) }
            return found
        }
    }

    private func symbol(_ text: String, _ market: Market) throws(RequestRefusal) -> SymbolName {
        if text.isEmpty { throw .missing("symbol") }
        if market != .spot {
            let upper = String(
                decoding: text.utf8.map { $0 >= 0x61 && $0 <= 0x7A ? $0 ^ 0x20 : $0 }, as: UTF8.self)
            guard let name = SymbolName(upper) else { throw .badSymbol }
            return name
        }
        let isLegal = text.utf8.allSatisfy { byte in
            byte >= 0x80 || byte &- 0x30 <= 9 || (byte >= 0x41 && byte <= 0x5A)
                || [0x2D, 0x2E, 0x5F].contains(byte)
        }
        if !isLegal { throw .illegal("symbol", legal: #"^[\w\-._&&[^a-z]]{1,50}$"#) }
        guard let name = SymbolName(text) else { throw .badSymbol }
        return name
    }
}
