// A harness of many symbols, and of the connections they come by.

import BinanceVenue
import DepthBook
import LobHandoff
import MarketData
import Testing

@testable import BookEngine

private let second: Int64 = 1_000_000_000
private let bids = ["9.0:1.0", "8.0:2.0"]
private let asks = ["10.0:1.0", "11.0:2.0"]

extension EngineHarness {
    /// Symbols `S0USDT` and so on, live at 10, as many as there are.
    static func market(
        _ count: Int, adjust: (inout EngineConfiguration) -> Void = { _ in }
    ) -> EngineHarness {
        var h = EngineHarness(symbols: (0..<count).map { "S\($0)USDT" }, adjust: adjust)
        h.frame(.connected)
        for index in 0..<count { h.goLive(symbol: "S\(index)USDT") }
        return h
    }

    mutating func reconnect() {
        frame(.disconnected)
        source += 1
        frame(.connected)
    }

    /// A tick on both clocks: the wall's and one that is never set.
    mutating func tick(wallNs: Int64, monotonicNs: Int64) {
        nowNs = wallNs
        frame(.tick, (0..<8).map { UInt8(truncatingIfNeeded: monotonicNs >> (8 * $0)) })
    }

    /// An update with nothing in it, with an event time in milliseconds.
    mutating func update(_ id: Int, atMs: Int64, symbol: String = "BTCUSDT", source: UInt16? = nil) {
        message(
            "{\"e\":\"depthUpdate\",\"E\":\(1_700_000_000_000 + atMs),\"s\":\"\(symbol)\",\"U\":\(id),"
                + "\"u\":\(id),\"b\":[],\"a\":[]}", source: source)
    }

    func states() -> [BookState] { engine.symbols.map { engine.status($0)!.state } }

    mutating func askedFor() -> [SymbolName] {
        requests().compactMap { request in
            if case .ask(let symbol, _, _) = request { symbol } else { nil }
        }
    }
}
