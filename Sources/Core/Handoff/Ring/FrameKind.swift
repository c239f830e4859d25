// The kinds of frames.

/// Kind of a frame. The numbers go into recordings and are never reused.
///
/// Everything a socket delivers is one kind, whatever its content: the receiving thread must not parse. The
/// parser distinguishes depth updates, partial depths and tickers.
@nonexhaustive
public enum FrameKind: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// A connection is up and its subscriptions are accepted. `source` is the connection. The body names the
    /// symbols whose stream of updates the venue refused on it: `RefusedStreams`.
    case connected = 1
    /// A connection is gone; it delivers nothing more. `source` is the connection.
    case disconnected = 2
    /// One message of a connection as received. `source` is the connection.
    case message = 3
    /// A REST depth snapshot: the envelope that names its symbol, then the body. `source` is 0.
    case depthSnapshot = 4
    /// A requested REST depth snapshot that failed. The body is the envelope; `source` is 0.
    case snapshotFailed = 5
    /// Time has passed: `receivedAtNs`. The body, if any, is the same moment on a monotonic clock: 8 bytes,
    /// nanoseconds, little endian.
    case tick = 6
    /// A connection ended as planned, some time after another one with the same streams was `connected`:
    /// nothing is missing between the two. `source` is the one that ended.
    case retired = 7
    /// At least one message of a connection was lost before the ring. `source` is the connection. The body is
    /// the beginning of the message, which identifies its stream; if empty, it may have been of any symbol of
    /// this source.
    case dropped = 8
    /// The request for a REST depth snapshot was sent, or is about to be: from now on updates must be
    /// buffered until the answer. The body is the envelope alone.
    case snapshotRequested = 9
    /// The venue has accepted a resubscription of a stream of a connection: what the stream would have sent
    /// between the end of the old subscription and this frame may be missing. `source` is the connection. The
    /// body is the beginning of a message of the stream, which tells whose it is; if it is empty, it may be
    /// any stream of this source.
    case resubscribed = 10

    /// Whether it is a snapshot of the venue, or of a request for one.
    var isOfSnapshot: Bool {
        switch self {
        case .depthSnapshot, .snapshotFailed, .snapshotRequested: true
        case .connected, .disconnected, .message, .tick, .retired, .dropped, .resubscribed: false
        }
    }
}
