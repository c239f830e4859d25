// What the engine must know and a REST depth body does not say: whose it is, and how many levels were
// requested. It precedes the body in a snapshot frame, and stands alone in a frame that reports a failed
// request.
//
//      0 ..< 48   symbol, as `SymbolName` lays it out (bytes, zeros, length in the last byte)
//     48 ..< 52   levels a side that were requested, little endian; 0 = the body is complete on both sides
//     52 ..< 64   zero

import MarketData

/// The header of a snapshot frame.
public struct SnapshotEnvelope: Hashable, Sendable {
    /// Length of the header in bytes.
    public static var length: Int { 64 }

    /// Symbol the request was for.
    public var symbol: SymbolName
    /// Levels a side that were requested; 0 if the body is complete on both sides.
    public var limit: Int

    /// A header of these parts. A limit beyond 32 bits is the largest that fits.
    public init(symbol: SymbolName, limit: Int) {
        self.symbol = symbol
        self.limit = min(max(limit, 0), Int(UInt32.max))
    }

    /// The header in front of a body, nil if the bytes are too short or name no symbol.
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
