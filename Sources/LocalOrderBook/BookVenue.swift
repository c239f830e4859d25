// The origin of books as one value.

import BinanceVenue

/// A venue with its addresses.
public struct BookVenue: Hashable, Sendable {
    /// Its addresses.
    public let endpoints: Endpoints

    /// A venue at these addresses.
    public init(_ endpoints: Endpoints) { self.endpoints = endpoints }

    /// Binance, spot.
    public static var binanceSpot: BookVenue { BookVenue(Endpoints(market: .spot)!) }

    /// Binance, USD-margined futures.
    public static var binanceUSDM: BookVenue { BookVenue(Endpoints(market: .usdm)!) }

    /// Binance, coin-margined futures.
    public static var binanceCOINM: BookVenue { BookVenue(Endpoints(market: .coinm)!) }

    /// A market of Binance at other addresses: a test network, a proxy, an exchange on this machine.
    ///
    /// - Parameters:
    ///   - market: the market.
    ///   - streams: scheme, host and port of the streams, for example `ws://127.0.0.1:9101`.
    ///   - rest: scheme, host and port of REST, for example `http://127.0.0.1:9101`.
    public static func binance(_ market: Market, streams: String, rest: String) -> BookVenue {
        BookVenue(Endpoints(market: market, streamBase: streams, restBase: rest))
    }
}
