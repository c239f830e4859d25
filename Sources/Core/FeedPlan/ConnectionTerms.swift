// What the venue allows on one connection.

/// The terms of one stream connection.
public struct ConnectionTerms: Hashable, Sendable {
    /// The server pings this often.
    public var pingIntervalMs: Int
    /// It hangs up when a pong is this late.
    public var pongDeadlineMs: Int
    /// Messages it accepts from us per second; pongs, pings and requests all count.
    public var messagesPerSecondMax: Int
    /// Streams on one connection.
    public var streamCountMax: Int
    /// It hangs up at this age.
    public var lifeMs: Int
    /// Connection attempts per IP in five minutes; nil where none is documented.
    public var attemptsPerFiveMinutesMax: Int?

    /// These terms.
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
