// What a server has done so far.

/// Counters and gauges of a `BookServer`.
public struct ServerCounters: Hashable, Sendable, BitwiseCopyable {
    /// REST requests.
    public var requestCount = 0
    /// REST requests that were refused.
    public var refusalCount = 0
    /// WebSocket clients at present.
    public var clientCount = 0
    /// Streams of all clients at present, silent ones included.
    public var streamCount = 0
    /// WebSocket clients so far.
    public var connectedCount = 0
    /// Messages of streams sent, counted for each client.
    public var messageCount = 0
    /// Bytes of these messages.
    public var messageBytes = 0
    /// Messages left out because a later one shows the state, counted for each client.
    public var conflatedCount = 0
    /// Clients that read too slowly and were closed.
    public var slowCount = 0
    /// Updates of the venue passed on as they came.
    public var passedCount = 0
    /// Bridging updates: each led clients' books over a hole.
    public var bridgeCount = 0
    /// Streams that could not be continued, so that their clients were closed.
    public var brokenCount = 0

    /// Nothing has happened.
    public init() {}
}
