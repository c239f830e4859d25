// Generated traffic of many symbols in the order of sending: made once, sent again and again, each time from
// the snapshots on. Only the event times are new each time.

import BinanceVenue
import BookSync
import Foundation
import MarketData
import SimulatedExchange

/// Snapshots and messages of several symbols.
final class RecordTraffic: @unchecked Sendable {
    private struct Place {
        var start: Int
        var length: Int
        /// Where the 13 digits of the event time stand in it; 0 if it has none.
        var timeAt: Int
    }

    /// Its symbols.
    let symbols: [SymbolName]
    /// The body of a snapshot frame of each symbol.
    private(set) var snapshots: [[UInt8]] = []
    private var bytes: [UInt8] = []
    private var places: [Place] = []

    /// Number of messages.
    var count: Int { places.count }

    /// Length of all messages.
    var byteCount: Int { bytes.count }

    /// Messages of busy and quiet spot symbols, one symbol after the other.
    init(symbolCount: Int, messageCount: Int, seed: UInt64) throws {
        let startUs = Int64(Date().timeIntervalSince1970 * 1e6)
        symbols = (0..<symbolCount).map { SymbolName("R\(1000 + $0)USDT") ?? SymbolName() }
        var flows = symbols.enumerated().map { number, symbol in
            OrderFlow(number % 10 == 0 ? .spotBTC : .spotAlt, symbol: symbol, seed: seed, startUs: startUs)
        }
        var encoder = MessageEncoder(.classic(.spot))
        var snapshot = DepthSnapshot()
        var update = DepthUpdate()
        for (number, symbol) in symbols.enumerated() {
            flows[number].snapshot(limit: Int.max, into: &snapshot)
            try encoder.append(snapshot)
            var frame = SnapshotEnvelope(symbol: symbol, limit: 0).bytes
            encoder.append(to: &frame)
            encoder.removeAll()
            snapshots.append(frame)
        }
        bytes.reserveCapacity(messageCount * 512)
        places.reserveCapacity(messageCount)
        let streams = symbols.map { "\($0.lowercasedASCII)@depth@100ms" }
        for index in 0..<messageCount {
            let number = index % symbolCount
            flows[number].next(into: &update)
            try encoder.append(update, stream: streams[number])
            let start = bytes.count
            encoder.append(to: &bytes)
            encoder.removeAll()
            places.append(
                Place(
                    start: start, length: bytes.count - start, timeAt: RecordTraffic.time(in: bytes[start...])
                ))
        }
    }

    private static func time(in message: ArraySlice<UInt8>) -> Int {
        let key = Array("\"E\":".utf8)
        for at in message.indices.prefix(200) where message[at...].starts(with: key) {
            return at + key.count - message.startIndex
        }
        return 0
    }

    /// Passes a message with this event time to `body`.
    func withMessage(_ index: Int, timeMs: Int64, _ body: (Span<UInt8>) -> Void) {
        let place = places[index]
        if place.timeAt > 0 {
            var rest = timeMs
            for digit in stride(
                from: place.start + place.timeAt + 12, through: place.start + place.timeAt, by: -1)
            {
                bytes[digit] = UInt8(0x30 + rest % 10)
                rest /= 10
            }
        }
        let all = bytes
        body(all.span.extracting(place.start..<(place.start + place.length)))
    }
}
