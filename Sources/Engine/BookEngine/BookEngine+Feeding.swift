// Frames without a ring, for programs that embed the engine on the receiving thread. Each call is one `step`.
//
// All times are nanoseconds of one clock chosen by the caller, preferably since 1970: they appear in views,
// and the engine measures with them.
//
// SAFETY: pointers to a span's bytes do not leave the closure that created them.

import BookSync
import LobHandoff
import MarketData

extension BookEngine {
    /// A connection is up with all subscriptions; symbols without a book now request a snapshot. Messages of
    /// an unconnected source are ignored. If the source was connected, this also reports its end.
    public mutating func connect(source: UInt16 = 0, receivedAtNs: Int64) {
        step(BookEngine.bare(.connected, source, receivedAtNs))
    }

    /// A connection is gone; its books are stale until another connection continues them.
    public mutating func disconnect(source: UInt16 = 0, receivedAtNs: Int64) {
        step(BookEngine.bare(.disconnected, source, receivedAtNs))
    }

    /// A connection was closed as planned, some time after another one with the same subscriptions came up:
    /// nothing is missing between the two, so live books stay live.
    public mutating func retire(source: UInt16, receivedAtNs: Int64) {
        step(BookEngine.bare(.retired, source, receivedAtNs))
    }

    /// Time has passed. Call it four times a second, even while messages arrive: silence, audits and the
    /// status mailboxes are handled only here. A silent book stays live; `BookView.receivedAtNs` gives its
    /// age, and `EngineRequest.resubscribe` reports that it should not be silent.
    ///
    /// - Parameters:
    ///   - receivedAtNs: the current time.
    ///   - monotonicNs: the same moment on a monotonic clock, if there is one; always pass it, or never.
    ///     Durations are then measured with it, and a stream that stays late is distinguished from a clock
    ///     that was set.
    public mutating func tick(receivedAtNs: Int64, monotonicNs: Int64? = nil) {
        guard let monotonicNs else { return step(BookEngine.bare(.tick, 0, receivedAtNs)) }
        unsafe withUnsafeBytes(of: monotonicNs.littleEndian) { raw in
            unsafe step(
                Frame(
                    kind: .tick, source: 0, receivedAtNs: receivedAtNs,
                    bytes: raw.assumingMemoryBound(to: UInt8.self)))
        }
    }

    /// One message as received from the WebSocket, raw or in the combined wrapper. Parsed in place, and kept
    /// only while a snapshot is awaited. Bad input is not an error here: it is counted, and `lastParseError`
    /// says why the last one was rejected.
    public mutating func receive(_ message: Span<UInt8>, source: UInt16 = 0, receivedAtNs: Int64) {
        unsafe message.withUnsafeBufferPointer { bytes in
            unsafe step(Frame(kind: .message, source: source, receivedAtNs: receivedAtNs, bytes: bytes))
        }
    }

    /// A symbol's REST depth body.
    ///
    /// - Parameters:
    ///   - body: the body as received.
    ///   - symbol: its symbol; the body need not name it.
    ///   - limit: levels requested per side, at least 1: a side of that length is known no further. A limit
    ///     beyond the venue's maximum counts as the maximum. Nil only if the body is certainly complete on
    ///     both sides.
    ///   - source: stored in the frame; 0 will do.
    ///   - receivedAtNs: receive time of its last byte.
    public mutating func receiveSnapshot(
        _ body: Span<UInt8>, of symbol: SymbolName, limit: Int?, source: UInt16 = 0, receivedAtNs: Int64
    ) {
        var frame = SnapshotEnvelope(symbol: symbol, limit: limit.map { max($0, 1) } ?? 0).bytes
        unsafe body.withUnsafeBufferPointer { unsafe frame.append(contentsOf: $0) }
        unsafe frame.withUnsafeBufferPointer { bytes in
            unsafe step(Frame(kind: .depthSnapshot, source: source, receivedAtNs: receivedAtNs, bytes: bytes))
        }
    }

    /// The request for a symbol's snapshot was sent. Needed only with
    /// `EngineConfiguration.requestsAreAnnounced`.
    public mutating func snapshotRequested(of symbol: SymbolName, receivedAtNs: Int64) {
        let frame = SnapshotEnvelope(symbol: symbol, limit: 0).bytes
        unsafe frame.withUnsafeBufferPointer { bytes in
            unsafe step(
                Frame(kind: .snapshotRequested, source: 0, receivedAtNs: receivedAtNs, bytes: bytes))
        }
    }

    /// A requested snapshot failed; the next request follows at once, with a higher `attempt`.
    public mutating func snapshotFailed(of symbol: SymbolName, source: UInt16 = 0, receivedAtNs: Int64) {
        let frame = SnapshotEnvelope(symbol: symbol, limit: 0).bytes
        unsafe frame.withUnsafeBufferPointer { bytes in
            unsafe step(
                Frame(kind: .snapshotFailed, source: source, receivedAtNs: receivedAtNs, bytes: bytes))
        }
    }

    /// The venue has accepted a resubscription of the depth stream of a symbol: updates in between may be
    /// missing. Needed with `EngineConfiguration.requestsAreAnnounced`; otherwise it shortens the doubt.
    public mutating func resubscribed(_ symbol: SymbolName, source: UInt16 = 0, receivedAtNs: Int64) {
        let head = Array("{\"s\":\"\(symbol)\"".utf8)
        unsafe head.withUnsafeBufferPointer { bytes in
            unsafe step(
                Frame(kind: .resubscribed, source: source, receivedAtNs: receivedAtNs, bytes: bytes))
        }
    }

    private static func bare(_ kind: FrameKind, _ source: UInt16, _ receivedAtNs: Int64) -> Frame {
        unsafe Frame(
            kind: kind, source: source, receivedAtNs: receivedAtNs,
            bytes: UnsafeBufferPointer(start: nil, count: 0))
    }
}
