// Parsing as Foundation offers it, to the same fixed-point levels as the engine.
//
// Decimals arrive as strings; both peers convert them with the package's own exact conversion, which is
// faster than `Decimal(string:)` and `Double` plus rounding. The decoder is made once and reused.

import Foundation
import MarketData

/// The fields of a depth update that a local book needs.
struct DepthEvent: Decodable {
    var eventTime: Int64
    var symbol: String
    var firstUpdateID: Int64
    var lastUpdateID: Int64
    var previousLastUpdateID: Int64?
    var bids: [[String]]
    var asks: [[String]]

    enum CodingKeys: String, CodingKey {
        case eventTime = "E"
        case symbol = "s"
        case firstUpdateID = "U"
        case lastUpdateID = "u"
        case previousLastUpdateID = "pu"
        case bids = "b"
        case asks = "a"
    }
}

/// A depth update in the wrapper of a combined stream.
struct CombinedDepthEvent: Decodable {
    var stream: String
    var data: DepthEvent
}

/// What every parser under test must find in a message.
struct ParsedMessage {
    var firstUpdateID: Int64
    var lastUpdateID: Int64
    var levels: LevelLists
}

/// Why a peer could not read a message.
enum PeerError: Error {
    case unexpectedShape
}

/// A way to get from bytes to fixed-point levels.
protocol PeerParser {
    static var implementation: Implementation { get }
    init(_ workload: Workload)
    func parse(_ message: Data) throws -> ParsedMessage
}

/// Foundation's `JSONDecoder` into `Decodable` structs.
struct DecoderParser: PeerParser {
    static let implementation = Implementation.jsonDecoder
    private let decoder = JSONDecoder()
    private let scales: SymbolScales
    private let isCombined: Bool

    init(_ workload: Workload) {
        scales = workload.scales
        isCombined = workload.isCombined
    }

    func parse(_ message: Data) throws -> ParsedMessage {
        let event =
            isCombined
            ? try decoder.decode(CombinedDepthEvent.self, from: message).data
            : try decoder.decode(DepthEvent.self, from: message)
        return ParsedMessage(
            firstUpdateID: event.firstUpdateID, lastUpdateID: event.lastUpdateID,
            levels: LevelLists(
                bids: try fixedPoint(event.bids, scales), asks: try fixedPoint(event.asks, scales)))
    }
}

/// Foundation's `JSONSerialization` into dictionaries and arrays.
struct SerializationParser: PeerParser {
    static let implementation = Implementation.jsonSerialization
    private let scales: SymbolScales
    private let isCombined: Bool

    init(_ workload: Workload) {
        scales = workload.scales
        isCombined = workload.isCombined
    }

    func parse(_ message: Data) throws -> ParsedMessage {
        guard var event = try JSONSerialization.jsonObject(with: message) as? [String: Any] else {
            throw PeerError.unexpectedShape
        }
        if isCombined {
            guard let inner = event["data"] as? [String: Any] else { throw PeerError.unexpectedShape }
            event = inner
        }
        guard let first = event["U"] as? Int64, let last = event["u"] as? Int64,
            let bids = event["b"] as? [[String]], let asks = event["a"] as? [[String]]
        else { throw PeerError.unexpectedShape }
        return ParsedMessage(
            firstUpdateID: first, lastUpdateID: last,
            levels: LevelLists(bids: try fixedPoint(bids, scales), asks: try fixedPoint(asks, scales)))
    }
}

private func fixedPoint(_ levels: [[String]], _ scales: SymbolScales) throws -> [PriceLevel] {
    try levels.map { level in
        guard level.count >= 2 else { throw PeerError.unexpectedShape }
        return PriceLevel(price: try scales.price(level[0]), quantity: try scales.quantity(level[1]))
    }
}
