// Slower depth streams: each of their diffs is the union of the updates in between, and their chains have no
// holes.

import BinanceVenue
import Foundation
import MarketData
import SimulatedExchange
import Testing

/// A depth message out of JSON: ids, time, and levels by side and price.
private struct Seen: Equatable {
    var first: Int64
    var last: Int64
    var previous: Int64?
    var timeMs: Int64
    var levels: [String: String]

    init?(_ bytes: Span<UInt8>) {
        let data = bytes.withUnsafeBufferPointer { Data($0) }
        guard let json = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else { return nil }
        func number(_ key: String) -> Int64? { (json[key] as? NSNumber)?.int64Value }
        first = number("U") ?? 0
        last = number("u") ?? number("lastUpdateId") ?? 0
        previous = number("pu")
        timeMs = number("E") ?? 0
        levels = [:]
        for (side, keys) in [("b", ["b", "bids"]), ("a", ["a", "asks"])] {
            for level in keys.compactMap({ json[$0] as? [[String]] }).first ?? [] {
                levels[side + level[0]] = level[1]
            }
        }
    }
}

/// Streams of one symbol, each on a connection of its own, followed for some seconds.
private func follow(_ market: Market, _ streams: [String], seconds: Int64) throws -> [[Seen]] {
    let name = SymbolName("BTCUSDT")
    let profile: TrafficProfile = market == .spot ? .spotBTC : market == .usdm ? .usdmBTC : .coinm
    var configuration = VenueConfiguration(market: market, symbols: [VenueSymbol(name, profile)], seed: 4)
    configuration.honoursSpeeds = true
    var venue = Venue(configuration)
    let connections = try streams.map { try venue.connect(["btcusdt@" + $0], isCombined: false) }
    var seen = streams.map { _ in [Seen]() }
    for turn in 1...(seconds * 20) {
        venue.advance(toUs: configuration.startUs + turn * 50_000)
        for (place, connection) in connections.enumerated() {
            venue.poll(connection) { _, delivery, bytes in
                if delivery == .text, let message = Seen(bytes) { seen[place].append(message) }
            }
        }
    }
    return seen
}

@Test(arguments: [
    (Market.spot, "depth@100ms", "depth", Int64(1_000)), (.spot, "depth@100ms", "depth@1000ms", 1_000),
    (.usdm, "depth@0ms", "depth", 250), (.usdm, "depth@0ms", "depth@100ms", 100),
    (.coinm, "depth@0ms", "depth@500ms", 500),
])
func slowerDiffsAreUnions(market: Market, own: String, slow: String, intervalMs: Int64) throws {
    let seen = try follow(market, [own, slow], seconds: 12)
    #expect(seen[0].count > seen[1].count && seen[1].count >= Int(10_000 / intervalMs))
    for (before, after) in zip(seen[1], seen[1].dropFirst()) {
        #expect(market == .spot ? after.first == before.last + 1 : after.previous == before.last)
        #expect(after.timeMs - before.timeMs >= intervalMs && after.timeMs % intervalMs == 0)
    }
    for message in seen[1] {
        let parts = seen[0].filter { $0.first >= message.first && $0.last <= message.last }
        #expect(parts.first?.first == message.first && parts.last?.last == message.last)
        #expect(market == .spot || parts.first?.previous == message.previous)
        let union = parts.reduce(into: [:]) { union, part in union.merge(part.levels) { $1 } }
        #expect(message.levels == union)
    }
}

@Test(arguments: Market.allCases) func slowerTopsAreTheSameBook(market: Market) throws {
    let own = market == .spot ? "depth20@100ms" : "depth20@0ms"
    let seen = try follow(market, [own, "depth20", "depth5", "depth20@77ms", "depth10@9000ms"], seconds: 8)
    let byID = Dictionary(seen[0].map { ($0.last, $0.levels) }) { $1 }
    #expect(seen[1].count > 6 && seen[1].count < seen[0].count && seen[3].isEmpty && seen[4].isEmpty)
    for message in seen[1] { #expect(byID[message.last] == message.levels) }
    for message in seen[2] {
        #expect(message.levels.count == 10)
        #expect(message.levels.allSatisfy { byID[message.last]?[$0.key] == $0.value })
    }
}

/// A stream that nobody listened to for a while begins anew, without what happened meanwhile.
@Test func slowerStreamsBeginAnew() throws {
    let name = SymbolName("BTCUSDT")
    var configuration = VenueConfiguration(market: .usdm, symbols: [VenueSymbol(name, .usdmBTC)], seed: 4)
    configuration.honoursSpeeds = true
    var venue = Venue(configuration)
    func listen(untilMs: Int64) throws -> [Seen] {
        let connection = try venue.connect(["btcusdt@depth@500ms"], isCombined: false)
        venue.advance(toUs: configuration.startUs + untilMs * 1_000)
        var seen: [Seen] = []
        venue.poll(connection) { if $1 == .text, let message = Seen($2) { seen.append(message) } }
        venue.disconnect(connection)
        return seen
    }
    let before = try listen(untilMs: 2_300)
    venue.advance(toUs: configuration.startUs + 9_100_000)
    let after = try listen(untilMs: 12_000)
    #expect(before.count > 2 && after.count > 2)
    #expect(after[0].previous! > before.last!.last && after[0].levels.count < 4_000)
}

/// A stream of any speed can fade; the others of its symbol go on.
@Test(arguments: Market.allCases) func everySpeedFades(market: Market) throws {
    let name = SymbolName("BTCUSDT")
    let profile: TrafficProfile = market == .spot ? .spotBTC : market == .usdm ? .usdmBTC : .coinm
    var configuration = VenueConfiguration(market: market, symbols: [VenueSymbol(name, profile)], seed: 4)
    configuration.honoursSpeeds = true
    var venue = Venue(configuration)
    let streams = ["depth", "depth@100ms", "depth@500ms", "bookTicker"]
    let connections = try streams.map { try venue.connect(["btcusdt@" + $0], isCombined: false) }
    func countMessages(untilMs: Int64) -> [Int] {
        venue.advance(toUs: configuration.startUs + untilMs * 1_000)
        return connections.map { connection in
            var count = 0
            venue.poll(connection) { _, delivery, _ in count += delivery == .text ? 1 : 0 }
            return count
        }
    }
    let before = countMessages(untilMs: 5_000)
    let isMuteBefore = zip(streams, before).map { $1 == 0 && !(market == .spot && $0 == "depth@500ms") }
    #expect(!isMuteBefore.contains(true), "\(before)")
    venue.faults[.fade] = FaultPlan.certain
    _ = countMessages(untilMs: 6_500)
    let after = countMessages(untilMs: 12_000)
    #expect(after.dropLast().allSatisfy { $0 == 0 } && after[3] > 0, "\(after)")
    #expect(venue.counters[.fade] > 0)
}
