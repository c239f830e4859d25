// The venue's limits for one connection.

/// The terms of one stream connection.
public struct ConnectionTerms: Hashable, Sendable {
    /// Interval of the server's pings.
    public var pingIntervalMs: Int
    /// The server closes the connection if a pong is this late.
    public var pongDeadlineMs: Int
    /// Messages per second it accepts from us; pongs, pings and requests all count.
    public var messagesPerSecondMax: Int
    /// Most streams on one connection.
    public var streamCountMax: Int
    /// The server closes the connection at this age.
    public var lifeMs: Int
    /// Connection attempts per IP in five minutes; nil if no limit is documented.
    public var attemptsPerFiveMinutesMax: Int?

    /// Terms with these values.
    public init(
        pingIntervalMs: Int, pongDeadlineMs: Int, messagesPerSecondMax: Int, streamCountMax: Int, lifeMs: Int,
        attemptsPerFiveMinutesMax: Int?
    ) {
        self.pingIntervalMs = pingIntervalMs
        self.pongDeadlineMs = pongDeadlineMs
        self.messagesPerSecondMax = messagesPerSecondMax
        self.streamCountMax = streamCountMax
        self.lifeMs = lifeMs
        self.attemptsPerFiveMinutesMax = attemptsPerFiveMinutesMax
    }
}
