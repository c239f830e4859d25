// Which symbols' depth streams the venue refused on a connection: the body of a `connected` frame. Empty, as
// nearly always, if it refused none; otherwise their names, each followed by a line feed, or `*` alone if
// they are too many for a frame that is never refused for lack of space.

import MarketData

/// The symbols without a depth stream on a connection that came up.
public struct RefusedStreams: Hashable, Sendable {
    /// Longest body in bytes.
    public static var lengthMax: Int { 256 }

    /// The body of the frame.
    public let bytes: [UInt8]

    /// Symbols in any order. O(symbols).
    public init(_ symbols: [SymbolName]) {
        var names: [UInt8] = []
        for symbol in symbols { names += Array(symbol.bytes) + [0x0A] }
        bytes = names.count <= RefusedStreams.lengthMax ? names : [UInt8(ascii: "*")]
    }

    /// Reads the body of a frame; one that cannot be read may name any symbol.
    public init(_ body: Span<UInt8>) {
        if body.isEmpty {
            bytes = []
        } else if body.count > RefusedStreams.lengthMax || body[body.count - 1] != 0x0A {
            bytes = [UInt8(ascii: "*")]
        } else {
            bytes = body.indices.map { body[$0] }
        }
    }

    /// Whether the venue refused this symbol's stream, or may have. O(length).
    public func contains(_ symbol: SymbolName) -> Bool {
        if bytes.isEmpty { return false }
        if bytes == [UInt8(ascii: "*")] { return true }
        return bytes.split(separator: 0x0A).contains { $0.elementsEqual(symbol.bytes) }
    }
}
