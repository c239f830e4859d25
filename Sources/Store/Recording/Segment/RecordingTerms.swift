// What an engine needs in order to repeat a recording: lines of a name and a value. Lines with unknown names
// are skipped, so that a later version may add more.
//
//     market spot
//     symbol BTCUSDT
//     levelCountMax 10000

/// Venue, symbols and configuration of a recording.
package struct RecordingTerms: Hashable, Sendable {
    /// Most lines read.
    package static let lineCountMax = 1 << 17

    /// Name of the market.
    package var market: String
    /// Names of the symbols in order of their numbers.
    package var symbols: [[UInt8]]
    /// Numbers of the configuration by name.
    package var numbers: [String: Int64]

    /// Terms with these values.
    ///
    /// - Parameters:
    ///   - market: its name.
    ///   - symbols: their names.
    ///   - numbers: numbers of the configuration.
    package init(market: String, symbols: [[UInt8]], numbers: [String: Int64]) {
        (self.market, self.symbols, self.numbers) = (market, symbols, numbers)
    }

    /// The terms in bytes.
    package var bytes: [UInt8] {
        var bytes = Array("market \(market)\n".utf8)
        for symbol in symbols { bytes += Array("symbol ".utf8) + symbol + [0x0A] }
        for (name, value) in numbers.sorted(by: { $0.key < $1.key }) { bytes += "\(name) \(value)\n".utf8 }
        return bytes
    }

    /// Parses terms; nil if they name no market.
    package init?(_ bytes: [UInt8]) {
        var market: String?
        var symbols: [[UInt8]] = []
        var numbers: [String: Int64] = [:]
        for line in bytes.split(separator: 0x0A).prefix(RecordingTerms.lineCountMax) {
            guard let blank = line.firstIndex(of: 0x20) else { continue }
            let value = line[(blank + 1)...]
            switch String(decoding: line[..<blank], as: UTF8.self) {
            case "market": market = String(decoding: value, as: UTF8.self)
            case "symbol": symbols.append(Array(value))
            case let name: numbers[name] = Int64(String(decoding: value, as: UTF8.self))
            }
        }
        guard let market else { return nil }
        self.init(market: market, symbols: symbols, numbers: numbers)
    }
}
