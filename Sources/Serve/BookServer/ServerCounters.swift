// A server's totals so far.

/// Counters and gauges of a `BookServer`.
package struct ServerCounters: Hashable, Sendable, BitwiseCopyable {
    /// REST requests.
    package var requestCount = 0
    /// REST requests that were refused.
    package var refusalCount = 0
    /// Current number of WebSocket clients.
    package var clientCount = 0
    /// Current number of streams of all clients, silent ones included.
    package var streamCount = 0
    /// WebSocket clients so far.
    package var connectedCount = 0
    /// Stream messages sent, counted per client.
    package var messageCount = 0
    /// Bytes of those messages.
    package var messageBytes = 0
    /// Messages skipped because a later one shows the state, counted per client.
    package var conflatedCount = 0
    /// Clients closed because they read too slowly.
    package var slowCount = 0
    /// Venue updates passed on unchanged.
    package var passedCount = 0
    /// Bridging updates, each taking clients' books across a gap.
    package var bridgeCount = 0
    /// Updates passed on although they do not continue the previous one.
    package var gapCount = 0
    /// Streams that could not be continued, so that their clients were closed.
    package var brokenCount = 0

    /// Symbol lists received from the venue.
    package var listCount = 0

    /// Milliseconds by which what is shown lags what the feed has received, for the worst shard.
    package var tapLagMs = 0
    /// Number of times a shard lagged so far that its books were no longer shown.
    package var lateCount = 0
    /// Frames dropped by the taps: what they changed was bridged.
    package var tapDroppedCount = 0
    /// Highest number of bytes ever waiting in a tap.
    package var tapMostBytes = 0
    /// Bytes queued for all clients' sockets.
    package var queuedBytes = 0

    /// All zero.
    package init() {}
}
