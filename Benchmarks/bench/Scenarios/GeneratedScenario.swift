// Generated traffic shaped like the real thing, written byte for byte as the venue writes it.

import BinanceVenue
import MarketData
import SimulatedExchange

/// Makes scenarios from traffic profiles.
enum GeneratedScenario {
    /// The scenarios of a run without captures.
    static let profiles: [TrafficProfile] = [.spotBTC, .usdmBTC, .spotAlt, .topOfBook, .deep]

    /// A scenario of enough messages for a stable measurement: this many levels or this many messages.
    private static let levelCountEnough = 60_000
    private static let messageCountEnough = 8_000
    /// Virtual time of the first message; no result depends on it.
    private static let startUs: Int64 = 1_723_161_255_000_000

    /// The traffic of a profile; the same for the same seed, on any machine.
    static func traffic(_ profile: TrafficProfile, seed: UInt64, messageCountMax: Int) throws -> Traffic {
        let symbol = SymbolName(profile.market == .coinm ? "BTCUSD_PERP" : "BTCUSDT") ?? SymbolName()
        var flow = OrderFlow(profile, symbol: symbol, seed: seed, startUs: startUs)
        var encoder = MessageEncoder(.classic(profile.market))
        var snapshot = DepthSnapshot()
        flow.snapshot(limit: Int.max, into: &snapshot)
        try encoder.append(snapshot)
        let body = bytes(&encoder)
        let stream = "\(symbol.lowercasedASCII)@depth@100ms"
        var update = DepthUpdate()
        var messages: [[UInt8]] = []
        var levelCount = 0
        while messages.count < min(messageCountMax, messageCountEnough) && levelCount < levelCountEnough {
            flow.next(into: &update)
            try encoder.append(update, stream: stream)
            messages.append(bytes(&encoder))
            levelCount += update.levelCount
        }
        return Traffic(
            name: profile.name, origin: "generated, \(profile.market.name), seed \(seed)",
            market: profile.market,
            snapshot: body, messages: messages)
    }

    private static func bytes(_ encoder: inout MessageEncoder) -> [UInt8] {
        var bytes: [UInt8] = []
        encoder.append(to: &bytes)
        encoder.removeAll()
        return bytes
    }
}
