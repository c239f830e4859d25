// The owners of messages dropped for lack of room, as far as their first bytes tell. For display: the engine
// learns of losses from `dropped` frames.

import MarketData

/// Symbols of dropped messages, a few of them.
struct DroppedNames {
    /// Most symbols named.
    static let countMax = 8

    private var symbols: [SymbolName] = []

    /// A message was dropped; nil if its owner is unknown.
    mutating func add(_ symbol: SymbolName?) {
        guard let symbol, symbols.count < DroppedNames.countMax, !symbols.contains(symbol) else { return }
        symbols.append(symbol)
    }

    /// Returns the names and clears them.
    mutating func take() -> [SymbolName] {
        defer { symbols = [] }
        return symbols
    }

    /// The symbol named at the beginning of a message: before the `@` of its stream, or as its `s`.
    static func symbol(in bytes: Span<UInt8>) -> SymbolName? {
        if let start = end(of: "\"stream\":\"", in: bytes) { return name(in: bytes, from: start, until: "@") }
        if let start = end(of: "\"s\":\"", in: bytes) { return name(in: bytes, from: start, until: "\"") }
        return nil
    }

    private static let lookedAtMax = 96

    private static func end(of text: StaticString, in bytes: Span<UInt8>) -> Int? {
        let wanted = Array("\(text)".utf8)
        let last = min(bytes.count, lookedAtMax) - wanted.count
        if last < 0 { return nil }
        let start = (0...last).first { at in wanted.indices.allSatisfy { bytes[at + $0] == wanted[$0] } }
        return start.map { $0 + wanted.count }
    }

    private static func name(in bytes: Span<UInt8>, from start: Int, until end: Unicode.Scalar) -> SymbolName?
    {
        var name: [UInt8] = []
        for index in start..<min(bytes.count, start + lookedAtMax) {
            let byte = bytes[index]
            if byte == UInt8(ascii: end) {
                return SymbolName(String(decoding: name, as: UTF8.self))
            }
            name.append((0x61...0x7A).contains(byte) ? byte - 32 : byte)
        }
        return nil
    }
}
