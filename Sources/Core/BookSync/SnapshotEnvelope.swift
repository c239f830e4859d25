// What a REST depth body does not say: its symbol and how many levels were requested. Precedes the body in a
// snapshot frame; stands alone in a frame that reports a failed request.
//
//      0 ..< 48   symbol, as `SymbolName` lays it out (bytes, zeros, length in the last byte)
//     48 ..< 52   levels requested per side, little endian; 0 = the body is complete on both sides
//     52 ..< 64   zero

import MarketData

/// The header of a snapshot frame.
public struct SnapshotEnvelope: Hashable, Sendable {
    /// Length of the header in bytes.
    public static var length: Int { 64 }

    /// Symbol of the request.
    public var symbol: SymbolName
    /// Levels requested per side; 0 if the body is complete on both sides.
    public var limit: Int

    /// A header for a symbol and a limit; limits beyond 32 bits are clamped.
    public init(symbol: SymbolName, limit: Int) {
        self.symbol = symbol
        self.limit = min(max(limit, 0), Int(UInt32.max))
    }

    /// Reads the header in front of a body; nil if the bytes are too short or name no symbol.
    public init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= SnapshotEnvelope.length else { return nil }
        let length = Int(bytes[47])
        guard length > 0, length <= SymbolName.lengthMax else { return nil }
        guard let name = SymbolName(bytes.extracting(first: length)) else { return nil }
        symbol = name
        limit = 0
        for i in 0..<4 { limit |= Int(bytes[48 + i]) << (8 * i) }
    }

    /// The header as bytes.
    public var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: SnapshotEnvelope.length)
        for (i, byte) in symbol.bytes.enumerated() { bytes[i] = byte }
        bytes[47] = UInt8(truncatingIfNeeded: symbol.length)
        for i in 0..<4 { bytes[48 + i] = UInt8(truncatingIfNeeded: limit >> (8 * i)) }
        return bytes
    }
}
