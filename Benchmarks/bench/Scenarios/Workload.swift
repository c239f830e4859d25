// One scenario, prepared once in every form an implementation under test wants its input in: wire bytes,
// `Data`, the engine's updates, arrays of levels. No implementation is charged for making its input.

import BinanceVenue
import Foundation
import MarketData

/// Levels of one message as plain arrays, for the naive books.
struct LevelLists {
    var bids: [PriceLevel]
    var asks: [PriceLevel]
}

/// One scenario. Immutable once made.
final class Workload {
    /// Name of the scenario.
    let name: String
    /// Where it comes from, for people.
    let origin: String
    let market: Market
    let symbol: SymbolName
    let scales: SymbolScales
    /// Whether messages come in the wrapper of a combined stream.
    let isCombined: Bool
    /// Number of messages.
    let count: Int
    /// Levels of all messages.
    let levelCount: Int
    /// Bytes of all messages.
    let byteCount: Int
    /// Levels of each message.
    let levelCounts: [Int]
    let messages: MessageArena
    let updates: UpdateArena
    let lists: [LevelLists]
    let data: [Data]
    /// The REST body as it was received; empty if there is none.
    let snapshotBody: [UInt8]
    let snapshot: DepthSnapshot
    let snapshotLists: LevelLists

    /// Parses every message and the snapshot once with the engine's own parser.
    init(_ traffic: Traffic) throws {
        name = traffic.name
        origin = traffic.origin
        market = traffic.market
        count = traffic.messages.count
        isCombined = traffic.messages.first?.starts(with: Array(#"{"stream""#.utf8)) ?? false
        messages = MessageArena(traffic.messages)
        byteCount = messages.byteCount
        var parser = MessageParser()
        let bytes = messages.view
        let market = traffic.market
        updates = try UpdateArena(count: count) { index, update in
            guard try parser.parse(bytes[index], market: market) == .depthUpdate else {
                throw WorkloadError.notADepthUpdate(scenario: traffic.name, index: index)
            }
            copy(parser.update, into: &update)
        }
        let parsed = updates.view
        lists = (0..<count).map { LevelLists(bids: parsed[$0].bids.array(), asks: parsed[$0].asks.array()) }
        levelCounts = lists.map { $0.bids.count + $0.asks.count }
        levelCount = levelCounts.reduce(0, +)
        data = traffic.messages.map { Data($0) }
        snapshotBody = traffic.snapshot
        snapshot = try parseSnapshot(snapshotBody)
        snapshotLists = LevelLists(bids: snapshot.bids.array(), asks: snapshot.asks.array())
        symbol = count > 0 ? parsed[0].symbol : SymbolName()
        var found = snapshot.scales
        for index in 0..<count {
            guard let own = parsed[index].scales else { continue }
            if found ?? own != own { throw WorkloadError.scalesChange(scenario: traffic.name, index: index) }
            found = own
        }
        scales = found ?? SymbolScales(priceDecimals: 8, quantityDecimals: 8)
    }

    /// Levels of the snapshot.
    var snapshotLevelCount: Int { snapshot.bids.count + snapshot.asks.count }

    /// The scenario in one line.
    var summary: String {
        let perMessage = decimal(Double(levelCount) / Double(max(count, 1)))
        return "\(grouped(count)) messages, \(grouped(levelCount)) levels (\(perMessage) a message), "
            + "\(bench.byteCount(Double(byteCount))) on the wire, "
            + "snapshot of \(grouped(snapshot.bids.count)) + \(grouped(snapshot.asks.count)) levels"
    }
}

/// The snapshot of a REST body; an empty one of no bytes.
func parseSnapshot(_ body: [UInt8]) throws -> DepthSnapshot {
    var snapshot = DepthSnapshot(levelCapacity: 16)
    if body.isEmpty { return snapshot }
    let arena = MessageArena([body])
    defer { withExtendedLifetime(arena) {} }
    var parser = MessageParser()
    try parser.parseSnapshot(arena.view[0], readableAfter: MessageArena.readableAfterBytes)
    snapshot.lastUpdateID = parser.snapshot.lastUpdateID
    snapshot.scales = parser.snapshot.scales
    snapshot.bids.assign(parser.snapshot.bids.array())
    snapshot.asks.assign(parser.snapshot.asks.array())
    return snapshot
}

/// What a scenario is made of, before it is parsed.
struct Traffic {
    var name: String
    var origin: String
    var market: Market
    /// REST body the messages continue; empty if there is none.
    var snapshot: [UInt8]
    var messages: [[UInt8]]
}

/// Why a scenario cannot be measured.
enum WorkloadError: Error, CustomStringConvertible {
    case scalesChange(scenario: String, index: Int)
    case notADepthUpdate(scenario: String, index: Int)
    case noDepthUpdates(path: String)
    case unreadable(path: String, reason: String)

    var description: String {
        switch self {
        case .scalesChange(let scenario, let index):
            "\(scenario): message \(index) prints other decimals than those before it"
        case .notADepthUpdate(let scenario, let index):
            "\(scenario): message \(index) is not a depth update"
        case .noDepthUpdates(let path):
            "\(path): no depth update in this capture"
        case .unreadable(let path, let reason):
            "\(path): \(reason)"
        }
    }
}

/// Copies ids, scales and levels.
private func copy(_ source: borrowing DepthUpdate, into target: inout DepthUpdate) {
    target.symbol = source.symbol
    target.first = source.first
    target.last = source.last
    target.previousLast = source.previousLast
    target.eventTimeUs = source.eventTimeUs
    target.transactionTimeUs = source.transactionTimeUs
    target.scales = source.scales
    _ = target.bids.reserve(source.bids.count) && target.asks.reserve(source.asks.count)
    target.bids.assign(source.bids.array())
    target.asks.assign(source.asks.array())
}
