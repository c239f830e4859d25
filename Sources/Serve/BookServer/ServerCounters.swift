// What a server has done so far.

/// Counters and gauges of a `BookServer`.
package struct ServerCounters: Hashable, Sendable, BitwiseCopyable {
    /// REST requests.
    package var requestCount = 0
    /// REST requests that were refused.
    package var refusalCount = 0
    /// WebSocket clients at present.
    package var clientCount = 0
    /// Streams of all clients at present, silent ones included.
    package var streamCount = 0
    /// WebSocket clients so far.
    package var connectedCount = 0
    /// Messages of streams sent, counted for each client.
    package var messageCount = 0
    /// Bytes of these messages.
    package var messageBytes = 0
    /// Messages left out because a later one shows the state, counted for each client.
    package var conflatedCount = 0
    /// Clients that read too slowly and were closed.
    package var slowCount = 0
    /// Updates of the venue passed on as they came.
    package var passedCount = 0
    /// Bridging updates: each led clients' books over a hole.
    package var bridgeCount = 0
    /// Updates passed on although they do not lead on from the one before.
    package var gapCount = 0
    /// Streams that could not be continued, so that their clients were closed.
    package var brokenCount = 0

    /// Lists of symbols that the venue has sent.
    package var listCount = 0

    /// Milliseconds that what is shown lies behind what the feed has received: the shard that is worst.
    package var tapLagMs = 0
    /// Times that a shard was so far behind that its books were no longer shown.
    package var lateCount = 0
    /// Frames that found no room in the taps: what they changed was bridged.
    package var tapDroppedCount = 0
    /// Most bytes that ever waited in a tap.
    package var tapMostBytes = 0
    /// Bytes that wait for the sockets of all clients.
    package var queuedBytes = 0

    /// Nothing has happened.
    package init() {}
}
