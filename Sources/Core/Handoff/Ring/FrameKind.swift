// What a frame is.

/// What a frame is. The numbers go into recordings and are never reused.
///
/// Everything a socket delivers is one kind, whatever it says: the receiving thread must not parse. The
/// parser tells depth updates, partial depths and tickers apart.
@nonexhaustive
public enum FrameKind: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// A connection is up and its subscriptions are accepted. `source` is the connection.
    case connected = 1
    /// A connection is gone; nothing more will come from it. `source` is the connection.
    case disconnected = 2
    /// One message of a connection as received. `source` is the connection.
    case message = 3
    /// A REST depth snapshot: the envelope that says whose it is, then the body. `source` is 0.
    case depthSnapshot = 4
    /// A requested REST depth snapshot that will not come. The body is the envelope; `source` is 0.
    case snapshotFailed = 5
    /// Only the passing of time: `receivedAtNs`. The body, if there is one, is the same moment on a clock
    /// that is never set: 8 bytes, nanoseconds, little endian.
    case tick = 6
    /// A connection has ended as planned, some time after another one with the same streams was `connected`:
    /// nothing is missing between the two. `source` is the one that ended.
    case retired = 7
    /// At least one message of a connection was lost before the ring. `source` is the connection. The body is
    /// the beginning of the message, which tells whose it was; if it is empty, it may have been of any symbol
    /// of this source.
    case dropped = 8
    /// The request for a REST depth snapshot was sent: from now on messages are worth keeping until the
    /// answer. The body is the envelope alone.
    case snapshotRequested = 9
}
