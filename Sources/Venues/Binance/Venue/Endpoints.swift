// The venue's addresses: hosts, paths and names, per market and environment. Text in, text out; nothing is
// opened here.
//
// A URL is a base (scheme, host, port) and a target (path and query): a simulated exchange or a proxy
// replaces the base, and the targets stay.
//
// Invariants
// * A target is ASCII: every byte of a name other than the unreserved characters and `@` is percent-encoded,
//   so a symbol can neither end a path segment nor start a parameter.
// * Only ASCII letters of a symbol are lowercased in a stream name; other bytes are unchanged.

import MarketData

/// Addresses of one market in one environment.
public struct Endpoints: Hashable, Sendable {
    /// The market.
    public let market: Market
    /// Scheme, host and port of the streams, for example `wss://stream.binance.com:9443`.
    public var streamBase: String
    /// Scheme and host of REST, for example `https://api.binance.com`.
    public var restBase: String

    /// Addresses of other hosts that serve the venue's paths.
    public init(market: Market, streamBase: String, restBase: String) {
        self.market = market
        self.streamBase = streamBase
        self.restBase = restBase
    }

    /// The venue's addresses, or nil if the market has no such environment.
    public init?(market: Market, environment: VenueEnvironment = .production) {
        let hosts: (stream: String, rest: String)
        switch (market, environment) {
        case (.spot, .production): hosts = ("stream.binance.com:9443", "api.binance.com")
        case (.spot, .dataOnly): hosts = ("data-stream.binance.vision", "data-api.binance.vision")
        case (.spot, .testnet): hosts = ("stream.testnet.binance.vision", "testnet.binance.vision")
        case (.spot, .demo): hosts = ("demo-stream.binance.com", "demo-api.binance.com")
        case (.usdm, .production): hosts = ("fstream.binance.com", "fapi.binance.com")
        case (.usdm, .testnet): hosts = ("fstream.binancefuture.com", "testnet.binancefuture.com")
        case (.usdm, .demo): hosts = ("demo-fstream.binance.com", "demo-fapi.binance.com")
        case (.coinm, .production): hosts = ("dstream.binance.com", "dapi.binance.com")
        case (.coinm, .testnet): hosts = ("dstream.binancefuture.com", "testnet.binancefuture.com")
        case (.coinm, .demo): hosts = ("demo-dstream.binance.com", "demo-dapi.binance.com")
        case (.usdm, .dataOnly), (.coinm, .dataOnly): return nil
        }
        self.init(market: market, streamBase: "wss://" + hosts.stream, restBase: "https://" + hosts.rest)
    }

    /// Target of a raw connection: messages come unwrapped. Several streams may share it; with no names,
    /// subscribe later.
    ///
    /// - Parameters:
    ///   - names: names of the streams.
    ///   - isMicroseconds: times in µs instead of ms; spot only, ignored elsewhere.
    public func rawStreamTarget(_ names: [String], isMicroseconds: Bool = false) -> String {
        let path = ([streamPath + "/ws"] + names.map(percentEncoded)).joined(separator: "/")
        return isMicroseconds && market == .spot ? path + "?timeUnit=MICROSECOND" : path
    }

    /// Target of a combined connection: every message is wrapped with the name of its stream.
    ///
    /// - Parameters:
    ///   - names: names of the streams.
    ///   - isMicroseconds: times in µs instead of ms; spot only, ignored elsewhere.
    public func combinedStreamTarget(_ names: [String], isMicroseconds: Bool = false) -> String {
        var parameters: [String] = []
        if !names.isEmpty { parameters.append("streams=" + names.map(percentEncoded).joined(separator: "/")) }
        if isMicroseconds && market == .spot { parameters.append("timeUnit=MICROSECOND") }
        let path = streamPath + "/stream"
        return parameters.isEmpty ? path : path + "?" + parameters.joined(separator: "&")
    }

    /// Target of a depth snapshot. `limit` must be legal in this market; see `Market.snapshotLimit`.
    public func snapshotTarget(_ symbol: SymbolName, limit: Int) -> String {
        "\(market.requestPath)/depth?symbol=\(percentEncoded(symbol.description))&limit=\(limit)"
    }

    /// Target of the list of symbols and their properties.
    public var exchangeInfoTarget: String { market.requestPath + "/exchangeInfo" }

    /// Name of a symbol's depth stream as used in `SUBSCRIBE` (UTF-8, not percent-encoded); nil if the market
    /// has no such interval.
    public func depthStream(_ symbol: SymbolName, every interval: DepthInterval = .ms100) -> String? {
        market.suffix(interval).map { symbol.lowercasedASCII + "@depth" + $0 }
    }

    /// Name of a symbol's stream of its best 5, 10 or 20 levels; nil if the market has no such stream.
    public func partialDepthStream(
        _ symbol: SymbolName, levels: Int, every interval: DepthInterval = .ms100
    ) -> String? {
        guard [5, 10, 20].contains(levels) else { return nil }
        return market.suffix(interval).map { symbol.lowercasedASCII + "@depth\(levels)" + $0 }
    }

    /// Name of a symbol's stream of its best bid and ask.
    public func bookTickerStream(_ symbol: SymbolName) -> String { symbol.lowercasedASCII + "@bookTicker" }

    /// USD-M serves books under a path of their own; the old form without it is merely tolerated.
    private var streamPath: String {
        switch market {
        case .usdm: "/public"
        case .spot, .coinm: ""
        }
    }
}

extension Market {
    /// Prefix of its REST paths.
    package var requestPath: String {
        switch self {
        case .spot: "/api/v3"
        case .usdm: "/fapi/v1"
        case .coinm: "/dapi/v1"
        }
    }

    /// The interval suffix of a stream name; empty for the market's default.
    fileprivate func suffix(_ interval: DepthInterval) -> String? {
        switch (self, interval) {
        case (.spot, .ms1000), (.usdm, .ms250), (.coinm, .ms250): ""
        case (_, .ms100): "@100ms"
        case (.usdm, .ms500), (.coinm, .ms500): "@500ms"
        case (.spot, .ms250), (.spot, .ms500), (.usdm, .ms1000), (.coinm, .ms1000): nil
        }
    }
}

/// The text with every byte of its UTF-8 percent-encoded, except letters, digits and `-._~@`.
private func percentEncoded(_ text: String) -> String {
    let plain = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@".utf8)
    let hex = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        if plain.contains(byte) {
            bytes.append(byte)
        } else {
            bytes += [0x25, hex[Int(byte >> 4)], hex[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
