// Where a WebSocket client connects to: which streams, in which shape.
//
//     path                        market        streams
//     ----------------------------|-------------|------------------------------------------
//     /ws[/<stream>[/<stream>…]]  all           bare
//     /stream[?streams=<s>/<s>…]  all           wrapped
//     /public/…                   USD-M         the same two forms
//     /market/…, /private/…       USD-M         accepted; the streams of books stay silent there
//
// `timeUnit=MICROSECOND` in the query asks for times in µs, on spot. Any other path is no service.

import BinanceVenue
import MarketData

/// The target of an upgrade, path and query decoded.
struct StreamTarget: Hashable {
    var names: [String] = []
    var isCombined: Bool
    var isMicroseconds = false
    /// Whether streams of books stay silent on this path.
    var isDeaf = false

    /// Nil if the path is no service of the market.
    init?(path: String, query: [(name: String, value: String)], market: Market) {
        var parts = path.split(separator: "/")
        if market == .usdm, let first = parts.first, ["public", "market", "private"].contains(first) {
            isDeaf = first != "public"
            parts.removeFirst()
        }
        switch parts.first {
        case "ws":
            isCombined = false
            names = parts.dropFirst().map(String.init)
        case "stream" where parts.count == 1:
            isCombined = true
            let streams = query.first { $0.name == "streams" }?.value ?? ""
            names = streams.split(separator: "/").map(String.init)
        default: return nil
        }
        let unit = query.first { $0.name == "timeUnit" }?.value
        isMicroseconds = market == .spot && unit?.uppercased() == "MICROSECOND"
    }
}
