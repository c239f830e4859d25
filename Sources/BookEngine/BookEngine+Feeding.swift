// Frames without a ring, for whoever embeds the engine on the thread that receives. Each call is one `step`.
//
// SAFETY: pointers to a span's bytes live inside the closure that made them.

import BinanceDepth
import Handoff
import MarketData

extension BookEngine {
    /// A connection is up with all subscriptions; symbols without a book now wish for a snapshot.
    public mutating func connect(source: UInt16 = 0, receivedAtNs: Int64) {
        step(BookEngine.bare(.connected, source, receivedAtNs))
    }

    /// A connection is gone; its books are stale until another one continues them.
    public mutating func disconnect(source: UInt16 = 0, receivedAtNs: Int64) {
        step(BookEngine.bare(.disconnected, source, receivedAtNs))
    }

    /// Time passed: begins what is due.
    public mutating func tick(receivedAtNs: Int64) { step(BookEngine.bare(.tick, 0, receivedAtNs)) }

    /// One message as it came from the WebSocket. Read in place; nothing is kept of it unless a snapshot is
    /// awaited.
    public mutating func receive(_ message: Span<UInt8>, source: UInt16 = 0, receivedAtNs: Int64) {
        unsafe message.withUnsafeBufferPointer { bytes in
            unsafe step(Frame(kind: .message, source: source, receivedAtNs: receivedAtNs, bytes: bytes))
        }
    }

    /// The REST depth body of a symbol.
    ///
    /// - Parameter limit: levels a side that were asked for; 0 if the body is complete on both sides. More
    ///   than the venue gives counts as what it gives.
    public mutating func receiveSnapshot(
        _ body: Span<UInt8>, of symbol: SymbolName, limit: Int, source: UInt16 = 0, receivedAtNs: Int64
    ) {
        var frame = SnapshotEnvelope(symbol: symbol, limit: limit).bytes
        unsafe body.withUnsafeBufferPointer { unsafe frame.append(contentsOf: $0) }
        unsafe frame.withUnsafeBufferPointer { bytes in
            unsafe step(Frame(kind: .depthSnapshot, source: source, receivedAtNs: receivedAtNs, bytes: bytes))
        }
    }

    private static func bare(_ kind: FrameKind, _ source: UInt16, _ receivedAtNs: Int64) -> Frame {
        unsafe Frame(
            kind: kind, source: source, receivedAtNs: receivedAtNs,
            bytes: UnsafeBufferPointer(start: nil, count: 0))
    }
}
