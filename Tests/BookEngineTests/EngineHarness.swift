// Frames by hand for the tests of the engine.

import BinanceVenue
import BookEngine
import BookSync
import DepthBook
import LobHandoff
import MarketData

/// An engine with a clock that the test turns, fed with text.
struct EngineHarness: ~Copyable {
    var engine: BookEngine
    var nowNs: Int64 = 1_000_000_000
    var source: UInt16 = 1
    /// The connections that are up.
    private var connected: Set<UInt16> = []

    init(
        _ market: Market = .spot, symbols: [String] = ["BTCUSDT"],
        adjust: (inout EngineConfiguration) -> Void = { _ in }
    ) {
        var configuration = EngineConfiguration(rules: market.rules)
        adjust(&configuration)
        engine = BookEngine(configuration)
        for symbol in symbols { engine.addSymbol(SymbolName(symbol)!) }
    }

    mutating func frame(_ kind: FrameKind, _ body: [UInt8] = [], source: UInt16? = nil) {
        switch kind {
        case .connected: connected.insert(source ?? self.source)
        case .disconnected, .retired: connected.remove(source ?? self.source)
        default: break
        }
        let padded = body + [UInt8](repeating: 0x7B, count: 128)
        padded.withUnsafeBufferPointer { all in
            engine.step(
                Frame(
                    kind: kind, source: source ?? self.source, receivedAtNs: nowNs,
                    bytes: UnsafeBufferPointer(rebasing: all[..<body.count]), readableAfter: 128))
        }
    }

    mutating func message(_ text: String, source: UInt16? = nil) {
        frame(.message, Array(text.utf8), source: source)
    }

    /// A spot update; levels as `price:quantity` with one and one decimals.
    mutating func update(
        _ first: Int, _ last: Int, bids: [String] = [], asks: [String] = [], symbol: String = "BTCUSDT",
        source: UInt16? = nil
    ) {
        message(
            "{\"e\":\"depthUpdate\",\"E\":1700000000000,\"s\":\"\(symbol)\",\"U\":\(first),\"u\":\(last),"
                + "\"b\":\(EngineHarness.levels(bids)),\"a\":\(EngineHarness.levels(asks))}", source: source)
    }

    /// A futures update.
    mutating func futuresUpdate(
        _ previous: Int, _ first: Int, _ last: Int, bids: [String] = [], asks: [String] = [],
        source: UInt16? = nil
    ) {
        message(
            "{\"e\":\"depthUpdate\",\"E\":1700000000000,\"T\":1700000000000,\"s\":\"BTCUSDT\",\"U\":\(first),"
                + "\"u\":\(last),\"pu\":\(previous),\"b\":\(EngineHarness.levels(bids)),"
                + "\"a\":\(EngineHarness.levels(asks))}", source: source)
    }

    mutating func ticker(
        _ id: Int, bid: String, ask: String, symbol: String = "BTCUSDT", source: UInt16? = nil
    ) {
        let b = bid.split(separator: ":"), a = ask.split(separator: ":")
        message(
            "{\"u\":\(id),\"s\":\"\(symbol)\",\"b\":\"\(b[0])\",\"B\":\"\(b[1])\","
                + "\"a\":\"\(a[0])\",\"A\":\"\(a[1])\"}", source: source)
    }

    mutating func snapshot(
        _ id: Int, bids: [String], asks: [String], limit: Int = 1000, symbol: String = "BTCUSDT",
        extra: String = ""
    ) {
        let body =
            "{\"lastUpdateId\":\(id)\(extra),\"bids\":\(EngineHarness.levels(bids)),"
            + "\"asks\":\(EngineHarness.levels(asks))}"
        frame(
            .depthSnapshot,
            SnapshotEnvelope(symbol: SymbolName(symbol)!, limit: limit).bytes + Array(body.utf8))
    }

    mutating func snapshotFailed(_ symbol: String = "BTCUSDT") {
        frame(.snapshotFailed, SnapshotEnvelope(symbol: SymbolName(symbol)!, limit: 0).bytes)
    }

    mutating func tick(afterNs: Int64 = 0) {
        nowNs += afterNs
        frame(.tick)
    }

    static func levels(_ levels: [String]) -> String {
        "["
            + levels.map { level in
                let parts = level.split(separator: ":")
                return "[\"\(parts[0])\",\"\(parts[1])\"]"
            }.joined(separator: ",") + "]"
    }

    mutating func requests() -> [EngineRequest] {
        var requests: [EngineRequest] = []
        engine.takeRequests { requests.append($0) }
        return requests
    }

    func status(_ symbol: String = "BTCUSDT") -> SymbolStatus { engine.status(SymbolName(symbol)!)! }

    /// The book as `price:quantity`, best first.
    func book(_ side: Side, _ symbol: String = "BTCUSDT") -> [String] {
        engine.withBook(SymbolName(symbol)!) { book in
            book.levels(side).map { "\(book.scales!.text($0.price)):\(book.scales!.text($0.quantity))" }
        }!
    }

    /// Connected and live at id 10 with bids 9.0, 8.0 and asks 10.0, 11.0, proven throughout.
    mutating func goLive(symbol: String = "BTCUSDT") {
        if !connected.contains(source) { frame(.connected) }
        update(8, 9, symbol: symbol)
        snapshot(9, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"], symbol: symbol)
        update(10, 10, symbol: symbol)
        _ = requests()
    }
}
