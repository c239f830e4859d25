// The venue's own rules: what arrives, when, in which shape; what requests cost; what the past was.

import BinanceServing
import BinanceVenue
import Foundation
import MarketData
import SimulatedExchange
import TestSupport
import Testing

private let btc = SymbolName("BTCUSDT")
private let seconds: Int64 = 1_000_000

private func configuration(_ profile: TrafficProfile = .spotAlt, seed: UInt64 = 1) -> VenueConfiguration {
    VenueConfiguration(market: profile.market, symbols: [VenueSymbol(btc, profile)], seed: seed)
}

/// Everything that arrives on a connection within some seconds.
private func arrivals(
    _ venue: inout Venue, _ connection: ConnectionID, seconds count: Int64
) -> [(timeUs: Int64, delivery: VenueDelivery, text: String)] {
    var found: [(timeUs: Int64, delivery: VenueDelivery, text: String)] = []
    let startUs = venue.nowUs
    for turn in 1...(count * 4) {
        venue.advance(toUs: startUs + turn * seconds / 4)
        venue.poll(connection) { timeUs, delivery, bytes in
            let text = bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
            found.append((timeUs, delivery, text))
        }
    }
    return found
}

@Test func venueSendsRawAndCombinedFrames() throws {
    var venue = Venue(configuration())
    let raw = try venue.connect(["btcusdt@depth"], isCombined: false)
    let combined = try venue.connect(["btcusdt@depth@100ms", "btcusdt@bookTicker"], isCombined: true)
    let twenty = try venue.connect(["btcusdt@depth20@100ms"], isCombined: true)
    let silent = try venue.connect(["BTCUSDT@depth", "nosuch@depth", "btcusdt@trade"], isCombined: true)
    let startUs = venue.nowUs
    for second in 1...30 { venue.advance(toUs: startUs + Int64(second) * seconds) }
    let bare = arrivals(&venue, raw, seconds: 1).filter { $0.delivery == .text }.map(\.text)
    let wrapped = arrivals(&venue, combined, seconds: 1).map(\.text)
    let partial = arrivals(&venue, twenty, seconds: 1).map(\.text)
    let diffs = wrapped.filter { $0.hasPrefix(#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate""#) }
    #expect(bare.count > 10 && bare.count <= diffs.count)
    for (one, other) in zip(bare, diffs) {
        #expect(other == #"{"stream":"btcusdt@depth@100ms","data":"# + one + "}")
    }
    let tickers = wrapped.filter { $0.hasPrefix(#"{"stream":"btcusdt@bookTicker","data":{"u":"#) }
    #expect(tickers.count > 2 && tickers.count + diffs.count + 1 >= wrapped.count)
    #expect(partial.contains { $0.hasPrefix(#"{"stream":"btcusdt@depth20@100ms","data":{"lastUpdateId":"#) })
    #expect(arrivals(&venue, silent, seconds: 1).allSatisfy { $0.delivery == .ping })
}

@Test func venueKeepsOrderAndPings() throws {
    var slow = TrafficProfile.coinm
    slow.updateGapUs = QuantileTable(even: 500_000...1_500_000)
    for (profile, pingSeconds) in [(TrafficProfile.spotAlt, Int64(20)), (slow, 180)] {
        var venue = Venue(configuration(profile))
        let connection = try venue.connect(["btcusdt@depth"], isCombined: false)
        let startUs = venue.nowUs
        var times: [Int64] = []
        var pings: [Int64] = []
        for second in 1...(pingSeconds + 5) {
            venue.advance(toUs: startUs + second * seconds)
            #expect(venue.nextActivityUs >= venue.nowUs && venue.nextActivityUs <= venue.nowUs + seconds)
            venue.poll(connection) { timeUs, delivery, _ in
                times.append(timeUs)
                if delivery == .ping { pings.append(timeUs) }
            }
        }
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(pings.count == 1 && pings[0] >= startUs + pingSeconds * seconds)
    }
}

@Test func venueEndsConnections() throws {
    var short = configuration()
    short.connectionLifeUs = 10 * seconds
    var venue = Venue(short)
    let connection = try venue.connect(["btcusdt@depth"], isCombined: false)
    let seen = arrivals(&venue, connection, seconds: 15)
    #expect(seen.last?.delivery == .closed(code: 1001))
    #expect(seen.last!.timeUs - short.startUs >= 10 * seconds && !venue.isConnected(connection))
    venue.faults[.shutdown] = FaultPlan.certain
    let next = try venue.connect(["btcusdt@depth"], isCombined: true)
    let last = arrivals(&venue, next, seconds: 15)
    #expect(last.contains { $0.text.hasPrefix(#"{"stream":"!serverShutdown","data":{"e":"serverShutdown""#) })
    #expect(last.last?.delivery == .closed(code: 1001))
    #expect(throws: ConnectionRefusal.notConnected) {
        try venue.subscribe(["btcusdt@depth"], on: next, requestID: .null)
    }
}

@Test func venueDropsAClientThatDoesNotRead() throws {
    var tight = configuration(.usdmBTC)
    tight.queuedBytesMax = 20_000
    var venue = Venue(tight)
    let connection = try venue.connect(["btcusdt@depth"], isCombined: false)
    venue.advance(toUs: tight.startUs + 10 * seconds)
    var length = 0
    var end: VenueDelivery?
    venue.poll(connection) { _, delivery, bytes in
        length += bytes.count
        end = delivery
    }
    #expect(end == .closed(code: 1008) && length > 20_000 && length < 90_000)
}

@Test func venueLimitsConnections() throws {
    var venue = Venue(configuration())
    let names = (0...1_024).map { "s\($0)@depth" }
    #expect(throws: ConnectionRefusal.tooManyStreams) { try venue.connect(names, isCombined: true) }
    for _ in 0..<300 { venue.disconnect(try venue.connect([], isCombined: true)) }
    let retryAtUs = venue.nowUs + 300 * seconds
    #expect(throws: ConnectionRefusal.tooManyAttempts(retryAtUs: retryAtUs)) {
        try venue.connect([], isCombined: true)
    }
    venue.advance(toUs: retryAtUs)
    for _ in 0..<256 { _ = try venue.connect([], isCombined: true) }
    #expect(throws: ConnectionRefusal.tooManyConnections) { try venue.connect([], isCombined: true) }
}

@Test func venueAnswersControlMessages() throws {
    var venue = Venue(configuration())
    let connection = try venue.connect([], isCombined: true)
    try venue.subscribe(["btcusdt@depth", "btcusdt@bookTicker"], on: connection, requestID: .integer(1))
    try venue.listSubscriptions(on: connection, requestID: .text("x"))
    let first = arrivals(&venue, connection, seconds: 10).map(\.text)
    #expect(first[0] == #"{"result":null,"id":1}"#)
    #expect(first[1] == #"{"result":["btcusdt@depth","btcusdt@bookTicker"],"id":"x"}"#)
    #expect(first.count > 5)
    try venue.unsubscribe(["btcusdt@depth", "btcusdt@bookTicker"], on: connection, requestID: .integer(2))
    let later = arrivals(&venue, connection, seconds: 20).map(\.text)
    #expect(later.contains(#"{"result":null,"id":2}"#) && later.count < 6)
}

@Test func venueShowsThePast() throws {
    var long = configuration(.usdmBTC, seed: 3)
    long.historyUs = 2 * seconds
    var venue = Venue(long)
    var flow = OrderFlow(.usdmBTC, symbol: btc, seed: 3, startUs: long.startUs)
    var book = flow.book
    var past: [(id: UpdateID, bids: [PriceLevel], asks: [PriceLevel])] = []
    venue.advance(toUs: long.startUs + 5 * seconds)
    while flow.lastUpdateID < venue.shownID(of: btc)! {
        flow.advance()
        var done = 0
        for (index, step) in flow.current.steps.enumerated() {
            while done < step.changeCount {
                book.set(flow.current.changes[done].side, flow.current.changes[done].level)
                done += 1
            }
            if index % 3 == 0 || index == flow.current.steps.count - 1 {
                past.append((step.id, book.bids.levels, book.asks.levels))
            }
        }
    }
    #expect(flow.lastUpdateID == venue.shownID(of: btc))
    func agrees(_ moment: (id: UpdateID, bids: [PriceLevel], asks: [PriceLevel])) -> Bool? {
        venue.withTruth(of: btc, at: moment.id) {
            $0.bids.levels == moment.bids && $0.asks.levels == moment.asks
        }
    }
    let known = past.filter { $0.id >= venue.oldestKnownID(of: btc)! }
    #expect(known.count > 50 && known.count < past.count)
    for moment in known + known.reversed() + [known[10], known[40], known[3]] {
        #expect(agrees(moment) == true, "id \(moment.id)")
    }
    #expect(agrees(past[0]) == nil)
    let afterUpdate = UpdateID(known.last!.id.value + 1_000_000)
    #expect(venue.withTruth(of: btc, at: afterUpdate, { _ in true }) == nil)
    #expect(venue.withTruth(of: SymbolName("X"), at: afterUpdate, { _ in true }) == nil)
}

@Test func snapshotsLagAndAreCached() {
    var venue = Venue(configuration(.spotBTC))
    var insideUpdates = 0
    for turn in 1...60 {
        venue.advance(toUs: venue.configuration.startUs + Int64(turn) * 1_037_000)
        let response = venue.requestDepth(symbol: "BTCUSDT", limit: 5)
        let object = try? JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
        let id = UpdateID((object?["lastUpdateId"] as? NSNumber)!.int64Value)
        #expect(response.dueUs > venue.nowUs && response.status == 200)
        let best = venue.withTruth(of: btc, at: id) { $0.bids.best!.price.mantissa }!
        let text = ((object?["bids"] as? [[String]])!)[0][0]
        #expect(text == decimalText(mantissa: best, decimals: 8))
        if id != venue.shownID(of: btc)! { insideUpdates += 1 }
    }
    #expect(insideUpdates > 20)
    var lagless = configuration(.spotBTC)
    lagless.snapshotLagUs = 0...0
    lagless.snapshotCacheUs = 10 * seconds
    var cached = Venue(lagless)
    cached.advance(toUs: lagless.startUs + 12 * seconds)
    let first = cached.requestDepth(symbol: "BTCUSDT", limit: 100)
    cached.advance(toUs: lagless.startUs + 16 * seconds)
    #expect(cached.requestDepth(symbol: "BTCUSDT", limit: 100).body == first.body)
}

@Test func venueRefusesRequests() {
    var spot = Venue(configuration())
    let unknown = spot.requestDepth(symbol: "NOSUCH", limit: 100)
    #expect(unknown.status == 400)
    #expect(String(decoding: unknown.body, as: UTF8.self) == #"{"code":-1121,"msg":"Invalid symbol."}"#)
    var futures = Venue(configuration(.usdmBTC))
    #expect(futures.requestDepth(symbol: "BTCUSDT", limit: 7).status == 400)
    spot.advance(toUs: (spot.nowUs / 60_000_000 + 1) * 60_000_000 + 15 * seconds)
    for count in 1...24 {
        let response = spot.requestDepth(symbol: "BTCUSDT", limit: 5_000)
        #expect(response.status == 200 && response.usedWeight == 250 * count)
        #expect(response.headers.map(\.value) == ["\(250 * count)"])
    }
    for _ in 0..<5 {
        let limited = spot.requestDepth(symbol: "BTCUSDT", limit: 5)
        #expect(limited.status == 429 && limited.retryAfterSeconds == 45)
    }
    let banned = spot.requestDepth(symbol: "BTCUSDT", limit: 5)
    #expect(banned.status == 418 && banned.retryAfterSeconds == 120)
    spot.advance(toUs: spot.nowUs + 119 * seconds)
    #expect(spot.requestDepth(symbol: "BTCUSDT", limit: 5).status == 418)
    spot.advance(toUs: spot.nowUs + seconds)
    #expect(spot.requestDepth(symbol: "BTCUSDT", limit: 5).status == 200)
    #expect(spot.counters.limitedCount == 5 && spot.counters.bannedCount == 2)
}

/// Once every buffer has met its largest message, carrying messages to clients allocates nothing: the flow
/// and its history need what they need without any client.
@Test func carryingMessagesAllocatesNothing() throws {
    var count = 0
    func bytes(_ names: [String]) throws -> UInt64? {
        var venue = Venue(configuration(.spotBTC))
        let connections = try (0..<4).map { try venue.connect(names, isCombined: $0 % 2 == 0) }
        func run() {
            count = 0
            let startUs = venue.nowUs
            for turn in 1...Int64(6_000) {
                venue.advance(toUs: startUs + turn * 10_000)
                for connection in connections { venue.poll(connection) { _, _, _ in count += 1 } }
            }
        }
        run()
        run()
        return allocatedBytes(run)
    }
    guard let without = try bytes([]) else { return }
    let with = try bytes(["btcusdt@depth", "btcusdt@depth20", "btcusdt@bookTicker"])!
    #expect(count > 10_000)
    let each = (Double(with) - Double(without)) / Double(count)
    print("\(count) messages, \(each) bytes allocated for each")
    #if !DEBUG
        #expect(each < 1, "\(with) bytes instead of \(without) for \(count) messages")
    #endif
}
