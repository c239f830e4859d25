// What a frame is.

/// What a frame is. The numbers go into recordings and are never reused.
///
/// What a socket delivers is one kind, whatever it says: the thread that receives must not parse. The parser
/// tells depth updates, partial depths and tickers apart.
@nonexhaustive
public enum FrameKind: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// A connection is up and its subscriptions are accepted. `source` is the connection.
    case connected = 1
    /// A connection is gone; nothing more will come from it. `source` is the connection.
    case disconnected = 2
    /// One message of a connection as received. `source` is the connection.
    case message = 3
    /// The body of a REST depth snapshot. `source` is the request it answers.
    case depthSnapshot = 4
    /// A REST depth snapshot that was asked for will not come. `source` is the request; the body may say why.
    case snapshotFailed = 5
    /// Nothing but time passing: `receivedAtNs`. The body, if there is one, is the same moment on a clock
    /// that is never set: 8 bytes, nanoseconds, little endian.
    case tick = 6
    /// A connection has ended as planned, some time after another one of the same streams was `connected`:
    /// nothing is missing between the two. `source` is the one that ended.
    case retired = 7
    /// At least one message of a connection was lost before the ring. `source` is the connection; the body is
    /// the beginning of the message, which tells whose it was. Empty: it may have been anybody's of this
    /// source.
    case dropped = 8
    /// The request for a REST depth snapshot was sent: what comes from now on is worth keeping until the
    /// answer. The body is the envelope of the symbol alone.
    case snapshotRequested = 9
}
