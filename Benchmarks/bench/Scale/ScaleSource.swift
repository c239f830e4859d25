// Traffic of one symbol that many symbols of a benchmark of scale share, under names of their own.
//
// A message keeps its bytes but for the name, which is as long as before, and the time of the event: all
// sources begin at the same time and go on by 100 ms, so that captures of several years meet in one engine
// and none is late.

import BinanceVenue
import MarketData

/// Snapshot and messages of one symbol, to be given to many.
struct ScaleSource {
    /// Time of the first event of all sources.
    static let startMs: Int64 = 1_723_161_255_000
    static let stepMs: Int64 = 100

    let market: Market
    let symbol: SymbolName
    /// Levels of the snapshot, best first.
    let snapshot: LevelLists
    let lastUpdateID: UpdateID
    let scales: SymbolScales
    let messages: [[UInt8]]
    /// The levels of each message, for books that are no engine.
    let lists: [LevelLists]
    /// Where the name stands in each message: in small letters in the stream's name, and as it is.
    private let namePlaces: [[(at: Int, isStream: Bool)]]

    /// Nil where a message is no depth update, or the name is too short to be changed.
    init?(_ traffic: Traffic, depth: Int?) throws {
        let snapshot = try parseSnapshot(traffic.snapshot)
        guard let scales = snapshot.scales else { return nil }
        self.scales = scales
        market = traffic.market
        lastUpdateID = snapshot.lastUpdateID
        let own = LevelLists(bids: snapshot.bids.array(), asks: snapshot.asks.array())
        self.snapshot = depth.map { ScaleSource.deepened(own, to: $0) } ?? own
        var parser = MessageParser()
        var (messages, lists, places): ([[UInt8]], [LevelLists], [[(at: Int, isStream: Bool)]]) = ([], [], [])
        var symbol: SymbolName?
        for (index, message) in traffic.messages.enumerated() {
            guard try parser.parse(message.span, market: traffic.market) == .depthUpdate else { return nil }
            symbol = parser.update.symbol
            lists.append(LevelLists(bids: parser.update.bids.array(), asks: parser.update.asks.array()))
            let name = parser.update.symbol
            places.append(
                ScaleSource.places(of: name.bytes, in: message, isStream: false)
                    + ScaleSource.places(of: Array(name.lowercasedASCII.utf8), in: message, isStream: true))
            messages.append(
                ScaleSource.timed(message, ScaleSource.startMs + Int64(index) * ScaleSource.stepMs))
        }
        guard let symbol, symbol.length >= ScaleSource.codeLength + 2 else { return nil }
        (self.symbol, self.messages, self.lists, namePlaces) = (symbol, messages, lists, places)
    }

    var levelsPerMessage: Double {
        Double(lists.reduce(0) { $0 + $1.bids.count + $1.asks.count }) / Double(max(lists.count, 1))
    }

    // MARK: - Names

    private static let codeLength = 3
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

    /// The first letters of a name are a number.
    private static func code(_ number: Int) -> [UInt8] {
        [number / 1296 % 36, number / 36 % 36, number % 36].map { digits[$0] }
    }

    /// The name of the symbol with this number.
    func name(_ number: Int) -> SymbolName {
        let bytes = ScaleSource.code(number) + symbol.bytes.dropFirst(ScaleSource.codeLength)
        return SymbolName(bytes.span) ?? symbol
    }

    /// The message of the symbol with this number, in the memory of `message`.
    func write(_ index: Int, number: Int, into message: inout [UInt8]) {
        message.removeAll(keepingCapacity: true)
        message.append(contentsOf: messages[index])
        let code = ScaleSource.code(number)
        for place in namePlaces[index] {
            for offset in 0..<ScaleSource.codeLength {
                let letter = code[offset]
                message[place.at + offset] = place.isStream && letter > 0x40 ? letter | 0x20 : letter
            }
        }
    }

    /// The REST body of the symbol.
    func body() throws -> [UInt8] {
        var depth = DepthSnapshot(levelCapacity: max(snapshot.bids.count, snapshot.asks.count))
        (depth.lastUpdateID, depth.scales) = (lastUpdateID, scales)
        depth.bids.assign(snapshot.bids)
        depth.asks.assign(snapshot.asks)
        var encoder = MessageEncoder(.classic(market))
        try encoder.append(depth)
        var bytes: [UInt8] = []
        encoder.append(to: &bytes)
        return bytes
    }

    private static func places(of name: [UInt8], in message: [UInt8], isStream: Bool) -> [(Int, Bool)] {
        // The name stands in quotes, or before the @ of a stream.
        let (before, behind): (UInt8, UInt8) = isStream ? (0x22, 0x40) : (0x22, 0x22)
        let head = min(message.count, 400)
        var found: [(Int, Bool)] = []
        var at = 1
        while at + name.count < head {
            if message[at - 1] == before && message[at + name.count] == behind
                && message[at..<(at + name.count)].elementsEqual(name)
            {
                found.append((at, isStream))
            }
            at += 1
        }
        return found
    }

    /// The message with this event time, in milliseconds of 13 digits.
    private static func timed(_ message: [UInt8], _ ms: Int64) -> [UInt8] {
        let key = Array("\"E\":".utf8)
        var timed = message
        let time = Array(String(ms).utf8)
        for at in 0..<max(min(message.count - 20, 400), 0)
        where message[at..<(at + 4)].elementsEqual(key) && (0x30...0x39).contains(message[at + 16]) {
            timed.replaceSubrange((at + 4)..<(at + 17), with: time)
            break
        }
        return timed
    }

    // MARK: - Depth

    /// The same with so many levels a side: the best ones, or more beyond the worst, as far apart as those
    /// before them.
    private static func deepened(_ levels: LevelLists, to depth: Int) -> LevelLists {
        func side(_ levels: [PriceLevel], down: Bool) -> [PriceLevel] {
            var kept = Array(levels.prefix(depth))
            guard let first = levels.first, let last = levels.last, levels.count > 1 else { return kept }
            let span = abs(first.price.mantissa - last.price.mantissa)
            let step = max(span / Int64(levels.count - 1), 1)
            while kept.count < depth {
                let beyond = Int64(kept.count - levels.count + 1) * step
                let price = last.price.mantissa + (down ? -beyond : beyond)
                if price <= 0 { break }
                kept.append(PriceLevel(price: Price(price), quantity: last.quantity))
            }
            return kept
        }
        return LevelLists(bids: side(levels.bids, down: true), asks: side(levels.asks, down: false))
    }
}
