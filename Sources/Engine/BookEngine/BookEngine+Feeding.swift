// Frames without a ring, for programs that embed the engine on the thread that receives. Each call is one
// `step`.
//
// All times are nanoseconds of one clock of the caller's choice, preferably since 1970: they appear in views,
// and the engine measures with them.
//
// SAFETY: pointers to a span's bytes live inside the closure that made them.

import BookSync
import LobHandoff
import MarketData

extension BookEngine {
    /// A connection is up with all subscriptions; symbols without a book now request a snapshot. Messages of
    /// a source that is not connected are ignored.
    public mutating func connect(source: UInt16 = 0, receivedAtNs: Int64) {
        step(BookEngine.bare(.connected, source, receivedAtNs))
    }

    /// A connection is gone; its books are stale until another one continues them.
    public mutating func disconnect(source: UInt16 = 0, receivedAtNs: Int64) {
        step(BookEngine.bare(.disconnected, source, receivedAtNs))
    }

    /// A connection was closed as planned, some time after another one with the same subscriptions was
    /// connected: nothing is missing between the two, so live books stay live.
    public mutating func retire(source: UInt16, receivedAtNs: Int64) {
        step(BookEngine.bare(.retired, source, receivedAtNs))
    }

    /// Time passed. Call it four times a second, even while messages come: silence, audits and the status
    /// mailboxes are handled only here. A silent book stays live; `BookView.receivedAtNs` says how old it is,
    /// and `EngineRequest.resubscribe` that it should not be.
    ///
    /// - Parameters:
    ///   - receivedAtNs: the present time.
    ///   - monotonicNs: the same on a clock that is never set, if there is one: always, or never. Durations
    ///     are then measured with it, and a stream that stays late is told from a clock that was set.
    public mutating func tick(receivedAtNs: Int64, monotonicNs: Int64? = nil) {
        guard let monotonicNs else { return step(BookEngine.bare(.tick, 0, receivedAtNs)) }
        unsafe withUnsafeBytes(of: monotonicNs.littleEndian) { raw in
            unsafe step(
                Frame(
                    kind: .tick, source: 0, receivedAtNs: receivedAtNs,
                    bytes: raw.assumingMemoryBound(to: UInt8.self)))
        }
    }

    /// One message as it came from the WebSocket, raw or in the combined wrapper. It is read in place, and
    /// kept only while a snapshot is awaited. Nothing in it is an error here: it is counted, and
    /// `lastParseError` says why the last one was refused.
    public mutating func receive(_ message: Span<UInt8>, source: UInt16 = 0, receivedAtNs: Int64) {
        unsafe message.withUnsafeBufferPointer { bytes in
            unsafe step(Frame(kind: .message, source: source, receivedAtNs: receivedAtNs, bytes: bytes))
        }
    }

    /// The REST depth body of a symbol.
    ///
    /// - Parameters:
    ///   - body: the body, as it was received.
    ///   - symbol: whose it is; the body need not say.
    ///   - limit: levels a side that were requested, at least 1: a side of that length is known no further.
    ///     More than the venue gives counts as what it gives. Nil only if the body is certainly complete on
    ///     both sides.
    ///   - source: kept in the frame; 0 will do.
    ///   - receivedAtNs: when its last byte was received.
    public mutating func receiveSnapshot(
        _ body: Span<UInt8>, of symbol: SymbolName, limit: Int?, source: UInt16 = 0, receivedAtNs: Int64
    ) {
        var frame = SnapshotEnvelope(symbol: symbol, limit: limit.map { max($0, 1) } ?? 0).bytes
        unsafe body.withUnsafeBufferPointer { unsafe frame.append(contentsOf: $0) }
        unsafe frame.withUnsafeBufferPointer { bytes in
            unsafe step(Frame(kind: .depthSnapshot, source: source, receivedAtNs: receivedAtNs, bytes: bytes))
        }
    }

    /// The request for a snapshot of a symbol was sent. Needed only with
    /// `EngineConfiguration.requestsAreAnnounced`.
    public mutating func snapshotRequested(of symbol: SymbolName, receivedAtNs: Int64) {
        let frame = SnapshotEnvelope(symbol: symbol, limit: 0).bytes
        unsafe frame.withUnsafeBufferPointer { bytes in
            unsafe step(
                Frame(kind: .snapshotRequested, source: 0, receivedAtNs: receivedAtNs, bytes: bytes))
        }
    }

    /// The snapshot of a symbol that was requested will not come; the next request follows at once, with a
    /// higher `attempt`.
    public mutating func snapshotFailed(of symbol: SymbolName, source: UInt16 = 0, receivedAtNs: Int64) {
        let frame = SnapshotEnvelope(symbol: symbol, limit: 0).bytes
        unsafe frame.withUnsafeBufferPointer { bytes in
            unsafe step(
                Frame(kind: .snapshotFailed, source: source, receivedAtNs: receivedAtNs, bytes: bytes))
        }
    }

    private static func bare(_ kind: FrameKind, _ source: UInt16, _ receivedAtNs: Int64) -> Frame {
        unsafe Frame(
            kind: kind, source: source, receivedAtNs: receivedAtNs,
            bytes: UnsafeBufferPointer(start: nil, count: 0))
    }
}
